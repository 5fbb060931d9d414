//! Trees and threads as the page's columns.
//!
//! Owns columns `folded_*`, `full_*` and `th_*`.

use seam_analyze::{CallTree, Trees};
use seam_profile::Profile;

use super::container::Columns;
use super::header::PageStrings;
use crate::names::printable;

/// `frames` gives for each frame of the trees its number on the page.
pub(super) fn write_trees(trees: &Trees, frames: &[u32], columns: &mut Columns) {
    write_tree("folded", &trees.folded, frames, columns);
    write_tree("full", &trees.full, frames, columns);
}

fn write_tree(name: &str, tree: &CallTree, frames: &[u32], columns: &mut Columns) {
    let nodes = || tree.nodes.iter();
    columns.u32(&format!("{name}_parent"), nodes().map(|node| node.parent));
    columns.u32(
        &format!("{name}_frame"),
        nodes().map(|node| frames[node.frame as usize]),
    );
    columns.u16(&format!("{name}_depth"), nodes().map(|node| node.depth));
    columns.u16(
        &format!("{name}_calldepth"),
        nodes().map(|node| node.call_depth),
    );
    columns.u32(
        &format!("{name}_self"),
        nodes().map(|node| count(node.self_weight)),
    );
    columns.u32(
        &format!("{name}_total"),
        nodes().map(|node| count(node.total_weight)),
    );
}

pub(super) fn write_threads(profile: &Profile, strings: &mut PageStrings, columns: &mut Columns) {
    let threads = || profile.threads().iter().map(|(_, thread)| thread);
    columns.u32(
        "th_name",
        threads().map(|row| strings.id(&printable(profile.text(row.name)))),
    );
    columns.u32("th_tid", threads().map(|row| row.tid));
}

/// The page counts in 32 bits; more than four billion samples stay at the greatest number.
fn count(weight: u64) -> u32 {
    u32::try_from(weight).unwrap_or(u32::MAX)
}
