//! What the walk of a copied sample may read: the stack as it was copied, code, the runtime's
//! structures of the thread, and frames that are proven to have been there. Everything else of the
//! live process may have changed since and is refused.

use std::cell::RefCell;

use seam_memory::{Live, Memory, Unreadable};

use crate::ProcessMap;

/// Stands for the thread pointer, which without BPF is not known: only the slot of g is ever read
/// through it.
pub(super) const THREAD_POINTER: u64 = 1 << 62;

/// The memory of one sample.
pub(super) struct Sampled<'a> {
    pub(super) live: Live,
    pub(super) code: &'a ProcessMap,
    /// Where the copy begins, and the copy.
    pub(super) sp: u64,
    pub(super) copy: &'a [u8],
    /// The address of the slot of g, and g.
    pub(super) slot: Option<(u64, u64)>,
    /// The structures of this thread, read at the moment until which frames are proven: read any
    /// later, they may tell of another call.
    pub(super) structures: &'a [(u64, Vec<u8>)],
    /// The address of g0.sched.sp, where that was 0: the thread is in no callback now. It says
    /// nothing of the sample.
    pub(super) out_of_callbacks: Option<u64>,
    /// Frames that were there when the sample was taken.
    pub(super) proven: Option<(u64, &'a [u8])>,
    /// Addresses that were refused.
    pub(super) refused: RefCell<Vec<u64>>,
    /// Addresses that were read of what is proven.
    pub(super) used: RefCell<Vec<u64>>,
}

impl Sampled<'_> {
    fn structure(&self, address: u64, len: usize) -> Option<&[u8]> {
        if self.out_of_callbacks == Some(address) {
            return None;
        }
        let mut each = self.structures.iter();
        each.find_map(|(start, bytes)| piece(*start, bytes, address, len))
    }

    /// The slot of g, which stands for what the thread pointer leads to.
    fn slot(&self, address: u64, len: usize) -> Option<[u8; 8]> {
        let (at, g) = self.slot?;
        (at == address && len == 8).then(|| g.to_le_bytes())
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
        if let Some(g) = self.slot(address, len) {
            buffer.copy_from_slice(&g);
            return Ok(());
        }
        if let Some(bytes) = self.structure(address, len) {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        if self.code.find(address).is_some() {
            return self.live.read(address, buffer);
        }
        if address < THREAD_POINTER / 2 {
            self.refused.borrow_mut().push(address);
        }
        Err(Unreadable { address, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_those_of_one_moment() {
        let live = Live::new(std::process::id() as i32);
        let word = 2_u64;
        let at = std::ptr::from_ref(&word) as u64;
        let code = ProcessMap::default();
        let mut memory = Sampled {
            live: live.clone(),
            code: &code,
            sp: 0,
            copy: &[],
            slot: None,
            structures: &[(at, 1_u64.to_le_bytes().to_vec())],
            out_of_callbacks: None,
            proven: None,
            refused: RefCell::default(),
            used: RefCell::default(),
        };
        assert_eq!(live.word(at), Ok(2), "what is there now");
        assert_eq!(memory.word(at), Ok(1), "what was there");
        memory.out_of_callbacks = Some(at);
        assert!(memory.word(at).is_err());
        assert_eq!(*memory.refused.borrow(), [at]);
    }
}
