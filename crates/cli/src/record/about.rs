//! What a profile says of its recording as a whole: host, targets, quality, cost.

use seam_capture::{RawSample, Recording, kernel_facts};
use seam_profile::{Cost, Counted, Grade, Host, QualityInput, Sampling, Target, Tier};
use seam_wire::{SEAM_END_ROOT_KERNEL, SEAM_END_TABLE_NOT_READY, SampleHeader};

use super::edges::Edges;
use super::idle;
use super::symbolize::Names;
use super::words;

pub(super) fn metadata(recording: &Recording) -> seam_profile::Recording {
    let kernel = kernel_facts();
    let target = |t: &seam_capture::TargetInfo| {
        let (go_version, facts) = words::build_facts(recording, t);
        Target {
            pid: t.target.pid as u32,
            name: t.target.name.clone(),
            command_line: t
                .target
                .command_line
                .split(' ')
                .map(str::to_owned)
                .collect(),
            go_version,
            facts,
        }
    };
    let started = recording
        .started
        .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    seam_profile::Recording {
        targets: recording.targets.iter().map(target).collect(),
        start_unix_ns: started.map_or(0, |t| t.as_nanos() as u64),
        duration_ns: recording.duration.as_nanos() as u64,
        sampling: Sampling {
            rate_hz: recording.rate_hz,
            period_ns: 1_000_000_000 / u64::from(recording.rate_hz.max(1)),
            event: "on-CPU".to_owned(),
            counted: Counted::CpuTime,
        },
        tier: Tier::ReadOnly,
        grade: match &recording.grade {
            seam_capture::Grade::Bpf => Grade::Bpf,
            seam_capture::Grade::Copied {
                unseen_kernel_ns: None,
                ..
            } => Grade::Copied,
            seam_capture::Grade::Copied { .. } => Grade::CopiedUserMode,
        },
        host: Host {
            name: kernel.hostname,
            kernel_release: kernel.release,
        },
        seam_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

pub(super) fn quality(
    recording: &Recording,
    names: &Names,
    edges: &Edges,
    kernel_hidden: bool,
) -> QualityInput {
    let (edge_counts, impossible) = edges.finish();
    let mut notes = words::notes(recording, kernel_hidden);
    notes.extend(idle::notes(recording));
    notes.extend(names.notes.iter().cloned());
    notes.extend(words::impossible_note(recording, names, &impossible));
    let counters = recording.counters;
    let not_ready = |header: &SampleHeader| u32::from(header.end) == SEAM_END_TABLE_NOT_READY;
    QualityInput {
        lost_records: counters.ring_full,
        lost_elsewhere: counters.no_registers + counters.malformed,
        table_not_ready: recording
            .samples
            .iter()
            .filter(|s| not_ready(&s.header))
            .count() as u64,
        targets_cpu_ns: Some(targets_cpu_ns(recording)),
        edges: Some(edge_counts),
        notes,
    }
}

/// CPU time that the samples should add up to. Threads of the kernel are in no process's account:
/// theirs is what was sampled.
fn targets_cpu_ns(recording: &Recording) -> u64 {
    let kernel = |s: &&RawSample| u32::from(s.header.end) == SEAM_END_ROOT_KERNEL;
    let kernel = recording.samples.iter().filter(kernel).count() as u64;
    let period_ns = 1_000_000_000 / u64::from(recording.rate_hz.max(1));
    let processes: u64 = recording.targets.iter().map(|t| t.cpu_time_ns).sum();
    processes + kernel * period_ns
}

pub(super) fn cost(recording: &Recording) -> Cost {
    Cost {
        seam_cpu_ns: recording.cost.cpu.as_nanos() as u64,
        rss_bytes: recording.cost.rss_bytes,
        map_bytes: recording.cost.map_bytes,
        bpf_time_ns: recording.cost.bpf_time.as_nanos() as u64,
        // The time of runs on other processes counts as spent for the samples. Without the right to
        // have run times counted there is no figure.
        bpf_runs: if recording.cost.bpf_time.is_zero() {
            0
        } else {
            recording.counters.samples
        },
        tables_found: recording.cost.tables_found,
    }
}
