//! The values of one look at a process.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU64;
use std::rc::Rc;

use seam_runtime::{Channel, Status, WaitKind, WaitsOn};

/// Nanoseconds.
pub type TimeNs = u64;
/// The number of a stack in [`Dump::stacks`].
pub type StackId = u32;

/// A look at a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    /// The process.
    pub pid: i32,
    /// Its name.
    pub name: String,
    /// Its Go runtimes, as `Go 1.26.8`, or `Go 1.26.8 in libx.so` where there are several.
    pub go: Vec<String>,
    /// How long reading took.
    pub read_ns: TimeNs,
    /// It was read from a core file.
    pub core: bool,
    /// When that was, on the clock of deadlines and timers; 0 where that is not known: in a core.
    pub now_ns: TimeNs,
    /// Goroutines in the order of the runtimes' lists.
    pub goroutines: Vec<Goroutine>,
    /// What goroutines wait on; each has a range of it.
    pub waits: Vec<WaitsOn>,
    /// The channels among that.
    pub channels: HashMap<u64, Channel>,
    /// The timers that run, soonest first; empty unless they were asked for.
    pub timers: Vec<Timer>,
    /// What the descriptors among that are.
    pub descriptors: BTreeMap<i32, String>,
    /// Threads by id.
    pub threads: Vec<Thread>,
    /// Every stack that occurs, once.
    pub stacks: Vec<Stack>,
    /// What was not seen, or not for sure.
    pub counts: Counts,
    /// Sentences about what could not be read.
    pub notes: Vec<String>,
}

/// What was not seen, or not for sure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Goroutines that changed each time they were looked at.
    pub moving: u64,
    /// Goroutines in C or in a system call of which only the Go frames are known.
    pub go_only: u64,
    /// Entries of the list that can't be read or make no sense.
    pub unreadable: u64,
    /// Entries without a goroutine.
    pub dead: u64,
    /// Goroutines that do not run and whose stack has no root.
    pub not_whole: u64,
}

/// How far a stack can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trust {
    /// It held still while it was read.
    Certain,
    /// The Go frames held still; what its thread does in C or in a system call is not known.
    GoOnly,
    /// It changed while it was read: the stack need not be one that ever was.
    Moving,
    /// It runs: its stack is that of a sample, a moment before or after all else was read.
    Sampled,
    /// It runs, or is ready to: its stack can't be read from outside.
    Running,
}

/// A goroutine. There may be millions: what many have in common is kept once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goroutine {
    /// What it has in common with others.
    pub common: Rc<Common>,
    /// Its number.
    pub goid: u64,
    /// It has waited at most about this many nanoseconds.
    pub waited_at_most_ns: Option<NonZeroU64>,
    /// The thread that runs it has slept this many nanoseconds.
    pub asleep_ns: Option<NonZeroU64>,
    /// Its stack; `None` where there is none to be had.
    pub stack: Option<StackId>,
    /// How far that can be relied on.
    pub trust: Trust,
    /// The goroutine that made it; `None` where the runtime itself did, or this Go does not say.
    pub parent: Option<NonZeroU64>,
    /// The thread that runs it.
    pub thread: Option<i32>,
    /// It is locked to a thread.
    pub locked: bool,
    /// What kind of wait its state is.
    pub kind: WaitKind,
    /// What it waits on: a range of [`Dump::waits`].
    pub waits: Waits,
}

/// What goroutines of one kind have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Common {
    /// The place of their runtime in [`Dump::go`].
    pub runtime: u8,
    /// What they are doing.
    pub status: Status,
    /// The runtime's words for their state: what they wait for, or the status.
    pub state: Rc<str>,
    /// Where they were made: the function, file and line of the go statement.
    pub creator: Option<Rc<Placed>>,
    /// Their first function.
    pub start: Option<Rc<str>>,
    /// Their labels, by key.
    pub labels: Rc<[(String, String)]>,
}

