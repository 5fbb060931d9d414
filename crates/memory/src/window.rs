//! Bytes that were read before, over a memory that has the rest: walking a stack asks for many
//! small pieces of what one large read has brought.

use std::ops::Range;

use crate::{Memory, Piece, Unreadable};

/// A range of an address space at hand; reads beyond it go to the memory below.
#[derive(Debug)]
pub struct Window<'a, M> {
    /// The address of the first byte.
    pub start: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// What has the rest.
    pub below: &'a M,
    /// The address of another piece that is at hand, and the piece; it may be empty.
    pub also: (u64, &'a [u8]),
    /// Nothing from here on is read, be it at hand or not: a stack's end, for example.
    pub end: u64,
}

impl<M: Memory> Memory for Window<'_, M> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let len = buffer.len();
        let inside = (self.start..self.end).contains(&address);
        if inside && self.end - address < len as u64 {
            return Err(Unreadable { address, len });
        }
        let part = |start: u64, bytes: &'_ [u8]| -> Option<Range<usize>> {
            let at = usize::try_from(address.wrapping_sub(start)).ok()?;
            let end = at.checked_add(len).filter(|end| *end <= bytes.len())?;
            Some(at..end)
        };
        let own = part(self.start, self.bytes).map(|range| &self.bytes[range]);
        let (start, also) = self.also;
        let at_hand = own.or_else(|| part(start, also).map(|range| &also[range]));
        match at_hand {
            Some(bytes) => {
                buffer.copy_from_slice(bytes);
                Ok(())
            }
            None => self.below.read(address, buffer),
        }
    }

    fn gather(&self, pieces: &[Piece], buffer: &mut [u8]) -> Vec<bool> {
        self.below.gather(pieces, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Snapshot;

    #[test]
    fn what_is_at_hand_is_not_read_again() {
        let mut below = Snapshot::default();
        below.insert(90, &[1; 100]);
        let window = Window {
            start: 100,
            bytes: &[2; 20],
            below: &below,
            also: (1000, &[3; 10]),
            end: 150,
        };
        let read = |at, len| {
            let mut bytes = vec![0; len];
            window.read(at, &mut bytes).map(|()| bytes)
        };
        assert_eq!(read(100, 20), Ok(vec![2; 20]));
        assert_eq!(read(92, 4), Ok(vec![1; 4]));
        assert_eq!(read(110, 20), Ok(vec![1; 20]));
        assert!(read(140, 11).is_err());
        assert_eq!(read(150, 2), Ok(vec![1; 2]));
        assert_eq!(read(1002, 8), Ok(vec![3; 8]));
        assert!(read(1002, 9).is_err());
    }
}
