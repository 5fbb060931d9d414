//! What other profilers would have had of the same samples.
//!
//! Owns the column; does not judge it.

use crate::ids::StackId;

/// One sample's stacks as others would have them, user frames only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PeerStacks {
    /// As the kernel walks it by frame pointers.
    pub frame_pointers: Option<StackId>,
    /// As perf walks a copy of the stack by DWARF.
    pub copied: Option<StackId>,
}

/// By row of the samples; rows of which nothing is known have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerTable {
    pub(crate) rows: Vec<Option<PeerStacks>>,
}

impl PeerTable {
    /// Of one row of the samples.
    pub fn get(&self, row: usize) -> Option<PeerStacks> {
        *self.rows.get(row)?
    }
}
