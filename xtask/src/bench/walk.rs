//! What one sample costs in the kernel, beside the kernel's own walk by frame pointers.

use std::thread;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::page::{Section, median, row, verdict, with_range};
use super::parts::Parts;
use super::tools::{Target, number};
use crate::run::Run;

/// Target stacks: the words, own Go frames, own C frames, leaf, budget of the ratio.
const STACKS: &[(&str, u32, u32, &str, f64)] = &[
    ("12 user frames", 2, 3, "spin", 1.5),
    ("24 user frames", 8, 9, "spin", 2.0),
    ("12 user frames, in the kernel", 2, 3, "kernel", 1.5),
    ("24 user frames, in the kernel", 8, 9, "kernel", 2.0),
];
const RATE: u32 = 499;
/// Repeated reads of one size, as in benches/bpf/walk.bpf.c.
const READS: f64 = 16.0;
const METHOD: &str = "\
The target has Go frames, a cgo call and C frames, all with frame pointers, on two threads
(benches/programs/depth); in half of the rows its time goes to a system call. Three programs run
on it at the same time, each on clocks of its own of 499 Hz whose periods differ by 0.3 to 1 %, so
that they pass through every distance and none always finds caches that another has warmed: seam's;
one that only calls `bpf_get_stack` for the kernel's frames, if the sample was taken there, and
with `BPF_F_USER_STACK` (*walk*); one that also fills a record with time, ids and name and puts it
into a ring buffer without a wake-up, as seam does (*record*). Times are the kernel's statistics
(`run_time_ns`) for the whole program, less runs on other processes: these are counted, and what
one costs is measured on a target that sleeps. A cell is the median of the rounds with the lowest
and the highest; ratios are taken in each round.";

/// One program's nanoseconds per sample of the target, and its mean depth.
struct Measured {
    seam: f64,
    walk: f64,
    record: f64,
    frames: f64,
    kernel_frames: f64,
    small: f64,
    large: f64,
}

pub(super) fn measure(parts: &Parts) -> Result<Section> {
    let (rounds, seconds) = parts.pick((7, 6), (2, 2));
    let mut results: Vec<Vec<Measured>> = STACKS.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        let others = others(parts, seconds)?;
        for (place, (_, go, c, leaf, _)) in STACKS.iter().enumerate() {
            let depth = [go.to_string(), c.to_string()];
            let args = ["-go", &depth[0], "-c", &depth[1], "-leaf", leaf];
            let report = run(parts, &args, seconds)?;
            results[place].push(measured(&report, &others));
        }
    }
    let mut section = Section::new("Cost of a sample in the kernel", METHOD);
    section.table(&table(&results));
    let every = || results.iter().flatten();
    let small: Vec<f64> = every().map(|m| m.small).collect();
    let large: Vec<f64> = every().map(|m| m.large).collect();
    section.say(&format!(
        "Reading the target's memory in the same runs, from the same interrupts \
         (`bpf_probe_read_user`,\nmemory that was read just before): 8 bytes {} ns, 512 bytes \
         {} ns.",
        with_range(&small, 0),
        with_range(&large, 0)
    ));
    Ok(section)
}

fn table(results: &[Vec<Measured>]) -> Vec<Vec<String>> {
    let mut rows = vec![row([
        "stack",
        "frames by the walk, user + kernel",
        "seam, ns",
        "walk, ns",
        "record, ns",
        "seam / walk",
        "budget",
        "seam / record",
    ])];
    for ((name, .., budget), rounds) in STACKS.iter().zip(results) {
        let all = |pick: fn(&Measured) -> f64| rounds.iter().map(pick).collect::<Vec<f64>>();
        let ratio = all(|m| m.seam / m.walk);
        rows.push(vec![
            (*name).to_owned(),
            format!(
                "{:.1} + {:.1}",
                median(&all(|m| m.frames)),
                median(&all(|m| m.kernel_frames))
            ),
            with_range(&all(|m| m.seam), 0),
            with_range(&all(|m| m.walk), 0),
            with_range(&all(|m| m.record), 0),
            with_range(&ratio, 2),
            format!("{budget}: {}", verdict(median(&ratio), *budget)),
            with_range(&all(|m| m.seam / m.record), 2),
        ]);
    }
    rows
}

/// What a run on another process costs each program.
fn others(parts: &Parts, seconds: u64) -> Result<[f64; 3]> {
    // Something must keep the machine as busy as in the other runs.
    let life = (seconds + 20).to_string();
    let busy = Run::new(&parts.depth).args(["-threads", "2", "-seconds", &life]);
    let busy = Target::start(busy, "ready")?;
    let report = run(parts, &["-leaf", "sleep"], seconds)?;
    drop(busy);
    let of = |name: &str| number(&report[name]["time_ns"]) / number(&report[name]["runs"]).max(1.0);
    Ok(["seam", "walk", "record"].map(of))
}

/// Samples a target by seam and by the others at once.
fn run(parts: &Parts, args: &[&str], seconds: u64) -> Result<Value> {
    let (life, time) = ((seconds + 20).to_string(), seconds.to_string());
    let target = Run::new(&parts.depth).args(args);
    let target = target.args(["-threads", "2", "-seconds", &life]);
    let target = Target::start(target, "ready")?;
    let rate = RATE.to_string();
    let seam = Run::new(&parts.seam)
        .args(["record", "-q", "-p", &target.pid, "-r", &rate])
        .args(["-d", &format!("{}s", seconds + 2), "-o"])
        .arg(parts.file("walk.json"))
        .start()?;
    let text = parts
        .bench("kernel")
        .args(["walk", "--target", &target.pid, "--rate", &rate])
        .args(["--seam", &seam.pid().to_string(), "--seconds", &time])
        .text()?;
    // It writes its files and ends by itself.
    thread::scope(|scope| scope.spawn(|| drop(seam)).join()).map_err(|_| anyhow!("seam"))?;
    serde_json::from_str(&text).context("the benchmark's answer")
}

fn measured(report: &Value, others: &[f64; 3]) -> Measured {
    let of = |name: &str, key: &str| number(&report[name][key]);
    let per_sample = |place: usize, name: &str| {
        let time = of(name, "time_ns") - others[place] * of(name, "other");
        time / of(name, "samples").max(1.0)
    };
    let per_walk = |key: &str| of("walk", key) / of("walk", "samples").max(1.0);
    let read = |key: &str| {
        let time = of("read_user", key) - of("read_user", "clock_ns");
        time / of("read_user", "in_kernel").max(1.0) / READS
    };
    Measured {
        seam: per_sample(0, "seam"),
        walk: per_sample(1, "walk"),
        record: per_sample(2, "record"),
        frames: per_walk("user_frames"),
        kernel_frames: per_walk("kernel_frames"),
        small: read("small_ns"),
        large: read("large_ns"),
    }
}
