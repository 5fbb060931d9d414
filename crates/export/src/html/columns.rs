//! Trees, samples and threads as the page's columns.
//!
//! Owns columns `folded_*`, `full_*`, `sm_*` and `th_*`. The page counts rows, so a sample that
//! stands for several is written as often.

use seam_analyze::{CallTree, Trees};
use seam_profile::{Profile, SampleFlags, SampleRow};

use super::container::Columns;
use super::header::PageStrings;
use crate::names::printable;

/// Sample flags of the model and their bit on the page.
const SAMPLE_BITS: [(SampleFlags, u8); 4] = [
    (SampleFlags::P_HELD, 1),
    (SampleFlags::P_LOST, 2),
    (SampleFlags::IN_C, 4),
    (SampleFlags::KERNEL_MODE, 8),
];

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

pub(super) fn write_samples(profile: &Profile, trees: &Trees, columns: &mut Columns) {
    let rows = || {
        let samples = profile.samples().iter();
        samples.flat_map(|row| std::iter::repeat_n(row, row.weight as usize))
    };
    columns.u32("sm_folded", rows().map(|row| trees.folded.node(row.stack)));
    columns.u32("sm_full", rows().map(|row| trees.full.node(row.stack)));
    columns.u32("sm_thread", rows().map(|row| row.thread.raw()));
    columns.f64("sm_goid", rows().map(|row| row.go.goid as f64));
    columns.f64("sm_time", rows().map(|row| row.time_ns as f64));
    columns.u8("sm_flags", rows().map(|row| sample_bits(&row)));
}

pub(super) fn write_threads(profile: &Profile, strings: &mut PageStrings, columns: &mut Columns) {
    let threads = || profile.threads().iter().map(|(_, thread)| thread);
    columns.u32(
        "th_name",
        threads().map(|row| strings.id(&printable(profile.text(row.name)))),
    );
    columns.u32("th_tid", threads().map(|row| row.tid));
}

fn sample_bits(row: &SampleRow) -> u8 {
    let set = SAMPLE_BITS.iter().filter(|(flag, _)| row.flags.has(*flag));
    set.fold(0, |bits, (_, bit)| bits | bit)
}

/// The page counts in 32 bits; more than four billion samples stay at the greatest number.
fn count(weight: u64) -> u32 {
    u32::try_from(weight).unwrap_or(u32::MAX)
}
