//! The fields of the runtime's structures whose offsets seam knows, and a set of such offsets.

use serde::{Deserialize, Serialize};

/// mheap begins with a table of 64 KiB (`pageAlloc.chunks`, Go 1.19 to 1.27); what is read lies
/// behind it. Of the others the largest, p, has 14 KiB in Go 1.27.
const OFFSET_MAX: u64 = 0xf_ffff;
/// The value for a field that a version does not have.
pub(super) const NONE: u32 = u32::MAX;

/// The parts of a field's path: a structure and its member, then the member's structure and so on.
type Path = &'static [(&'static str, &'static str)];

macro_rules! fields {
    ($($name:ident = $($of:ident . $member:ident)/+,)*) => {
        /// A field of a structure of the runtime, as package runtime names it.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        pub enum Field {
            $(#[doc = concat!("`", $(stringify!($of.$member), " "),+, "`")] $name,)*
        }

        impl Field {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name of the variant.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// Structures of package runtime and members that lead to it.
            #[must_use]
            pub const fn path(self) -> Path {
                match self {
                    $(Self::$name => &[$((stringify!($of), stringify!($member))),+]),*
                }
            }
        }
    };
}

fields! {
    GStackLo = g.stack / stack.lo,
    GStackHi = g.stack / stack.hi,
    GM = g.m,
    GSchedSp = g.sched / gobuf.sp,
    GSchedPc = g.sched / gobuf.pc,
    GSchedG = g.sched / gobuf.g,
    GSchedCtxt = g.sched / gobuf.ctxt,
    GSchedBp = g.sched / gobuf.bp,
    GSyscallsp = g.syscallsp,
    GSyscallpc = g.syscallpc,
    GSyscallbp = g.syscallbp,
    GAtomicstatus = g.atomicstatus,
    GGoid = g.goid,
    GWaitsince = g.waitsince,
    GWaitreason = g.waitreason,
    GLockedm = g.lockedm,
    GParentGoid = g.parentGoid,
    GGopc = g.gopc,
    GAncestors = g.ancestors,
    GStartpc = g.startpc,
    GWaiting = g.waiting,
    GLabels = g.labels,
    MG0 = m.g0,
    MProcid = m.procid,
    MGsignal = m.gsignal,
    MCurg = m.curg,
    MP = m.p,
    MOldp = m.oldp,
    MId = m.id,
    MIncgo = m.incgo,
    MIsExtraInC = m.isExtraInC,
    MNcgocall = m.ncgocall,
    MNcgo = m.ncgo,
    MCgoCallers = m.cgoCallers,
    MAlllink = m.alllink,
    MLockedg = m.lockedg,
    PId = p.id,
    PStatus = p.status,
    PM = p.m,
    PTimers = p.timers,
    PWbBuf = p.wbBuf,
    GTimer = g.timer,
    SudogG = sudog.g,
    SudogNext = sudog.next,
    SudogElem = sudog.elem,
    SudogWaitlink = sudog.waitlink,
    SudogC = sudog.c,
    HchanQcount = hchan.qcount,
    HchanDataqsiz = hchan.dataqsiz,
    HchanElemsize = hchan.elemsize,
    HchanClosed = hchan.closed,
    HchanTimer = hchan.timer,
    HchanElemtype = hchan.elemtype,
    HchanRecvq = hchan.recvq / waitq.first,
    HchanSendq = hchan.sendq / waitq.first,
    PollDescFd = pollDesc.fd,
    PollDescRg = pollDesc.rg,
    PollDescWg = pollDesc.wg,
    PollDescRd = pollDesc.rd,
    PollDescWd = pollDesc.wd,
    TimerWhen = timer.when,
    TimerPeriod = timer.period,
    TimerF = timer.f,
    TimerArg = timer.arg,
    TimersHeap = timers.heap,
    MheapAllspans = mheap.allspans,
    MspanStartAddr = mspan.startAddr,
    MspanNpages = mspan.npages,
    MspanElemsize = mspan.elemsize,
    MspanState = mspan.state,
    MspanSpanclass = mspan.spanclass,
}

impl std::fmt::Display for Field {
    /// `g.sched.sp`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path();
        f.write_str(path.first().map_or("", |(of, _)| of))?;
        path.iter()
            .try_for_each(|(_, member)| write!(f, ".{member}"))
    }
}

/// Offsets of fields in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<u32>", try_from = "Vec<u32>")]
pub struct Offsets([u32; Field::ALL.len()]);

impl From<Offsets> for Vec<u32> {
    fn from(offsets: Offsets) -> Self {
        offsets.0.to_vec()
    }
}

impl TryFrom<Vec<u32>> for Offsets {
    type Error = String;

    fn try_from(offsets: Vec<u32>) -> Result<Self, String> {
        let known = Field::ALL.len();
        let all = offsets.try_into();
        all.map(Self)
            .map_err(|list: Vec<u32>| format!("{} offsets, not {known}", list.len()))
    }
}

impl Default for Offsets {
    fn default() -> Self {
        Self([NONE; Field::ALL.len()])
    }
}

impl Offsets {
    /// A field's offset; `None` where this version has no such field or nothing shows where.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<u32> {
        Some(self.0[field as usize]).filter(|offset| *offset != NONE)
    }

    pub(super) fn set(&mut self, field: Field, offset: Option<u64>) {
        let small = offset.filter(|offset| *offset <= OFFSET_MAX);
        self.0[field as usize] = small.map_or(NONE, |offset| offset as u32);
    }
}
