//! What the Go runtime is busy with, by function identity.
//!
//! Owns the lists of functions that mean collecting, looking for work, or scheduling. Names were
//! read in Go 1.19 to 1.27; an unknown name means no particular activity.

use crate::cgo_names::without_abi;

/// What the Go runtime is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Activity {
    /// Garbage collection: marking, sweeping, assists, write barriers, returning memory.
    Gc,
    /// An M without work that looks for some.
    Idle,
    /// Choosing and switching goroutines, starting and stopping Ms.
    Scheduler,
}

const GC: [&str; 16] = [
    "bgsweep",
    "bgscavenge",
    "scanobject",
    "scanObject",
    "scanObjectSmall",
    "scanObjectsSmall",
    "scanblock",
    "scanstack",
    "scanSpan",
    "greyobject",
    "shade",
    "sweepone",
    "wbBufFlush",
    "wbBufFlush1",
    "bulkBarrierPreWrite",
    "deductSweepCredit",
];
const GC_PREFIXES: [&str; 6] = [
    "gc",
    "markroot",
    "(*gc",
    "(*sweepLocke",
    "(*mheap).reclaim",
    "(*spanInlineMarkBits)",
];
const IDLE: [&str; 5] = [
    "findRunnable",
    "findrunnable",
    "stealWork",
    "runqgrab",
    "stopm",
];
const SCHEDULER: [&str; 19] = [
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
];

/// The activity that a function of the Go runtime stands for by itself.
pub fn activity(name: &str) -> Option<Activity> {
    let function = without_abi(name).strip_prefix("runtime.")?;
    let is = |list: &[&str]| list.contains(&outer(function));
    if is(&IDLE) {
        Some(Activity::Idle)
    } else if is(&GC)
        || GC_PREFIXES
            .iter()
            .any(|prefix| function.starts_with(prefix))
    {
        Some(Activity::Gc)
    } else if is(&SCHEDULER) {
        Some(Activity::Scheduler)
    } else {
        None
    }
}

/// `gcStart.func2` and `wakep.func1` belong to the function they are written in.
fn outer(function: &str) -> &str {
    function
        .split_once(".func")
        .map_or(function, |(outer, _)| outer)
}
