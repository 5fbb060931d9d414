//! The summary as JSON, for programs.
//!
//! Owns the schema: the structs in `schema` are the documentation. Keys are stable snake_case;
//! adding keys keeps the schema's number, changing or removing one raises it.

mod schema;

use seam_analyze::{
    CallbackEdge, CgoEdge, Comparison, Direction, Facts, HotFunction, KindTallies, Method, Tally,
};
use seam_profile::{FunctionKind, Profile};

use schema as json;

/// Number of the schema.
pub const SCHEMA: u32 = 1;

/// Writes the facts as indented JSON with a newline at the end. Counts are samples; shares are the
/// reader's to compute, from `samples`.
pub fn summary_json(profile: &Profile, facts: &Facts) -> String {
    let summary = json::Summary {
        schema: SCHEMA,
        recording: recording(profile),
        quality: quality(profile),
        samples: facts.samples,
        period_ns: profile.recording().sampling.period_ns,
        time: time(facts),
        functions: facts
            .hottest
            .rows
            .iter()
            .map(|row| function(profile, row))
            .collect(),
        functions_more: facts.hottest.more,
        cgo_edges: facts
            .edges
            .rows
            .iter()
            .map(|row| edge(profile, row))
            .collect(),
        cgo_edges_more: facts.edges.more,
        cost: profile.cost().map(|cost| json::Cost {
            seam_cpu_ns: cost.seam_cpu_ns,
            rss_bytes: cost.rss_bytes,
            map_bytes: cost.map_bytes,
            bpf_time_ns: cost.bpf_time_ns,
            bpf_runs: cost.bpf_runs,
            tables_found: cost.tables_found,
        }),
        comparison: facts.comparison.as_ref().map(comparison),
    };
    let mut text = serde_json::to_string_pretty(&summary)
        .expect("structs of strings and numbers are always JSON");
    text.push('\n');
    text
}

fn recording(profile: &Profile) -> json::Recording<'_> {
    let recording = profile.recording();
    let target = |target: &'_ seam_profile::Target| json::Target {
        pid: target.pid,
        name: target.name.clone(),
        command_line: target.command_line.clone(),
        go_version: target.go_version.clone(),
        facts: target.facts.clone(),
    };
    json::Recording {
        targets: recording.targets.iter().map(target).collect(),
        start_unix_ns: recording.start_unix_ns,
        duration_ns: recording.duration_ns,
        rate_hz: recording.sampling.rate_hz,
        event: &recording.sampling.event,
        tier: recording.tier.number(),
        grade: recording.grade.id(),
        host: &recording.host.name,
        kernel_release: &recording.host.kernel_release,
        seam_version: &recording.seam_version,
    }
}

fn comparison(comparison: &Comparison) -> json::Comparison {
    let tally = |tally: &Tally| json::Tally {
        whole: tally.whole,
        cut: tally.cut,
        wrong: tally.wrong,
        frames: tally.frames,
        lost: tally.lost,
    };
    let kind = |kind: &KindTallies| json::KindTallies {
        kind: kind.kind.clone(),
        samples: kind.samples,
        methods: Method::ALL
            .iter()
            .zip(&kind.methods)
            .map(|(method, t)| (method.key(), tally(t)))
            .collect(),
    };
    json::Comparison {
        samples: comparison.samples,
        left_out: comparison.left_out,
        kinds: comparison.kinds.iter().map(kind).collect(),
    }
}

fn quality(profile: &Profile) -> json::Quality<'_> {
    let quality = profile.quality();
    let reasons = quality.end_reasons.iter().map(|row| json::EndReason {
        code: row.reason.code,
        name: &row.reason.name,
        sentence: &row.reason.sentence,
        root: row.reason.root,
        samples: row.samples,
    });
    let missed = &quality.unsymbolized;
    let modules = missed.modules.iter().map(|row| json::ModuleMisses {
        module: &row.module,
        frames: row.frames,
        samples: row.samples,
    });
    json::Quality {
        whole: quality.rooted,
        end_reasons: reasons.collect(),
        elided: quality.elided,
        guessed: quality.guessed,
        frame_pointers: quality.frame_pointers,
        lost_records: quality.told.lost_records,
        lost_elsewhere: quality.told.lost_elsewhere,
        table_not_ready: quality.told.table_not_ready,
        unnamed_frames: missed.frames,
        unnamed_samples: missed.samples,
        unnamed_modules: modules.collect(),
        cpu_time_ns: quality.cpu_time.targets_ns,
        sampled_time_ns: quality.cpu_time.sampled_ns,
        cpu_time_gap_ns: quality.cpu_time.gap_ns(),
        edges: quality.told.edges.map(|edges| json::Edges {
            verified: edges.verified,
            plausible: edges.plausible,
            impossible: edges.impossible,
            unchecked: edges.unchecked,
        }),
        notes: &quality.told.notes,
    }
}

fn time(facts: &Facts) -> json::Time {
    let shares = &facts.shares;
    json::Time {
        go: shares.go,
        go_runtime: shares.go_runtime,
        go_runtime_gc: shares.gc,
        go_runtime_idle: shares.idle,
        go_runtime_scheduler: shares.scheduler,
        activities: shares
            .activities
            .iter()
            .map(|(a, n)| (a.word(), *n))
            .collect(),
        c: shares.c,
        kernel: shares.kernel,
        unknown: shares.unknown,
    }
}

fn function<'a>(profile: &'a Profile, row: &HotFunction) -> json::Function<'a> {
    let function = profile.functions().get(row.function);
    let module = function.module.map(|module| profile.modules().get(module));
    json::Function {
        name: profile.text(function.name),
        system_name: profile.text(function.system_name),
        kind: kind(function.kind),
        module: module.map_or("", |module| profile.text(module.path)),
        build_id: module.map_or("", |module| profile.text(module.build_id)),
        file: profile.text(function.file),
        line: row.line,
        self_samples: row.self_weight,
        total_samples: row.total_weight,
    }
}

fn edge<'a>(profile: &'a Profile, edge: &'a CgoEdge) -> json::CgoEdge<'a> {
    let callback = |row: &'a CallbackEdge| json::Callback {
        callee: &row.callee,
        samples: row.weight,
    };
    let caller = edge.site.map(|site| profile.functions().get(site.function));
    json::CgoEdge {
        direction: match edge.direction {
            Direction::Call => "call",
            Direction::Callback => "callback",
        },
        caller: caller.map_or("", |caller| profile.text(caller.name)),
        file: caller.map_or("", |caller| profile.text(caller.file)),
        line: edge.site.map_or(0, |site| site.line),
        callee: &edge.callee,
        samples: edge.weight,
        callbacks: edge.callbacks.rows.iter().map(callback).collect(),
        callbacks_more: edge.callbacks.more,
    }
}

fn kind(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Go => "go",
        FunctionKind::GoRuntime => "go_runtime",
        FunctionKind::C => "c",
        FunctionKind::Kernel => "kernel",
        FunctionKind::Unknown => "unknown",
    }
}
