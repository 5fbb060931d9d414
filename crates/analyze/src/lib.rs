//! Facts computed from a profile: what each function is, folded cgo edges, call trees, shares.
//!
//! Owns every judgement about samples that more than one output shows. Values in, values out.
//!
//! Does not: read files or clocks, format anything, or change the profile. Machine formats do not
//! use the folded view; it is for people.

mod activity;
mod cgo_names;
mod classify;
mod compare;
mod edges;
mod facts;
mod fold;
mod hottest;
mod shares;
mod tree;

#[cfg(test)]
mod tests;

pub use activity::{Activity, activity, stack_activity};
pub use classify::{NameOrigin, classify};
pub use compare::{Comparison, KindTallies, Method, Tally, compare};
pub use edges::{CallbackEdge, CgoEdge, Site};
pub use facts::{Facts, Limits, Ranked, facts};
pub use fold::{Direction, Edge, FoldedFrame, FoldedStack, Folder, FullFrame, LabelId};
pub use hottest::HotFunction;
pub use shares::Shares;
pub use tree::{CallTree, TreeFlags, TreeFrame, TreeNode, TreeSubject, Trees};
