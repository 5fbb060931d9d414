//! The shape of the JSON summary, schema 1.
//!
//! Owns keys and their meaning. Times are nanoseconds, sizes bytes, counts samples; unknown texts
//! are empty, unknown numbers null or, for lines, 0.

use std::collections::BTreeMap;

use serde::Serialize;

/// The summary.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    /// Always 1.
    pub(super) schema: u32,
    /// What was recorded.
    pub(super) recording: Recording<'a>,
    /// How far it can be trusted.
    pub(super) quality: Quality<'a>,
    /// All samples.
    pub(super) samples: u64,
    /// CPU time one sample stands for.
    pub(super) period_ns: u64,
    /// Samples by the kind of their innermost frame; kinds add up to `samples`.
    pub(super) time: Time,
    /// Functions, hottest first, plumbing of cgo left out.
    pub(super) functions: Vec<Function<'a>>,
    /// Functions beyond those.
    pub(super) functions_more: usize,
    /// Crossings between Go and C, most time inside first.
    pub(super) cgo_edges: Vec<CgoEdge<'a>>,
    /// Crossings beyond those.
    pub(super) cgo_edges_more: usize,
    /// What recording cost; null if it was not measured.
    pub(super) cost: Option<Cost>,
    /// What other profilers would have kept of the same samples; only after `--compare`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comparison: Option<Comparison>,
}

/// What was recorded.
#[derive(Serialize)]
pub(super) struct Recording<'a> {
    /// The processes.
    pub(super) targets: Vec<Target>,
    /// When it began, since 1970-01-01 UTC.
    pub(super) start_unix_ns: u64,
    /// How long it took.
    pub(super) duration_ns: u64,
    /// Samples per second asked for.
    pub(super) rate_hz: u32,
    /// What is counted, such as "on-CPU".
    pub(super) event: &'a str,
    /// Tier of intrusion: 0, 1 or 2.
    pub(super) tier: u8,
    /// How much could be seen: bpf, copied, copied-user-mode.
    pub(super) grade: &'a str,
    /// Host name.
    pub(super) host: &'a str,
    /// Kernel release.
    pub(super) kernel_release: &'a str,
    /// Version of seam that recorded.
    pub(super) seam_version: &'a str,
}

/// A process.
#[derive(Serialize)]
pub(super) struct Target {
    /// Process id.
    pub(super) pid: u32,
    /// Short name.
    pub(super) name: String,
    /// Arguments.
    pub(super) command_line: Vec<String>,
    /// Go version, null without Go.
    pub(super) go_version: Option<String>,
    /// Facts about the build.
    pub(super) facts: Vec<String>,
}

/// How far the recording can be trusted.
#[derive(Serialize)]
pub(super) struct Quality<'a> {
    /// Samples with a whole stack: one that reached its root.
    pub(super) whole: u64,
    /// Samples by how their stack ended, most first.
    pub(super) end_reasons: Vec<EndReason<'a>>,
    /// Samples whose stack was too deep to keep all of.
    pub(super) elided: u64,
    /// Samples with a return address that was guessed, whole ones among them.
    pub(super) guessed: u64,
    /// Other samples with frames that were left by their frame pointers alone.
    pub(super) frame_pointers: u64,
    /// Samples dropped for want of buffer.
    pub(super) lost_records: u64,
    /// Samples lost before they reached seam.
    pub(super) lost_elsewhere: u64,
    /// Samples taken before the tables of their module were ready.
    pub(super) table_not_ready: u64,
    /// Frames without a name, over all samples.
    pub(super) unnamed_frames: u64,
    /// Samples with such a frame.
    pub(super) unnamed_samples: u64,
    /// The same by module, most first.
    pub(super) unnamed_modules: Vec<ModuleMisses<'a>>,
    /// CPU time of the targets by the kernel's account, null if not read.
    pub(super) cpu_time_ns: Option<u64>,
    /// Samples times period.
    pub(super) sampled_time_ns: u64,
    /// The first less the second.
    pub(super) cpu_time_gap_ns: Option<i64>,
    /// Calls from frame to frame, checked against the code; null if they were not.
    pub(super) edges: Option<Edges>,
    /// Other remarks.
    pub(super) notes: &'a [String],
}

/// Calls in stacks, over all samples, by what the code says of them.
#[derive(Serialize)]
pub(super) struct Edges {
    /// The call before the return address leads to the function above.
    pub(super) verified: u64,
    /// It is an indirect call: nothing speaks against it.
    pub(super) plausible: u64,
    /// There is no call, or it can't lead there: the stack is wrong.
    pub(super) impossible: u64,
    /// The caller's code could not be read.
    pub(super) unchecked: u64,
}

