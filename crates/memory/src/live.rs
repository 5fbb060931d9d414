//! A running process, read by `process_vm_readv`: no ptrace attach, no stop, no signal.

use std::sync::atomic::{AtomicI32, Ordering};

use crate::reach::{is_thread_of, reached_by};
use crate::{Memory, Piece, Unreadable};

/// Pieces of one call: `UIO_MAXIOV`, include/uapi/linux/uio.h.
const PIECES_MAX: usize = 1024;

/// User addresses have 56 bits with five levels of page tables, 47 with four.
const ADDRESSES_END: u64 = 1 << 56;

/// Threads by which a read is tried, each chosen when the one before has ended.
const THREADS_MAX: usize = 4;

/// A live process by its id. Needs the right to ptrace it (same user, or `CAP_SYS_PTRACE`).
#[derive(Debug)]
pub struct Live {
    pid: i32,
    /// The id by which its memory was reached last.
    by: AtomicI32,
}

impl Live {
    /// A handle; nothing is opened or checked yet.
    #[must_use]
    pub fn new(pid: i32) -> Self {
        let by = AtomicI32::new(pid);
        Self { pid, by }
    }

    /// Reads pieces of the process one behind the other into `local`, and gives the bytes read.
    fn read_pieces(&self, local: &mut [u8], remote: &[libc::iovec]) -> usize {
        let local = libc::iovec {
            iov_base: local.as_mut_ptr().cast(),
            iov_len: local.len(),
        };
        for _ in 0..THREADS_MAX {
            let by = self.by.load(Ordering::Relaxed);
            // SAFETY: `local` describes the exclusive borrow of that name, and the kernel writes no
            // further however long the pieces are; the addresses in `remote` are only ever used by
            // the kernel in the other process, which ends the call there at worst.
            let read = unsafe {
                let count = remote.len() as u64;
                libc::process_vm_readv(by, &raw const local, 1, remote.as_ptr(), count, 0)
            };
            let gone = read < 0 && is_gone();
            // Asked behind the read: a thread that has ended may have left its id to another's.
            if !gone && (by == self.pid || is_thread_of(self.pid, by)) {
                return usize::try_from(read).unwrap_or(0);
            }
            let next = reached_by(self.pid);
            if next == by {
                break;
            }
            self.by.store(next, Ordering::Relaxed);
        }
        0
    }
}

/// Whether the call before this has failed because its thread has no memory any more.
fn is_gone() -> bool {
    std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

impl Clone for Live {
    fn clone(&self) -> Self {
        let by = AtomicI32::new(self.by.load(Ordering::Relaxed));
        Self { pid: self.pid, by }
    }
}

impl Memory for Live {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let unreadable = Unreadable {
            address,
            len: buffer.len(),
        };
        if buffer.is_empty() {
            return Ok(());
        }
        // Nothing of a process lies there: the kernel need not be asked.
        if address >= ADDRESSES_END {
            return Err(unreadable);
        }
        let remote = libc::iovec {
            iov_base: address as *mut _,
            iov_len: buffer.len(),
        };
        if self.read_pieces(buffer, &[remote]) == buffer.len() {
            Ok(())
        } else {
            Err(unreadable)
        }
    }

    /// One system call for 1,024 pieces, and one more for each that can't be read.
    fn gather(&self, pieces: &[Piece], buffer: &mut [u8]) -> Vec<bool> {
        let mut read = vec![false; pieces.len()];
        let (mut next, mut at) = (0, 0);
        while next < pieces.len() {
            let batch = &pieces[next..pieces.len().min(next + PIECES_MAX)];
            let (whole, bytes) = self.gather_some(batch, &mut buffer[at..]);
            read[next..next + whole].fill(true);
            next += whole;
            at += bytes;
            // The call ends at the first piece that can't be read: that one is left out.
            if whole < batch.len() {
                let Some(after) = at.checked_add(pieces[next].len) else {
                    break;
                };
                if after > buffer.len() {
                    break;
                }
                at = after;
                next += 1;
            }
        }
        read
    }
}

impl Live {
    /// Reads pieces in order and gives how many were read whole, and the bytes that these have.
    fn gather_some(&self, pieces: &[Piece], buffer: &mut [u8]) -> (usize, usize) {
        let remote: Vec<libc::iovec> = pieces
            .iter()
            .map(|piece| libc::iovec {
                iov_base: piece.address as *mut _,
                iov_len: piece.len,
            })
            .collect();
        let read = self.read_pieces(buffer, &remote);
        let (mut whole, mut bytes) = (0, 0usize);
        for piece in pieces {
            match bytes.checked_add(piece.len).filter(|end| *end <= read) {
                Some(end) => bytes = end,
                None => break,
            }
            whole += 1;
        }
        (whole, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::tests::Headless;

    #[test]
    fn reads_this_process() {
        let value = 0x1122_3344_5566_7788u64;
        let live = Live::new(std::process::id() as i32);
        assert_eq!(live.word(std::ptr::from_ref(&value) as u64), Ok(value));
        assert!(live.word(8).is_err());
    }

    #[test]
    fn a_process_without_its_main_thread_is_read_by_another() {
        let value = Box::new(0x1122_3344_5566_7788u64);
        // The child has a copy of it.
        let process = Headless::start();
        let live = Live::new(process.0);
        let address = std::ptr::from_ref(&*value) as u64;
        assert_eq!(live.word(address), Ok(*value));
        assert_ne!(live.by.load(Ordering::Relaxed), process.0);
        assert_eq!(live.clone().word(address), Ok(*value));
        assert!(live.word(8).is_err());
        // A thread that has ended, or is another's by now, is not the last one asked.
        live.by.store(std::process::id() as i32, Ordering::Relaxed);
        assert_eq!(live.word(address), Ok(*value));
        assert!(is_thread_of(process.0, live.by.load(Ordering::Relaxed)));
    }

    #[test]
    fn many_pieces_are_read_at_once_and_holes_are_told() {
        let words: Vec<u64> = (0..3000).collect();
        let live = Live::new(std::process::id() as i32);
        let hole = |at: usize| at % 700 == 5;
        let piece = |(at, word): (usize, &u64)| Piece {
            address: if hole(at) {
                16
            } else {
                std::ptr::from_ref(word) as u64
            },
            len: 8,
        };
        let pieces: Vec<Piece> = words.iter().enumerate().map(piece).collect();
        let mut bytes = vec![0; 8 * words.len()];
        let read = live.gather(&pieces, &mut bytes);
        for (at, word) in words.iter().enumerate() {
            assert_eq!(read[at], !hole(at), "{at}");
            if read[at] {
                assert_eq!(bytes[8 * at..][..8], word.to_le_bytes(), "{at}");
            }
        }
        // Too small a buffer: what fits is read.
        let short = live.gather(&pieces[6..9], &mut bytes[..16]);
        assert_eq!(short, [true, true, false]);
    }
}
