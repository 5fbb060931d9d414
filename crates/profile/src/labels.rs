//! Labels that a program has put on its goroutines (`runtime/pprof.Do`), as sets.
//!
//! Owns the table of sets. A set is a chain of pairs; which of two pairs with one key counts is
//! not known here, so the builder keeps both.

use crate::ids::{LabelsId, StringId};

/// One pair, and the set that it is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LabelNode {
    pub(crate) rest: LabelsId,
    pub(crate) key: StringId,
    pub(crate) value: StringId,
}

impl LabelNode {
    /// The empty set, row 0 of each table.
    pub(crate) const EMPTY: Self = Self {
        rest: LabelsId::NONE,
        key: StringId::EMPTY,
        value: StringId::EMPTY,
    };
}

/// All label sets of a profile. Row 0 is the empty one.
#[derive(Clone, Debug)]
pub struct LabelTable {
    pub(crate) rows: Vec<LabelNode>,
}

impl Default for LabelTable {
    fn default() -> Self {
        Self {
            rows: vec![LabelNode::EMPTY],
        }
    }
}

impl LabelTable {
    /// The pairs of a set, key and value, last added first.
    ///
    /// # Panics
    /// When the id is not of this profile.
    pub fn pairs(&self, id: LabelsId) -> impl Iterator<Item = (StringId, StringId)> + '_ {
        let next = |id: LabelsId| (id != LabelsId::NONE).then(|| self.rows[id.index()]);
        std::iter::successors(next(id), move |node| next(node.rest)).map(|n| (n.key, n.value))
    }

    /// The number of sets, the empty one included.
    #[allow(clippy::len_without_is_empty)] // never empty: row 0 always exists
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}
