//! The one interface to a target's bytes: a live process, a core file or a recorded snapshot.
//!
//! Reading never stops, signals or writes to the target. What the bytes mean is decided elsewhere.

mod core;
mod live;
mod objects;
mod opened;
mod reach;
mod resident;
mod snapshot;
mod source;
mod window;

pub use core::{Core, CoreError, CoreFile, CoreSegment, CoreThread};
pub use live::Live;
pub use objects::Objects;
pub use opened::Opened;
pub use reach::{proc_path, reached_by};
pub use resident::{Resident, swapped_out_kib};
pub use snapshot::Snapshot;
pub use source::Source;
pub use window::Window;

/// A read that could not be served whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes at {address:#x} can't be read")]
pub struct Unreadable {
    /// First address asked for.
    pub address: u64,
    /// Bytes asked for.
    pub len: usize,
}

/// Bytes of an address space.
pub trait Memory {
    /// Fills `buffer` from `address`; all of it or an error.
    ///
    /// # Errors
    /// When any of the bytes is not mapped, not readable or not recorded.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable>;

    /// A little-endian word.
    ///
    /// # Errors
    /// As [`Memory::read`].
    fn word(&self, address: u64) -> Result<u64, Unreadable> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads many pieces at once into `buffer`, one behind the other, and says of each whether it
    /// was read whole. `buffer` must have room for all of them; of pieces beyond its end, and of
    /// those that can't be read, the bytes are of no meaning.
    fn gather(&self, pieces: &[Piece], buffer: &mut [u8]) -> Vec<bool> {
        let mut rest = buffer;
        let read = |piece: &Piece| {
            let taken = std::mem::take(&mut rest);
            let Some((bytes, after)) = taken.split_at_mut_checked(piece.len) else {
                return false;
            };
            rest = after;
            self.read(piece.address, bytes).is_ok()
        };
        pieces.iter().map(read).collect()
    }
}

/// A range of an address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Piece {
    /// First address.
    pub address: u64,
    /// Bytes.
    pub len: usize,
}
