//! What a report of a recording says, as values.
//!
//! Owns the one pass over a profile's stacks that all reports are made from.

use seam_profile::Profile;

use crate::compare::{Comparison, compare};
use crate::edges::{CgoEdge, EdgeCounter};
use crate::fold::{FoldedStack, Folder};
use crate::hottest::{HotCounter, HotFunction};
use crate::shares::Shares;

/// The first rows of a list, and how many there are beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked<T> {
    /// The first rows.
    pub rows: Vec<T>,
    /// Rows left out.
    pub more: usize,
}

impl<T> Ranked<T> {
    pub(crate) fn first(mut rows: Vec<T>, limit: usize) -> Self {
        let more = rows.len().saturating_sub(limit);
        rows.truncate(limit);
        Self { rows, more }
    }
}

/// How many rows a report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Functions.
    pub functions: usize,
    /// Crossings between Go and C.
    pub edges: usize,
    /// Callbacks below one crossing.
    pub callbacks: usize,
}

impl Limits {
    /// Everything.
    pub const NONE: Self = Self {
        functions: usize::MAX,
        edges: usize::MAX,
        callbacks: usize::MAX,
    };
}

impl Default for Limits {
    /// What fits on one screen.
    fn default() -> Self {
        Self {
            functions: 10,
            edges: 3,
            callbacks: 2,
        }
    }
}

/// What a report of a recording says. All counts are samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// All samples.
    pub samples: u64,
    /// By kind of code.
    pub shares: Shares,
    /// Functions, hottest first.
    pub hottest: Ranked<HotFunction>,
    /// Crossings between Go and C, most time inside first.
    pub edges: Ranked<CgoEdge>,
    /// What other profilers would have kept of the same samples, if it was recorded.
    pub comparison: Option<Comparison>,
}

/// Computes the facts of the folder's profile.
pub fn facts(folder: &Folder<'_>, limits: Limits) -> Facts {
    let profile: &Profile = folder.profile();
    let mut hottest = HotCounter::new(profile);
    let mut edges = EdgeCounter::new(profile);
    let mut frames = Vec::new();
    let mut stack = FoldedStack::default();
    for (id, weight) in profile.stack_weights() {
        profile.frames_root_to_leaf(id, &mut frames);
        folder.fold(&frames, &mut stack);
        hottest.add(&stack.folded, weight);
        edges.add(&stack.folded, weight);
    }
    Facts {
        samples: profile.samples().weight_sum(),
        shares: Shares::count(profile),
        hottest: hottest.finish(limits.functions),
        edges: edges.finish(folder, limits.edges, limits.callbacks),
        comparison: compare(profile),
    }
}
