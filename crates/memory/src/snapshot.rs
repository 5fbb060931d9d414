//! Recorded pieces of an address space, for replaying a walk without the process.

use std::collections::BTreeMap;

use crate::{Memory, Unreadable};

/// Non-overlapping pieces of memory by start address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl Snapshot {
    /// Adds a piece; where it overlaps with older ones the newer bytes win.
    pub fn insert(&mut self, address: u64, bytes: &[u8]) {
        let Some(end) = address.checked_add(bytes.len() as u64) else {
            return;
        };
        let touching: Vec<u64> = self
            .pieces
            .range(..=end)
            .rev()
            .take_while(|(start, piece)| *start + piece.len() as u64 >= address)
            .map(|(start, _)| *start)
            .collect();
        let start = touching.last().copied().unwrap_or(address).min(address);
        let mut merged = Vec::new();
        for old in touching.iter().rev() {
            let piece = self.pieces.remove(old).expect("the key was just seen");
            merged.resize(merged.len().max((old - start) as usize + piece.len()), 0);
            merged[(old - start) as usize..][..piece.len()].copy_from_slice(&piece);
        }
        let at = (address - start) as usize;
        merged.resize(merged.len().max(at + bytes.len()), 0);
        merged[at..at + bytes.len()].copy_from_slice(bytes);
        self.pieces.insert(start, merged);
    }

    /// The pieces by rising address.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pieces
            .iter()
            .map(|(address, bytes)| (*address, bytes.as_slice()))
    }
}

impl Memory for Snapshot {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let unreadable = Unreadable {
            address,
            len: buffer.len(),
        };
        let (start, piece) = self
            .pieces
            .range(..=address)
            .next_back()
            .ok_or(unreadable)?;
        let skip = usize::try_from(address - start).map_err(|_| unreadable)?;
        let end = skip.checked_add(buffer.len()).ok_or(unreadable)?;
        buffer.copy_from_slice(piece.get(skip..end).ok_or(unreadable)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_and_newer_bytes_win() {
        let mut snapshot = Snapshot::default();
        snapshot.insert(100, &[1; 8]);
        snapshot.insert(108, &[2; 8]);
        snapshot.insert(104, &[3; 8]);
        snapshot.insert(200, &[4; 4]);
        let mut all = [0; 16];
        snapshot.read(100, &mut all).expect("joined");
        assert_eq!(all, [1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2]);
        assert_eq!(snapshot.pieces().count(), 2);
        assert!(snapshot.read(116, &mut [0]).is_err());
        assert!(snapshot.read(199, &mut [0; 2]).is_err());
    }
}
