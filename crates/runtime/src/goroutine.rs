//! One goroutine as its g describes it.

use std::ops::Range;

/// `_Gscan` (runtime/runtime2.go): a lock bit beside the status, set while the stack is scanned.
const SCAN: u32 = 0x1000;

/// What a goroutine is doing (runtime/runtime2.go, `_Gidle` and the following, Go 1.19 to 1.27).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the runtime's own words")]
pub enum Status {
    Idle,
    Runnable,
    Running,
    Syscall,
    Waiting,
    Dead,
    Copystack,
    Preempted,
    /// Go 1.26 and newer: the collector has found that nothing can wake it.
    Leaked,
    /// Go 1.26 and newer: a C thread's goroutine between two callbacks.
    DeadExtra,
    /// None of them.
    Unknown(u32),
}

impl Status {
    /// The status that `g.atomicstatus` holds.
    #[must_use]
    pub fn of(word: u32) -> Self {
        match word & !SCAN {
            0 => Self::Idle,
            1 => Self::Runnable,
            2 => Self::Running,
            3 => Self::Syscall,
            4 => Self::Waiting,
            6 => Self::Dead,
            8 => Self::Copystack,
            9 => Self::Preempted,
            10 => Self::Leaked,
            11 => Self::DeadExtra,
            other => Self::Unknown(other),
        }
    }

    /// The runtime's word for it (`gStatusStrings`, runtime/traceback.go).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Runnable => "runnable",
            Self::Running => "running",
            Self::Syscall => "syscall",
            Self::Waiting => "waiting",
            Self::Dead => "dead",
            Self::Copystack => "copystack",
            Self::Preempted => "preempted",
            Self::Leaked => "leaked",
            Self::DeadExtra => "waiting for cgo callback",
            Self::Unknown(_) => "???",
        }
    }

    /// Whether there is a goroutine: a dead g is kept by the runtime for the next one.
    #[must_use]
    pub fn lives(self) -> bool {
        !matches!(self, Self::Idle | Self::Dead | Self::DeadExtra)
    }

    /// Whether no thread runs it, and `g.sched` says where it goes on.
    #[must_use]
    pub fn parked(self) -> bool {
        matches!(
            self,
            Self::Runnable | Self::Waiting | Self::Preempted | Self::Leaked | Self::Copystack
        )
    }
}

/// What a g says. Addresses are those of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goroutine {
    /// Where the g lies.
    pub address: u64,
    /// Its number.
    pub goid: u64,
    /// What it is doing.
    pub status: Status,
    /// Index of what it waits for, while it waits.
    pub wait_reason: u8,
    /// When the collector first saw it blocked, in the runtime's time; 0 = not yet.
    pub wait_since: u64,
    /// Its stack.
    pub stack: Range<u64>,
    /// `g.sched.sp`
    pub sched_sp: u64,
    /// `g.sched.pc`
    pub sched_pc: u64,
    /// `g.sched.bp`
    pub sched_bp: u64,
    /// Where it entered a system call or C; 0 outside of one.
    pub syscall_sp: u64,
    /// The same, the pc.
    pub syscall_pc: u64,
    /// Its M, while one runs it.
    pub m: u64,
    /// The M that it is locked to.
    pub locked_m: u64,
    /// The goroutine that made it; 0 where that is not known.
    pub parent: u64,
    /// The return address of the go statement that made it.
    pub gopc: u64,
    /// Its first function.
    pub startpc: u64,
    /// Its labels.
    pub labels: u64,
    /// Its first sudog, while it waits on channels.
    pub waiting: u64,
    /// The timer of its time.Sleep, if it ever slept.
    pub timer: u64,
}

/// Where a goroutine's stack begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where it goes on.
    pub pc: u64,
    /// The stack pointer there.
    pub sp: u64,
    /// The frame pointer there, 0 where it is not known.
    pub bp: u64,
}

impl Goroutine {
    /// Where its Go frames begin; `None` while a thread runs Go code of it, or where the stack
    /// pointer does not lie on its stack.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let place = match self.status {
            status if status.parked() => Place {
                pc: self.sched_pc,
                sp: self.sched_sp,
                bp: self.sched_bp,
            },
            Status::Syscall => Place {
                pc: self.syscall_pc,
                sp: self.syscall_sp,
                bp: 0,
            },
            _ => return None,
        };
        self.stack.contains(&place.sp).then_some(place)
    }

    /// Whether this can be a g at all.
    #[must_use]
    pub fn plausible(&self) -> bool {
        // User addresses of x86-64 have 47 bits, or 56 with five levels of page tables.
        let pointers = [self.stack.end, self.m, self.sched_pc, self.startpc];
        !matches!(self.status, Status::Unknown(other) if other != 5 && other != 7)
            && self.goid < 1 << 62
            && self.stack.start <= self.stack.end
            && pointers.iter().all(|p| *p < 1 << 56)
    }

    /// Whether nothing has happened to it between two looks, as far as its g tells.
    #[must_use]
    pub fn same_as(&self, later: &Self) -> bool {
        let key = |g: &Self| {
            let sched = (g.sched_sp, g.sched_pc, g.stack.clone());
            (
                g.goid,
                g.status,
                g.wait_reason,
                g.waiting,
                g.m,
                g.syscall_sp,
                sched,
            )
        };
        key(self) == key(later)
    }
}
