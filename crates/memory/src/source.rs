//! A target that is looked at: a running process, one that has ended, or a core file.

use std::sync::Arc;

use crate::{Core, Memory, Opened, Piece, Resident, Unreadable};

/// The memory of any of these.
#[derive(Debug, Clone)]
pub enum Source {
    /// A running process, of which what is swapped out is left alone.
    Live(Resident),
    /// One whose memory is kept beyond its end.
    Opened(Opened),
    /// A core file.
    Core(Arc<Core>),
}

impl Memory for Source {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        match self {
            Self::Live(live) => live.read(address, buffer),
            Self::Opened(opened) => opened.read(address, buffer),
            Self::Core(core) => core.read(address, buffer),
        }
    }

    fn gather(&self, pieces: &[Piece], buffer: &mut [u8]) -> Vec<bool> {
        match self {
            Self::Live(live) => live.gather(pieces, buffer),
            Self::Opened(opened) => opened.gather(pieces, buffer),
            Self::Core(core) => core.gather(pieces, buffer),
        }
    }
}
