//! What the Go runtime is busy with, by function identity.
//!
//! Owns the lists of functions that mean collecting, looking for work, or scheduling. Names were
//! read in the sources of Go 1.19 to 1.27; an unknown name means no particular activity.

use seam_profile::FunctionKind;

use crate::cgo_names::without_abi;

/// What the Go runtime is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Activity {
    /// Marking what is reachable, write barriers included.
    GcMark,
    /// Marking by a goroutine that allocates, as its share of the work.
    GcAssist,
    /// Freeing what was not marked.
    GcSweep,
    /// Returning memory to the system.
    GcScavenge,
    /// Beginning and ending collections, pacing them.
    GcControl,
    /// Asking the system which files are ready.
    Netpoll,
    /// Keeping and running timers.
    Timers,
    /// An M without work that looks for some.
    Idle,
    /// Choosing and switching goroutines, starting and stopping Ms.
    Scheduler,
}

use Activity::{
    GcAssist, GcControl, GcMark, GcScavenge, GcSweep, Idle, Netpoll, Scheduler, Timers,
};

impl Activity {
    /// All of them.
    pub const ALL: [Self; 9] = [
        GcMark, GcAssist, GcSweep, GcScavenge, GcControl, Netpoll, Timers, Idle, Scheduler,
    ];

    /// Its name in outputs; stable.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            GcMark => "gc mark",
            GcAssist => "gc assist",
            GcSweep => "gc sweep",
            GcScavenge => "gc scavenge",
            GcControl => "gc control",
            Netpoll => "netpoll",
            Timers => "timers",
            Idle => "idle",
            Scheduler => "scheduler",
        }
    }

    /// Garbage collection, whatever part of it.
    #[must_use]
    pub fn is_gc(self) -> bool {
        matches!(self, GcMark | GcAssist | GcSweep | GcScavenge | GcControl)
    }
}

/// Whole names, closures in them included.
const NAMES: [(Activity, &[&str]); 7] = [
    (
        GcMark,
        &[
            "greyobject",
            "scanConservative",
            "scanObject",
            "scanObjectSmall",
            "scanObjectsSmall",
            "scanSpan",
            "scanblock",
            "scanframeworker",
            "scanobject",
            "scanstack",
            "shade",
            "tryDeferToSpanScan",
            "wbBufFlush",
            "wbBufFlush1",
            "bulkBarrierPreWrite",
        ],
    ),
    (
        GcAssist,
        &["gcAssistAlloc", "gcAssistAlloc1", "gcParkAssist"],
    ),
    (
        GcSweep,
        &["bgsweep", "sweepone", "deductSweepCredit", "gcSweep"],
    ),
    (GcScavenge, &["bgscavenge", "(*pageAlloc).scavenge"]),
    (
        Netpoll,
        &["netpoll", "netpollready", "netpollgoready", "netpollBreak"],
    ),
    (
        Idle,
        &[
            "findRunnable",
            "findrunnable",
            "stealWork",
            "runqgrab",
            "stopm",
        ],
    ),
    (
        Scheduler,
        &[
            "schedule",
            "park_m",
            "goschedImpl",
            "gosched_m",
            "gopreempt_m",
            "goyield_m",
            "exitsyscall0",
            "exitsyscallNoP",
            "goexit0",
            "execute",
            "ready",
            "goready",
            "wakep",
            "startm",
            "injectglist",
            "handoffp",
            "retake",
            "sysmon",
            "mcall",
        ],
    ),
];

/// Timers were functions up to Go 1.22 and are methods from 1.23 on (runtime/time.go).
const TIMERS: [&str; 17] = [
    "addAdjustedTimers",
    "addtimer",
    "adjusttimers",
    "checkTimers",
    "cleantimers",
    "clearDeletedTimers",
    "deltimer",
    "doaddtimer",
    "dodeltimer",
    "dodeltimer0",
    "modtimer",
    "moveTimers",
    "resettimer",
    "runOneTimer",
    "runtimer",
    "siftdownTimer",
    "siftupTimer",
];

/// The first that fits counts.
const PREFIXES: [(Activity, &[&str]); 5] = [
    (GcSweep, &["(*sweepLocke", "(*mheap).reclaim"]),
    (GcScavenge, &["(*scavenge", "(*pageAlloc).scavenge"]),
    (
        GcMark,
        &[
            "gcBgMark",
            "gcDrain",
            "gcFlushBgCredit",
            "gcMark",
            "gcNextMarkRoot",
            "gcScan",
            "gcWriteBarrier",
            "gcmarknewobject",
            "markroot",
        ],
    ),
    (Timers, &["(*timer).", "(*timers)."]),
    // Above all that marks: the rest of the collector.
    (GcControl, &["gc", "(*gc"]),
];

/// Begin with `gcMark` and do not mark: they ask, or begin or end a phase.
const PHASES: [&str; 5] = [
    "gcMarkDone",
    "gcMarkRootCheck",
    "gcMarkRootPrepare",
    "gcMarkTermination",
    "gcMarkWorkAvailable",
];

/// Queues of work, which whoever marks, assists or looks for work asks: they tell nothing.
const QUEUES: &str = "(*gcWork)";

/// The activity that a function of the Go runtime stands for by itself.
#[must_use]
pub fn activity(name: &str) -> Option<Activity> {
    let function = without_abi(name).strip_prefix("runtime.")?;
    let outer = outer(function);
    if outer.starts_with(QUEUES) {
        return None;
    }
    if PHASES.contains(&outer) {
        return Some(GcControl);
    }
    if TIMERS.contains(&outer) {
        return Some(Timers);
    }
    let named = NAMES.iter().find(|(_, names)| names.contains(&outer));
    let begins = |prefixes: &[&str]| prefixes.iter().any(|p| function.starts_with(p));
    let known = named.or_else(|| PREFIXES.iter().find(|(_, prefixes)| begins(prefixes)));
    known.map(|(activity, _)| *activity)
}

/// What the runtime was doing in a stack, from its innermost function on: the innermost telling
/// function of the unbroken run of runtime functions there counts. Kernel functions on top of them
/// work for them. Beyond the run is the program, which did not ask for it.
pub fn stack_activity(
    leaf_to_root: impl IntoIterator<Item = (FunctionKind, Option<Activity>)>,
) -> Option<Activity> {
    let run = leaf_to_root
        .into_iter()
        .skip_while(|(kind, _)| *kind == FunctionKind::Kernel)
        .take_while(|(kind, _)| *kind == FunctionKind::GoRuntime);
    let mut found = None;
    for activity in run.filter_map(|(_, activity)| activity) {
        match (found, activity) {
            (None, _) => found = Some(activity),
            // Assists mark by the same functions as the workers.
            (Some(GcMark), GcAssist) => return Some(GcAssist),
            _ => {}
        }
    }
    found
}

/// `gcStart.func2` and `wakep.func1` belong to the function they are written in.
fn outer(function: &str) -> &str {
    function
        .split_once(".func")
        .map_or(function, |(outer, _)| outer)
}