/// How stacks ended.
#[derive(Serialize)]
pub(super) struct EndReason<'a> {
    /// Code.
    pub(super) code: u8,
    /// Stable name.
    pub(super) name: &'a str,
    /// In words.
    pub(super) sentence: &'a str,
    /// Whether a stack that ended so is whole.
    pub(super) root: bool,
    /// Samples.
    pub(super) samples: u64,
}

/// Unnamed code of a module.
#[derive(Serialize)]
pub(super) struct ModuleMisses<'a> {
    /// Short name, empty for code outside any file.
    pub(super) module: &'a str,
    /// Frames.
    pub(super) frames: u64,
    /// Samples.
    pub(super) samples: u64,
}

/// Samples by kind of code.
#[derive(Serialize)]
pub(super) struct Time {
    /// Go outside its runtime.
    pub(super) go: u64,
    /// The Go runtime.
    pub(super) go_runtime: u64,
    /// Of that: garbage collection.
    pub(super) go_runtime_gc: u64,
    /// Of that: looking for work.
    pub(super) go_runtime_idle: u64,
    /// Of that: scheduling.
    pub(super) go_runtime_scheduler: u64,
    /// What the Go runtime did, time in the kernel for it included, by name.
    pub(super) activities: BTreeMap<&'static str, u64>,
    /// Native code.
    pub(super) c: u64,
    /// The kernel.
    pub(super) kernel: u64,
    /// Code of no file, and samples without a frame.
    pub(super) unknown: u64,
}

/// A function.
#[derive(Serialize)]
pub(super) struct Function<'a> {
    /// Name for people.
    pub(super) name: &'a str,
    /// Name in the symbol table, empty without a symbol.
    pub(super) system_name: &'a str,
    /// `go`, `go_runtime`, `c`, `kernel` or `unknown`.
    pub(super) kind: &'static str,
    /// Path of its file.
    pub(super) module: &'a str,
    /// Build id of that file.
    pub(super) build_id: &'a str,
    /// Source file.
    pub(super) file: &'a str,
    /// Line of most samples.
    pub(super) line: u32,
    /// Samples that ended in it.
    pub(super) self_samples: u64,
    /// Samples with it on the stack, each counted once.
    pub(super) total_samples: u64,
}

/// A crossing between Go and C.
#[derive(Serialize)]
pub(super) struct CgoEdge<'a> {
    /// `call` from Go into C or `callback` from C into Go.
    pub(super) direction: &'static str,
    /// The function that calls.
    pub(super) caller: &'a str,
    /// Its source file.
    pub(super) file: &'a str,
    /// Line of the call.
    pub(super) line: u32,
    /// What is called.
    pub(super) callee: &'a str,
    /// Samples with the crossing on the stack, each counted once.
    pub(super) samples: u64,
    /// Callbacks made from within.
    pub(super) callbacks: Vec<Callback<'a>>,
    /// Callbacks beyond those.
    pub(super) callbacks_more: usize,
}

/// A callback made from within a call.
#[derive(Serialize)]
pub(super) struct Callback<'a> {
    /// The Go function.
    pub(super) callee: &'a str,
    /// Samples with it on the stack, each counted once.
    pub(super) samples: u64,
}

/// What recording cost.
#[derive(Serialize)]
pub(super) struct Cost {
    /// CPU time of seam.
    pub(super) seam_cpu_ns: u64,
    /// Greatest resident memory of seam.
    pub(super) rss_bytes: u64,
    /// Kernel memory of the maps.
    pub(super) map_bytes: u64,
    /// Time in the BPF program.
    pub(super) bpf_time_ns: u64,
    /// Runs of it.
    pub(super) bpf_runs: u64,
    /// Unwind tables that earlier recordings had kept.
    pub(super) tables_found: u32,
}

/// What other profilers would have kept of the same samples.
#[derive(Serialize)]
pub(super) struct Comparison {
    /// Samples compared.
    pub(super) samples: u64,
    /// Samples whose own stack is not whole, or of which nothing else is known.
    pub(super) left_out: u64,
    /// By kind of call, commonest first.
    pub(super) kinds: Vec<KindTallies>,
}

/// Samples of one kind of call.
#[derive(Serialize)]
pub(super) struct KindTallies {
    /// Languages, root first: `Go → C → Go`.
    pub(super) kind: String,
    /// How many.
    pub(super) samples: u64,
    /// By `frame_pointers`, `dwarf_copy`, `go_profiler`.
    pub(super) methods: BTreeMap<&'static str, Tally>,
}

/// What one method makes of samples.
#[derive(Serialize)]
pub(super) struct Tally {
    /// Samples with every frame.
    pub(super) whole: u64,
    /// Samples whose innermost frames are right and whose callers are missing.
    pub(super) cut: u64,
    /// Samples with frames missing elsewhere, or with others.
    pub(super) wrong: u64,
    /// Frames of the whole stacks.
    pub(super) frames: u64,
    /// Of these, those that are missing.
    pub(super) lost: u64,
}
