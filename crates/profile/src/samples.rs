//! The samples, as columns.
//!
//! Owns one column per fact and the row type they are filled from and read back as. Times are
//! nanoseconds since the recording began.

use crate::ids::{FunctionId, LabelsId, NONE, StackId, StateId, ThreadId};

/// What was true of the thread at the moment of a sample, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SampleFlags(u8);

impl SampleFlags {
    /// Nothing noted.
    pub const NONE: Self = Self(0);
    /// It ran kernel code.
    pub const KERNEL_MODE: Self = Self(1);
    /// A goroutine was inside a C call.
    pub const IN_C: Self = Self(2);
    /// Its M held a P.
    pub const P_HELD: Self = Self(4);
    /// Its M had a P and lost it, as in a long C call.
    pub const P_LOST: Self = Self(8);
    /// The thread belongs to a Go runtime.
    pub const GO_THREAD: Self = Self(16);
    /// A return address on its stack was guessed.
    pub const GUESSED: Self = Self(32);
    /// Frames without unwind information were left by their frame pointers.
    pub const FRAME_POINTERS: Self = Self(64);

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// The Go side of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GoContext {
    /// Goroutine id, 0 when none.
    pub goid: u64,
    /// The runtime's id of the M, if known.
    pub m: Option<u32>,
    /// The P held, or held last, if known.
    pub p: Option<u32>,
    /// State of the goroutine.
    pub state: StateId,
    /// The function the goroutine was started with, if known.
    pub start_function: Option<FunctionId>,
    /// What the program has put on it (`runtime/pprof.Do`).
    pub labels: LabelsId,
}

impl GoContext {
    /// A thread without a goroutine.
    pub const NONE: Self = Self {
        goid: 0,
        m: None,
        p: None,
        state: StateId::NONE,
        start_function: None,
        labels: LabelsId::NONE,
    };
}

/// How the walk of a stack ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StackEnd {
    /// Code of the reason; the profile's quality holds its sentence.
    pub reason: u8,
    /// Frames walked but not kept.
    pub elided_frames: u32,
}

/// One sample as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRow {
    /// When, in nanoseconds since the recording began.
    pub time_ns: u64,
    /// How many equal samples it stands for, at least 1.
    pub weight: u32,
    /// What ran; none if not one frame was obtained.
    pub stack: Option<StackId>,
    /// On which thread.
    pub thread: ThreadId,
    /// On which CPU.
    pub cpu: u32,
    /// For which goroutine.
    pub go: GoContext,
    /// In what condition.
    pub flags: SampleFlags,
    /// How the walk ended.
    pub end: StackEnd,
}

/// All samples, in the order they were added.
#[derive(Clone, Debug, Default)]
pub struct SampleTable {
    time_ns: Vec<u64>,
    weight: Vec<u32>,
    stack: Vec<u32>,
    thread: Vec<ThreadId>,
    cpu: Vec<u32>,
    goid: Vec<u64>,
    m: Vec<u32>,
    p: Vec<u32>,
    state: Vec<u8>,
    start_function: Vec<u32>,
    labels: Vec<LabelsId>,
    flags: Vec<SampleFlags>,
    end_reason: Vec<u8>,
    elided_frames: Vec<u32>,
}

impl SampleTable {
    /// The number of rows; a row may stand for several samples, see [`SampleTable::weight_sum`].
    pub fn len(&self) -> usize {
        self.time_ns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.time_ns.is_empty()
    }

    /// The number of samples: the sum of all weights.
    pub fn weight_sum(&self) -> u64 {
        self.weight.iter().map(|weight| u64::from(*weight)).sum()
    }

    /// The sample in this row.
    ///
    /// # Panics
    /// When there are not that many.
    pub fn get(&self, row: usize) -> SampleRow {
        SampleRow {
            time_ns: self.time_ns[row],
            weight: self.weight[row],
            stack: StackId::unpack(self.stack[row]),
            thread: self.thread[row],
            cpu: self.cpu[row],
            go: GoContext {
                goid: self.goid[row],
                m: some(self.m[row]),
                p: some(self.p[row]),
                state: StateId::new(usize::from(self.state[row])),
                start_function: FunctionId::unpack(self.start_function[row]),
                labels: self.labels[row],
            },
            flags: self.flags[row],
            end: StackEnd {
                reason: self.end_reason[row],
                elided_frames: self.elided_frames[row],
            },
        }
    }

    /// All samples in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = SampleRow> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Stack and weight of every row: the two columns most analyses need.
    pub fn stacks(&self) -> impl ExactSizeIterator<Item = (Option<StackId>, u32)> + '_ {
        self.stack
            .iter()
            .zip(&self.weight)
            .map(|(stack, weight)| (StackId::unpack(*stack), *weight))
    }

    pub(crate) fn push(&mut self, row: SampleRow) {
        self.time_ns.push(row.time_ns);
        self.weight.push(row.weight);
        self.stack.push(StackId::pack(row.stack));
        self.thread.push(row.thread);
        self.cpu.push(row.cpu);
        self.goid.push(row.go.goid);
        self.m.push(row.go.m.unwrap_or(NONE));
        self.p.push(row.go.p.unwrap_or(NONE));
        self.state
            .push(u8::try_from(row.go.state.raw()).expect("at most 256 states are interned"));
        self.start_function
            .push(FunctionId::pack(row.go.start_function));
        self.labels.push(row.go.labels);
        self.flags.push(row.flags);
        self.end_reason.push(row.end.reason);
        self.elided_frames.push(row.end.elided_frames);
    }
}

fn some(raw: u32) -> Option<u32> {
    (raw != NONE).then_some(raw)
}
