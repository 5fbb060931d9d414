//! Where a build keeps what a wait is read from. All of it may be unknown: what is, is not read.

use seam_go::{Field, Offsets};

/// The structures are read up to here: sudog and hchan have up to 120 bytes, Go 1.19 to 1.27.
pub(super) const BYTES_MAX: usize = 256;

/// Places in sudog, hchan, pollDesc and timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitLayout {
    /// `None` where this build's sudog and hchan are not known.
    pub(super) queue: Option<QueueLayout>,
    pub(super) poll: Option<PollLayout>,
    pub(super) timer_when: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueueLayout {
    pub(super) sudog_g: usize,
    pub(super) elem: usize,
    pub(super) waitlink: usize,
    pub(super) c: usize,
    pub(super) sudog_bytes: usize,
    pub(super) qcount: usize,
    pub(super) dataqsiz: usize,
    pub(super) elemsize: usize,
    pub(super) closed: usize,
    pub(super) timer: Option<usize>,
    pub(super) recvq: usize,
    pub(super) sendq: usize,
    pub(super) chan_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PollLayout {
    pub(super) fd: u64,
    pub(super) rg: u64,
    pub(super) wg: u64,
    pub(super) rd: Option<u64>,
    pub(super) wd: Option<u64>,
}

impl WaitLayout {
    /// The layout of a build of Go 1.`minor`.
    #[must_use]
    pub fn new(offsets: &Offsets, minor: Option<u32>) -> Self {
        Self {
            queue: QueueLayout::new(offsets, minor),
            poll: PollLayout::new(offsets),
            timer_when: offsets.get(Field::TimerWhen).map(u64::from),
        }
    }

    /// Bytes of a sudog that are read; 0 where it is not known.
    #[must_use]
    pub fn sudog_bytes(&self) -> usize {
        self.queue.map_or(0, |q| q.sudog_bytes)
    }
}

impl QueueLayout {
    fn new(offsets: &Offsets, minor: Option<u32>) -> Option<Self> {
        let at = |field| {
            let at = offsets.get(field)? as usize;
            (at < BYTES_MAX - 16).then_some(at)
        };
        // From Go 1.26 on both are a pair: a pointer that the collector may be made not to see, and
        // the address itself (maybeTraceablePtr, runtime/runtime2.go).
        let pair = if minor.is_none_or(|minor| minor >= 26) {
            8
        } else {
            0
        };
        let (elem, c) = (at(Field::SudogElem)? + pair, at(Field::SudogC)? + pair);
        let (sudog_g, waitlink) = (at(Field::SudogG)?, at(Field::SudogWaitlink)?);
        let (recvq, sendq) = (at(Field::HchanRecvq)?, at(Field::HchanSendq)?);
        Some(Self {
            sudog_g,
            elem,
            waitlink,
            c,
            sudog_bytes: [sudog_g, elem, waitlink, c]
                .into_iter()
                .max()?
                .next_multiple_of(8)
                + 8,
            qcount: at(Field::HchanQcount)?,
            dataqsiz: at(Field::HchanDataqsiz)?,
            elemsize: at(Field::HchanElemsize)?,
            closed: at(Field::HchanClosed)?,
            timer: at(Field::HchanTimer),
            recvq,
            sendq,
            chan_bytes: recvq.max(sendq).next_multiple_of(8) + 16,
        })
    }
}

impl PollLayout {
    fn new(offsets: &Offsets) -> Option<Self> {
        let at = |field| offsets.get(field).map(u64::from);
        Some(Self {
            fd: at(Field::PollDescFd)?,
            rg: at(Field::PollDescRg)?,
            wg: at(Field::PollDescWg)?,
            rd: at(Field::PollDescRd),
            wd: at(Field::PollDescWd),
        })
    }
}
