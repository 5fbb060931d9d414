//! A running process of which only what is in memory is read: a page that is swapped out would be
//! brought back, and the process grow, only to be looked at. `/proc/PID/pagemap` tells which are
//! (Documentation/admin-guide/mm/pagemap.rst: bit 62, for everybody who may read the memory).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Live, Memory, Piece, Unreadable, proc_path};

/// x86-64 and arm64 as Debian builds it.
const PAGE: u64 = 4096;
const SWAPPED: u64 = 1 << 62;
/// Entries that are asked for at once.
const ENTRIES: usize = 512;

/// A process whose swapped pages are left alone.
#[derive(Debug, Clone)]
pub struct Resident {
    live: Live,
    /// Only where the process has something swapped out: asking costs as much as reading.
    pagemap: Option<Arc<File>>,
    left: Arc<AtomicU64>,
}

impl Resident {
    /// A handle. What is swapped out from now on may be read.
    #[must_use]
    pub fn new(pid: i32) -> Self {
        let pagemap = || File::open(proc_path(pid, "pagemap")).ok();
        Self {
            live: Live::new(pid),
            pagemap: (swapped_out_kib(pid) > 0)
                .then(pagemap)
                .flatten()
                .map(Arc::new),
            left: Arc::default(),
        }
    }

    /// Reads that were not made because a page was swapped out.
    #[must_use]
    pub fn left_alone(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    fn is_swapped(&self, address: u64, len: usize) -> bool {
        let Some(pagemap) = &self.pagemap else {
            return false;
        };
        let first = address / PAGE;
        let last = address.saturating_add(len.max(1) as u64 - 1) / PAGE;
        let mut entries = [0; 8 * ENTRIES];
        let mut page = first;
        while page <= last {
            let count = (last - page + 1).min(ENTRIES as u64);
            let bytes = &mut entries[..8 * count as usize];
            // Beyond the end of the address space there is nothing to spare.
            if pagemap.read_exact_at(bytes, 8 * page).is_err() {
                return false;
            }
            let mut words = bytes.as_chunks::<8>().0.iter();
            if words.any(|word| u64::from_le_bytes(*word) & SWAPPED != 0) {
                self.left.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            page += count;
        }
        false
    }
}

impl Memory for Resident {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        if self.is_swapped(address, buffer.len()) {
            let len = buffer.len();
            return Err(Unreadable { address, len });
        }
        self.live.read(address, buffer)
    }

    fn gather(&self, pieces: &[Piece], buffer: &mut [u8]) -> Vec<bool> {
        if self.pagemap.is_none() {
            return self.live.gather(pieces, buffer);
        }
        // What is left alone is asked for where nothing lies, so that all else keeps its place.
        let nowhere = |piece: &Piece| Piece {
            address: u64::MAX,
            len: piece.len,
        };
        let spared = pieces.iter().map(|piece| match piece {
            piece if self.is_swapped(piece.address, piece.len) => nowhere(piece),
            piece => *piece,
        });
        let spared: Vec<Piece> = spared.collect();
        self.live.gather(&spared, buffer)
    }
}

/// How much of a process is swapped out, in KiB; 0 where that is not told.
#[must_use]
pub fn swapped_out_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(proc_path(pid, "status"));
    swapped_kib(&status.unwrap_or_default())
}

/// `VmSwap` of `/proc/PID/status`.
fn swapped_kib(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmSwap:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_this_process_are_told() {
        let own = File::open("/proc/self/pagemap").expect("it is there");
        let here = Resident {
            live: Live::new(std::process::id() as i32),
            pagemap: Some(Arc::new(own)),
            left: Arc::default(),
        };
        let words: Vec<u64> = (0..100_000).collect();
        let at = words.as_ptr() as u64;
        assert_eq!(here.word(at + 8 * 77), Ok(77));
        let pieces = [0, 99_999].map(|n| Piece {
            address: at + 8 * n,
            len: 8,
        });
        let mut bytes = [0; 16];
        assert_eq!(here.gather(&pieces, &mut bytes), [true, true]);
        assert_eq!(bytes[8..], 99_999u64.to_le_bytes());
        assert!(here.word(u64::MAX - 7).is_err());
        assert_eq!(here.left_alone(), 0);
    }

    #[test]
    fn a_process_without_swap_is_not_asked() {
        assert_eq!(swapped_kib("Name:\tx\nVmSwap:\t     128 kB\n"), 128);
        assert_eq!(swapped_kib("Name:\tx\nVmSwap:\t       0 kB\n"), 0);
        assert_eq!(swapped_kib("VmSwap:"), 0);
    }
}
