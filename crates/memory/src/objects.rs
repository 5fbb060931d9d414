//! Objects of one size, wherever they lie. Allocators put such side by side, so most have a
//! neighbour that is wanted, too: they are read as one piece, which costs the kernel as much as one
//! of them.

use crate::{Memory, Piece};

/// Bytes that are read as one piece at most, and the room between two objects that is read with
/// them.
const RUN_BYTES: u64 = 32 << 10;
const GAP_BYTES: u64 = 128;

/// The bytes of some objects. Reading again uses the same memory: to allot and clear it would take
/// as long as to read.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    bytes: Vec<u8>,
    /// Of each object in which place of `bytes` it begins.
    places: Vec<Option<usize>>,
    len: usize,
}

impl Objects {
    /// Reads objects of `len` bytes at some addresses, in any order.
    pub fn read<M: Memory>(&mut self, memory: &M, addresses: &[u64], len: usize) {
        self.len = len;
        self.places.clear();
        self.places.resize(addresses.len(), None);
        let mut order: Vec<u32> = (0..addresses.len() as u32).collect();
        if !addresses.is_sorted() {
            order.sort_unstable_by_key(|at| addresses[*at as usize]);
        }
        let missing = self.runs(memory, addresses, &order, RUN_BYTES, 0);
        // Of a run that can't be read whole each is read by itself.
        if !missing.is_empty() {
            let used = self.places.iter().flatten().max().map_or(0, |at| at + len);
            self.runs(memory, addresses, &missing, 0, used);
        }
    }

    /// An object by its place among the addresses; `None` where it can't be read.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        let place = (*self.places.get(at)?)?;
        self.bytes.get(place..place.checked_add(self.len)?)
    }

    /// All of them, in the order of the addresses.
    pub fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        (0..self.places.len()).map(|at| self.get(at))
    }

    /// Reads those of `order`, by ascending addresses, behind the first `used` bytes; gives those
    /// of which nothing is known then.
    fn runs<M: Memory>(
        &mut self,
        memory: &M,
        addresses: &[u64],
        order: &[u32],
        run_bytes: u64,
        used: usize,
    ) -> Vec<u32> {
        let len = self.len;
        let mut pieces: Vec<Piece> = Vec::new();
        // How many objects are in each.
        let mut members: Vec<usize> = Vec::new();
        for at in order {
            let address = addresses[*at as usize];
            // A list of nonsense may name the end of the address space: nothing is there.
            let end = address.checked_add(len as u64);
            if let (Some(piece), Some(count), Some(end)) =
                (pieces.last_mut(), members.last_mut(), end)
                && end - piece.address <= run_bytes
                && address.saturating_sub(piece.address.saturating_add(piece.len as u64))
                    <= GAP_BYTES
            {
                piece.len = piece.len.max((end - piece.address) as usize);
                *count += 1;
                continue;
            }
            pieces.push(Piece { address, len });
            members.push(1);
        }
        let all: usize = pieces.iter().map(|piece| piece.len).sum();
        if self.bytes.len() < used + all {
            self.bytes.resize(used + all, 0);
        }
        let read = memory.gather(&pieces, &mut self.bytes[used..used + all]);
        let (mut start, mut order, mut missing) = (used, order, Vec::new());
        for ((piece, members), read) in pieces.into_iter().zip(members).zip(read) {
            let own = start;
            let (its, others) = order.split_at(members);
            (start, order) = (start + piece.len, others);
            for at in its {
                if read {
                    let inside = addresses[*at as usize] - piece.address;
                    self.places[*at as usize] = Some(own + inside as usize);
                } else {
                    missing.push(*at);
                }
            }
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{Snapshot, Unreadable};

    /// Counts what it is asked for.
    struct Counted {
        below: Snapshot,
        pieces: Cell<usize>,
    }

    impl Memory for Counted {
        fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
            self.pieces.set(self.pieces.get() + 1);
            self.below.read(address, buffer)
        }
    }

    fn memory(ranges: &[(u64, u64)]) -> Counted {
        let mut below = Snapshot::default();
        for (start, end) in ranges {
            let bytes: Vec<u8> = (*start..*end).map(|at| at as u8).collect();
            below.insert(*start, &bytes);
        }
        Counted {
            below,
            pieces: Cell::new(0),
        }
    }

    fn firsts(objects: &Objects) -> Vec<Option<u8>> {
        objects.iter().map(|object| Some(object?[0])).collect()
    }

    #[test]
    fn neighbours_are_read_at_once_in_any_order() {
        let memory = memory(&[(1000, 1100), (5000, 5010)]);
        let mut objects = Objects::default();
        objects.read(&memory, &[1020, 1000, 5000, 1040, 1020], 10);
        let bytes = |at: u64| Some(at as u8);
        let expected = [1020, 1000, 5000, 1040, 1020].map(bytes);
        assert_eq!(firsts(&objects), expected);
        assert_eq!(objects.get(3).map(<[u8]>::len), Some(10));
        assert_eq!(memory.pieces.get(), 2);
        // Memory that is used again has nothing of what was there.
        objects.read(&memory, &[5000, 9000], 10);
        assert_eq!(firsts(&objects), [bytes(5000), None]);
        assert_eq!(objects.get(2), None);
    }

    #[test]
    fn a_hole_takes_only_what_lies_in_it() {
        let memory = memory(&[(1000, 1010), (1030, 1040)]);
        let mut objects = Objects::default();
        objects.read(&memory, &[1000, 1012, 1030, u64::MAX - 4, u64::MAX], 10);
        let read = [Some(1000u64 as u8), None, Some(1030u64 as u8), None, None];
        assert_eq!(firsts(&objects), read);
    }
}
