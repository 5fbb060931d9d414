//! A running process, read by `process_vm_readv`: no ptrace attach, no stop, no signal.

use crate::{Memory, Unreadable};

/// A live process by its id. Needs the right to ptrace it (same user, or `CAP_SYS_PTRACE`).
#[derive(Debug, Clone, Copy)]
pub struct Live {
    pid: i32,
}

impl Live {
    /// A handle; nothing is opened or checked yet.
    #[must_use]
    pub fn new(pid: i32) -> Self {
        Self { pid }
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
        let local = libc::iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: buffer.len(),
        };
        let remote = libc::iovec {
            iov_base: address as *mut _,
            iov_len: buffer.len(),
        };
        // SAFETY: `local` describes the exclusive borrow `buffer`; `remote` is only ever
        // dereferenced by the kernel in the other process, which fails with EFAULT at worst.
        let read = unsafe { libc::process_vm_readv(self.pid, &local, 1, &remote, 1, 0) };
        if usize::try_from(read) == Ok(buffer.len()) {
            Ok(())
        } else {
            Err(unreadable)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process() {
        let value = 0x1122_3344_5566_7788u64;
        let live = Live::new(std::process::id() as i32);
        assert_eq!(live.word(std::ptr::from_ref(&value) as u64), Ok(value));
        assert!(live.word(8).is_err());
    }
}
