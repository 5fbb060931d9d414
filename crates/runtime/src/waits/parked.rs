//! Records that only the stack of a parked goroutine leads to: the sudog of a semaphore (up to Go
//! 1.25) and netpoll's record of a descriptor. The functions that wait keep both in their frames,
//! since they use them afterwards (semacquire1, notifyListWait, poll_runtime_pollWait). A word
//! there is the record if the record names the goroutine.

use std::collections::HashMap;

use seam_memory::Memory;

use super::{Deadline, Parked, WaitKind, Waits, WaitsOn, plausible, structures};
use crate::layout::word;

/// In which word of the stack records were found, by the place where goroutines are parked and the
/// kind of record.
pub(super) type Slots = HashMap<(u64, WaitKind, Record), usize>;

/// The kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Record {
    Sudog,
    Poll,
    List,
}

/// sync.notifyList begins with two numbers and a lock (runtime/sema.go, Go 1.19 to 1.27).
const LIST_HEAD: usize = 16;
const LIST_TAIL: usize = 24;
/// Where it lies in sync.Cond (sync/cond.go).
const LIST_IN_COND: u64 = 16;

impl Waits {
    /// The sudog of a goroutine that waits on a semaphore, and the semaphore.
    pub(super) fn semaphore(
        &mut self,
        memory: &impl Memory,
        parked: &Parked,
    ) -> Option<(u64, Option<WaitsOn>)> {
        let layout = self.layout.queue?;
        let is_sudog = |sudog: &[u8]| word(sudog, layout.sudog_g) == parked.g;
        let bytes = layout.sudog_bytes;
        let (sudog, found) = self.find(memory, parked, Record::Sudog, bytes, is_sudog)?;
        let address = match parked.kind {
            // Up to Go 1.25 the sudog does not say which list it is in.
            WaitKind::Cond => self.list(memory, parked, sudog),
            _ => Some(word(&found, layout.elem)).filter(|a| *a != 0),
        };
        Some((sudog, address.map(|address| WaitsOn::Semaphore { address })))
    }

    /// The list of a sync.Cond that a sudog is in: its frame has the Cond.
    pub(super) fn list(
        &mut self,
        memory: &impl Memory,
        parked: &Parked,
        sudog: u64,
    ) -> Option<u64> {
        let cond = |cond: &[u8]| {
            let list = LIST_IN_COND as usize;
            [LIST_HEAD, LIST_TAIL]
                .map(|at| word(cond, list + at))
                .contains(&sudog)
        };
        let known = (parked.pc, parked.kind, Record::List);
        if let Some((address, _)) = self.find(memory, parked, Record::List, 56, cond) {
            return Some(address + LIST_IN_COND);
        }
        // Neither first nor last in its list: the slot is known from one that was.
        let slot = *self.slots.get(&known)?;
        let address = *parked.top.get(slot)?;
        let head = memory.word(address.wrapping_add(LIST_IN_COND + LIST_HEAD as u64));
        (plausible(address) && head.is_ok_and(plausible)).then_some(address + LIST_IN_COND)
    }

    /// The descriptor that a goroutine waits for.
    pub(super) fn descriptor(&mut self, memory: &impl Memory, parked: &Parked) -> Option<WaitsOn> {
        let layout = self.layout.poll?;
        let at = |record: &[u8], offset: u64| word(record, offset as usize);
        let last = [
            Some(layout.fd),
            Some(layout.rg),
            Some(layout.wg),
            layout.rd,
            layout.wd,
        ];
        let bytes = last.into_iter().flatten().max()? as usize + 8;
        // Larger than any of these versions'.
        if bytes > 1024 {
            return None;
        }
        let names = |record: &[u8]| {
            [layout.rg, layout.wg]
                .map(|o| at(record, o))
                .contains(&parked.g)
        };
        let (_, record) = self.find(memory, parked, Record::Poll, bytes, names)?;
        let write = at(&record, layout.wg) == parked.g;
        let deadline = if write { layout.wd } else { layout.rd };
        Some(WaitsOn::Descriptor {
            fd: at(&record, layout.fd) as i32,
            write,
            deadline: match deadline.map(|offset| at(&record, offset) as i64) {
                None => Deadline::Unknown,
                Some(0) => Deadline::None,
                Some(when) if when < 0 => Deadline::Passed,
                Some(when) => Deadline::At(when as u64),
            },
        })
    }

    /// The first record among the words of a stack for which `is` holds, and its bytes.
    fn find(
        &mut self,
        memory: &impl Memory,
        parked: &Parked,
        record: Record,
        bytes: usize,
        is: impl Fn(&[u8]) -> bool,
    ) -> Option<(u64, Vec<u8>)> {
        let key = (parked.pc, parked.kind, record);
        if let Some(slot) = self.slots.get(&key) {
            let address = parked.top.get(*slot).copied().filter(|a| plausible(*a));
            let mut known = vec![0; bytes];
            if let Some(address) = address
                && memory.read(address, &mut known).is_ok()
                && is(&known)
            {
                return Some((address, known));
            }
        }
        let slots = parked.top.iter().enumerate();
        let slots: Vec<_> = slots.filter(|(_, word)| plausible(**word)).collect();
        let addresses: Vec<u64> = slots.iter().map(|(_, word)| **word).collect();
        let read = structures(memory, &addresses, bytes);
        let mut each = slots.into_iter().zip(read.iter());
        let (slot, address, found) = each.find_map(|((slot, address), bytes)| {
            Some((slot, *address, bytes.filter(|bytes| is(bytes))?.to_vec()))
        })?;
        self.slots.entry(key).or_insert(slot);
        Some((address, found))
    }
}
