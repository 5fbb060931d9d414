//! The runtime's list of all goroutines. Entries are never taken off it: dead ones are used again.

use seam_memory::{Memory, Piece};

use crate::layout::word;
use crate::{Error, Result};

/// More goroutines than a process has: at 2 KiB of stack each, 32 GiB.
const GOROUTINES_MAX: u64 = 1 << 24;

/// Where the pointers to all g lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoroutineList {
    entries: u64,
    len: u64,
}

impl GoroutineList {
    /// Reads `allglen`, then `allgptr`, as `atomicAllG` does (runtime/proc.go): the array may be
    /// replaced by a longer one, never by a shorter one.
    ///
    /// # Errors
    /// When they can't be read, or can't be these variables.
    pub fn read(memory: &impl Memory, allglen: u64, allgptr: u64) -> Result<Self> {
        let len = memory
            .word(allglen)
            .map_err(Error::memory("runtime.allglen"))?;
        let entries = memory
            .word(allgptr)
            .map_err(Error::memory("runtime.allgptr"))?;
        if len > GOROUTINES_MAX || entries % 8 != 0 || entries >= 1 << 56 {
            return Err(Error::Nonsense {
                what: "runtime.allgs",
                address: allglen,
                found: format!("{len} entries at {entries:#x}"),
            });
        }
        Ok(Self { entries, len })
    }

    /// Number of entries, dead goroutines included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none: the runtime is just starting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The addresses of some g's, at most `count` from the entry number `first` on.
    ///
    /// # Errors
    /// When the array can't be read.
    pub fn addresses(&self, memory: &impl Memory, first: u64, count: u64) -> Result<Vec<u64>> {
        let count = count.min(self.len.saturating_sub(first)) as usize;
        let piece = Piece {
            address: self.entries.wrapping_add(8 * first),
            len: 8 * count,
        };
        let mut bytes = vec![0; piece.len];
        memory
            .read(piece.address, &mut bytes)
            .map_err(Error::memory("runtime.allgs"))?;
        Ok((0..count).map(|i| word(&bytes, 8 * i)).collect())
    }
}
