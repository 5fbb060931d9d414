//! What the walk of a copied sample may read: the stack as it was copied, code, the runtime's
//! structures of the thread, and frames that are proven to have been there. Everything else of the
//! live process may have changed since and is refused.

use std::cell::RefCell;
use std::ops::Range;

use seam_memory::{Live, Memory, Unreadable};

use crate::ProcessMap;

/// Stands for the thread pointer, which without BPF is not known: only the slot of g is ever read
/// through it.
pub(super) const THREAD_POINTER: u64 = 1 << 62;
/// As in `machines`.
const STRUCTURE_BYTES: u64 = 512;

/// The memory of one sample.
pub(super) struct Sampled<'a> {
    pub(super) live: Live,
    pub(super) code: &'a ProcessMap,
    /// Where the copy begins, and the copy.
    pub(super) sp: u64,
    pub(super) copy: &'a [u8],
    /// The address of the slot of g, and g.
    pub(super) slot: Option<(u64, u64)>,
    /// The structures of this thread.
    pub(super) structures: &'a [u64],
    /// Frames that were there when the sample was taken.
    pub(super) proven: Option<(u64, &'a [u8])>,
    /// Addresses that were refused.
    pub(super) refused: RefCell<Vec<u64>>,
    /// Addresses that were read of what is proven.
    pub(super) used: RefCell<Vec<u64>>,
}

impl Sampled<'_> {
    fn own(&self, address: u64) -> bool {
        let within = |start: u64| (start..start.saturating_add(STRUCTURE_BYTES)).contains(&address);
        self.structures.iter().any(|s| *s != 0 && within(*s)) || self.code.find(address).is_some()
    }
}

/// Bytes of a range that begins at `start`; `None` where it has not all of them.
fn piece(start: u64, bytes: &[u8], address: u64, len: usize) -> Option<&[u8]> {
    let at = usize::try_from(address.checked_sub(start)?).ok()?;
    bytes.get(at..at.checked_add(len)?)
}

impl Memory for Sampled<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let len = buffer.len();
        if let Some(bytes) = piece(self.sp, self.copy, address, len) {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        if let Some((start, bytes)) = self.proven
            && let Some(bytes) = piece(start, bytes, address, len)
        {
            self.used.borrow_mut().push(address);
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        let slot: Option<Range<u64>> = self.slot.map(|(at, _)| at..at + 8);
        if slot.is_some_and(|slot| slot.start == address && len == 8) {
            let g = self.slot.map_or(0, |(_, g)| g);
            buffer.copy_from_slice(&g.to_le_bytes());
            return Ok(());
        }
        if self.own(address) {
            return self.live.read(address, buffer);
        }
        if address < THREAD_POINTER / 2 {
            self.refused.borrow_mut().push(address);
        }
        Err(Unreadable { address, len })
    }
}