/// A timer that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Where its record lies.
    pub address: u64,
    /// When it ends, on the clock of [`Dump::now_ns`].
    pub when_ns: TimeNs,
    /// Time from end to end of a ticker; 0 for others.
    pub period_ns: TimeNs,
    /// What it calls: for time.AfterFunc the program's function.
    pub calls: Option<Rc<str>>,
    /// The channel that it sends on.
    pub channel: Option<u64>,
}

/// A range of [`Dump::waits`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Waits {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// There may be more.
    pub cut: bool,
}

impl Dump {
    /// What a goroutine waits on: several for select, nothing where that is not known.
    #[must_use]
    pub fn waits_on(&self, goroutine: &Goroutine) -> &[WaitsOn] {
        let first = goroutine.waits.first as usize;
        let end = first.saturating_add(goroutine.waits.count as usize);
        self.waits.get(first..end).unwrap_or_default()
    }
}

impl Goroutine {
    /// Whether it is one of the runtime's own (`isSystemGoroutine`, runtime/traceback.go, Go 1.19
    /// to 1.27, as far as the start function tells).
    #[must_use]
    pub fn is_the_runtimes(&self) -> bool {
        let start = self.common.start.as_deref().unwrap_or_default();
        let users = [
            "runtime.main",
            "runtime.corostart",
            "runtime.handleAsyncEvent",
        ];
        start.starts_with("runtime.") && !users.contains(&start)
    }
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its id.
    pub tid: i32,
    /// Its name.
    pub name: String,
    /// proc(5): `R` runs or could, `S` sleeps, `D` waits for a device, `T` is stopped.
    pub state: char,
    /// CPU time so far.
    pub cpu_ns: TimeNs,
    /// How long it has not run.
    pub asleep_ns: Option<TimeNs>,
    /// The system call that it is in, and on what.
    pub waits_in: Option<String>,
    /// The kernel's function in which it waits.
    pub wchan: String,
    /// The kernel's functions, innermost first; empty where they are not known or not asked for.
    pub kernel: Vec<String>,
    /// The goroutine that it runs.
    pub goid: Option<u64>,
    /// Its user stack.
    pub stack: Option<StackId>,
    /// How far that can be relied on.
    pub trust: Trust,
}

/// A function at a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Placed {
    /// The function.
    pub function: Rc<str>,
    /// The file, empty when unknown.
    pub file: Rc<str>,
    /// The line, 0 when unknown.
    pub line: u32,
}

/// What kind of code a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Go.
    Go,
    /// Go's runtime.
    Runtime,
    /// C and everything else with a name.
    C,
    /// An address without a name.
    Unknown,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Where it is.
    pub place: Placed,
    /// What kind of code that is.
    pub kind: Kind,
    /// It was inlined into the next one.
    pub inlined: bool,
    /// The compiler made it to wrap another function; the runtime's own dump leaves it out.
    pub wrapper: bool,
}

impl Frame {
    /// Whether it is code of the runtime. What the runtime implements for other packages
    /// (time.Sleep, sync.runtime_Semacquire) is among its files.
    #[must_use]
    pub fn of_the_runtime(&self) -> bool {
        let file = &*self.place.file;
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.kind == Kind::Runtime || folder == "runtime" || folder.ends_with("/src/runtime")
    }
}

/// Frames that are kept of a very deep stack before some are left out (`SEAM_LEAF_FRAMES`,
/// bpf/wire.h), inlined calls aside.
const LEAF_FRAMES: usize = 384;

impl Stack {
    /// Before which frame some were left out; `None` where all are there.
    #[must_use]
    pub fn gap(&self) -> Option<usize> {
        let all = self.frames.iter().enumerate();
        let mut called = all.filter(|(_, frame)| !frame.inlined);
        let (last, _) = called.nth(LEAF_FRAMES - 1)?;
        (self.elided > 0).then_some(last + 1)
    }
}

/// A stack, innermost frame first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stack {
    /// The frames.
    pub frames: Vec<Rc<Frame>>,
    /// Frames that were left out of a very deep one, behind the innermost that are kept. Calls that
    /// were inlined into them are not counted.
    pub elided: u32,
    /// The name of the reason for which it ends.
    pub end: &'static str,
    /// Where it ends a stack begins.
    pub whole: bool,
}
