//! Stacks as a prefix tree that shares callers.
//!
//! Owns the tree. A stack is named by its leaf; following parents leads to the root. Stacks carry
//! no counts: samples do.

use crate::ids::{LocationId, NONE, StackId};

/// One node: a location and the stack that called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StackNode {
    pub(crate) parent: u32,
    pub(crate) location: LocationId,
}

/// All stacks of a profile. A parent's id is always below its children's.
#[derive(Clone, Debug, Default)]
pub struct StackTable {
    pub(crate) rows: Vec<StackNode>,
}

impl StackTable {
    /// The stack's innermost location.
    ///
    /// # Panics
    /// When the id is not of this profile, as for all methods here.
    pub fn location(&self, id: StackId) -> LocationId {
        self.rows[id.index()].location
    }

    /// The stack of the caller, none at the root.
    pub fn parent(&self, id: StackId) -> Option<StackId> {
        StackId::unpack(self.rows[id.index()].parent)
    }

    /// The stack's locations, innermost first.
    pub fn leaf_to_root(&self, id: StackId) -> LeafToRoot<'_> {
        LeafToRoot {
            table: self,
            next: id.raw(),
        }
    }

    /// Fills `into` with the stack's locations, outermost first. The buffer is the caller's so
    /// that it can serve many stacks.
    pub fn root_to_leaf(&self, id: StackId, into: &mut Vec<LocationId>) {
        into.clear();
        into.extend(self.leaf_to_root(id));
        into.reverse();
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Locations of one stack, innermost first.
#[derive(Clone, Debug)]
pub struct LeafToRoot<'a> {
    table: &'a StackTable,
    next: u32,
}

impl Iterator for LeafToRoot<'_> {
    type Item = LocationId;

    fn next(&mut self) -> Option<LocationId> {
        if self.next == NONE {
            return None;
        }
        let node = self.table.rows[self.next as usize];
        debug_assert!(
            node.parent == NONE || node.parent < self.next,
            "parents come first"
        );
        self.next = node.parent;
        Some(node.location)
    }
}
