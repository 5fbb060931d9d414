//! The ring buffer of a perf event: mapping it, and taking whole records out of it. What records
//! mean is for their readers.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

const PAGE: usize = 4096;

/// A mapped ring.
#[derive(Debug)]
pub(crate) struct Ring {
    event: OwnedFd,
    base: *mut u8,
    len: usize,
}

impl Ring {
    /// Maps the ring of an event, with `pages` of data (a power of two).
    pub(crate) fn open(event: OwnedFd, pages: usize) -> Result<Self> {
        let len = (1 + pages) * PAGE;
        // SAFETY: a fresh shared mapping of a perf event; the kernel picks the address.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                event.as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            let source = std::io::Error::last_os_error();
            return Err(Error::io("mapping a perf ring buffer")(source));
        }
        Ok(Self {
            event,
            base: base.cast(),
            len,
        })
    }

    /// The kernel's position and ours: `data_head` at 1024, `data_tail` at 1032 of the first page.
    fn positions(&self) -> (&AtomicU64, &AtomicU64) {
        // SAFETY: both words lie in the mapped first page, are aligned, and are shared with the
        // kernel by atomic accesses only.
        unsafe {
            (
                AtomicU64::from_ptr(self.base.add(1024).cast()),
                AtomicU64::from_ptr(self.base.add(1032).cast()),
            )
        }
    }

    /// The event that owns the ring.
    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.event.as_raw_fd()
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.len
    }

    /// Takes all records that are there.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&[u8])) {
        let (head, tail) = self.positions();
        let end = head.load(Ordering::Acquire);
        let mut at = tail.load(Ordering::Relaxed);
        while at < end {
            let header = self.copy(at, 8);
            let size = usize::from(u16::from_le_bytes([header[6], header[7]]));
            if size < 8 {
                at = end;
                break;
            }
            each(&self.copy(at, size));
            at += size as u64;
        }
        tail.store(at.max(end), Ordering::Release);
    }

    /// Bytes of the data area from a position on, around its end.
    fn copy(&self, position: u64, len: usize) -> Vec<u8> {
        let data = self.len - PAGE;
        let start = position as usize % data;
        let first = len.min(data - start);
        let mut bytes = vec![0; len];
        // SAFETY: both pieces lie inside of the mapped data area, which follows the first page; the
        // kernel does not write between our tail and its head.
        unsafe {
            let area = self.base.add(PAGE);
            std::ptr::copy_nonoverlapping(area.add(start), bytes.as_mut_ptr(), first);
            std::ptr::copy_nonoverlapping(area, bytes.as_mut_ptr().add(first), len - first);
        }
        bytes
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `open`; nothing borrows it any more.
        unsafe { libc::munmap(self.base.cast(), self.len) };
    }
}
