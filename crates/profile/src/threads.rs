//! Threads that were sampled.
//!
//! Owns the table of (process, thread) pairs and their names.

use crate::ids::{StackId, StringId, ThreadId};

/// One thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// The kernel's name for it (`comm`), empty when unknown.
    pub name: StringId,
    /// The stack that made it, if that was recorded.
    pub started_by: Option<StackId>,
}

/// All threads of a profile.
#[derive(Clone, Debug, Default)]
pub struct ThreadTable {
    pub(crate) rows: Vec<Thread>,
}

impl ThreadTable {
    /// The thread with this id.
    ///
    /// # Panics
    /// When the id is not of this profile.
    pub fn get(&self, id: ThreadId) -> &Thread {
        &self.rows[id.index()]
    }

    /// The number of threads.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All threads with their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ThreadId, &Thread)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(row, thread)| (ThreadId::new(row), thread))
    }
}
