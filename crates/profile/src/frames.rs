//! Frames: a function at a line.
//!
//! Owns the table. Whether a frame is inlined depends on the location it is part of, so that is
//! not kept here.

use crate::ids::{FrameId, FunctionId};

/// A function at a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function.
    pub function: FunctionId,
    /// Line in the function's file, 0 when unknown.
    pub line: u32,
}

/// All frames of a profile.
#[derive(Clone, Debug, Default)]
pub struct FrameTable {
    pub(crate) rows: Vec<Frame>,
}

impl FrameTable {
    /// The frame with this id.
    ///
    /// # Panics
    /// When the id is not of this profile.
    pub fn get(&self, id: FrameId) -> Frame {
        self.rows[id.index()]
    }

    /// The number of frames.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All frames with their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FrameId, Frame)> + '_ {
        self.rows
            .iter()
            .enumerate()
            .map(|(row, frame)| (FrameId::new(row), *frame))
    }
}
