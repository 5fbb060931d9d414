//! A process's memory by an open `/proc/PID/mem`. The file is of one address space, whatever
//! becomes of the process: after an exec or the process's end it never reads another one's, and as
//! long as something keeps the address space, it can still be read.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::{Memory, Unreadable, proc_path};

/// The memory of one program that a process executes or has executed.
#[derive(Debug, Clone)]
pub struct Opened {
    file: Arc<File>,
}

impl Opened {
    /// Opens it, for reading only. Needs the right to ptrace the process, as [`crate::Live`] does.
    ///
    /// # Errors
    /// When the process is gone or may not be looked at.
    pub fn new(pid: i32) -> std::io::Result<Self> {
        let file = Arc::new(File::open(proc_path(pid, "mem"))?);
        Ok(Self { file })
    }

    /// The open file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Memory for Opened {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let len = buffer.len();
        let read = self.file.read_exact_at(buffer, address);
        read.map_err(|_| Unreadable { address, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process() {
        let value = 0x1122_3344_5566_7788u64;
        let memory = Opened::new(std::process::id() as i32).expect("our own");
        assert_eq!(memory.word(std::ptr::from_ref(&value) as u64), Ok(value));
        assert!(memory.word(8).is_err());
        assert!(memory.word(u64::MAX - 3).is_err());
        assert!(Opened::new(i32::MAX).is_err());
    }
}
