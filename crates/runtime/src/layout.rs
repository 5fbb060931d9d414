//! Where a g and an m of one build keep what is read of them, checked once so that reading a
//! structure can't fail.

use seam_go::{Field, Offsets};

use crate::goroutine::{Goroutine, Status};
use crate::{Error, Result};

/// Bytes of a g that the walk reads (`SEAM_G_BYTES`, bpf/wire.h): they are at hand then. A g has
/// some 440 bytes, Go 1.19 to 1.27.
const G_BYTES: usize = 376;

/// A place in a structure; the ones that a version may lack are options.
type At = usize;

/// The places that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    stack_lo: At,
    stack_hi: At,
    sched_sp: At,
    sched_pc: At,
    sched_bp: At,
    status: At,
    goid: At,
    m: At,
    syscall_sp: Option<At>,
    syscall_pc: Option<At>,
    wait_since: Option<At>,
    wait_reason: Option<At>,
    locked_m: Option<At>,
    parent: Option<At>,
    gopc: Option<At>,
    startpc: Option<At>,
    labels: Option<At>,
    waiting: Option<At>,
    timer: Option<At>,
    /// `m.procid`
    pub(crate) procid: Option<At>,
    /// `m.id`
    pub(crate) m_id: Option<At>,
    bytes: usize,
}

impl Layout {
    /// The layout of a build.
    ///
    /// # Errors
    /// When one of the fields without which nothing can be said is not known.
    pub fn new(offsets: &Offsets) -> Result<Self> {
        let maybe = |field| offsets.get(field).map(|at| at as usize);
        let sure = |field| maybe(field).ok_or(Error::Unknown(field));
        let last = [
            Field::GStackHi,
            Field::GSchedBp,
            Field::GAtomicstatus,
            Field::GGoid,
            Field::GM,
            Field::GSyscallpc,
            Field::GWaitreason,
            Field::GLockedm,
            Field::GParentGoid,
            Field::GGopc,
            Field::GStartpc,
            Field::GLabels,
            Field::GWaiting,
            Field::GTimer,
        ];
        let last = last.into_iter().filter_map(maybe).max().unwrap_or(0);
        Ok(Self {
            stack_lo: sure(Field::GStackLo)?,
            stack_hi: sure(Field::GStackHi)?,
            sched_sp: sure(Field::GSchedSp)?,
            sched_pc: sure(Field::GSchedPc)?,
            sched_bp: sure(Field::GSchedBp)?,
            status: sure(Field::GAtomicstatus)?,
            goid: sure(Field::GGoid)?,
            m: sure(Field::GM)?,
            syscall_sp: maybe(Field::GSyscallsp),
            syscall_pc: maybe(Field::GSyscallpc),
            wait_since: maybe(Field::GWaitsince),
            wait_reason: maybe(Field::GWaitreason),
            locked_m: maybe(Field::GLockedm),
            parent: maybe(Field::GParentGoid),
            gopc: maybe(Field::GGopc),
            startpc: maybe(Field::GStartpc),
            labels: maybe(Field::GLabels),
            waiting: maybe(Field::GWaiting),
            timer: maybe(Field::GTimer),
            procid: maybe(Field::MProcid),
            m_id: maybe(Field::MId),
            bytes: (last + 8).max(G_BYTES),
        })
    }

    /// Bytes of a g that are read.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether this build says which goroutine made one: from Go 1.21 on.
    #[must_use]
    pub fn has_parent(&self) -> bool {
        self.parent.is_some()
    }

    /// Whether this build's records of waiting are known (`g.waiting`).
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Where `g.sched.sp` lies, for the g0 of an M.
    #[must_use]
    pub fn sched_sp(&self) -> u64 {
        self.sched_sp as u64
    }

    /// Reads a g from its first bytes; fields beyond them are 0.
    #[must_use]
    pub fn goroutine(&self, address: u64, bytes: &[u8]) -> Goroutine {
        let word = |at: At| word(bytes, at);
        let maybe = |at: Option<At>| at.map_or(0, word);
        Goroutine {
            address,
            goid: word(self.goid),
            status: Status::of(word(self.status) as u32),
            wait_reason: self.wait_reason.map_or(0, |at| word(at) as u8),
            wait_since: maybe(self.wait_since),
            stack: word(self.stack_lo)..word(self.stack_hi),
            sched_sp: word(self.sched_sp),
            sched_pc: word(self.sched_pc),
            sched_bp: word(self.sched_bp),
            syscall_sp: maybe(self.syscall_sp),
            syscall_pc: maybe(self.syscall_pc),
            m: word(self.m),
            locked_m: maybe(self.locked_m),
            parent: maybe(self.parent),
            gopc: maybe(self.gopc),
            startpc: maybe(self.startpc),
            labels: maybe(self.labels),
            waiting: maybe(self.waiting),
            timer: maybe(self.timer),
        }
    }
}

/// A little-endian word; bytes that are not there are 0.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    let there = bytes.get(at..).unwrap_or_default();
    match there.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => partial(there),
    }
}

#[cold]
fn partial(there: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..there.len()].copy_from_slice(there);
    u64::from_le_bytes(word)
}
