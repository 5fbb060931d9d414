//! Samples as the page's packed columns.
//!
//! Owns columns `sm_*`, `st_*` and `go_id`: rows in order of time, numbers as varints with the
//! commonest being the smallest, and zero for "as before on this thread" where that is what most
//! rows say. Deflate then needs about three bytes for a row.

use std::collections::HashMap;
use std::hash::Hash;

use seam_analyze::Trees;
use seam_profile::{LabelsId, Profile, SampleFlags, SampleRow, Sampling};

use super::container::Columns;

/// Sample flags of the model and their bit on the page.
const SAMPLE_BITS: [(SampleFlags, u8); 4] = [
    (SampleFlags::P_HELD, 1),
    (SampleFlags::P_LOST, 2),
    (SampleFlags::IN_C, 4),
    (SampleFlags::KERNEL_MODE, 8),
];

/// What one unit of the column of times is. Order and a rough distance is all the page shows, and
/// a step between two samples should fit a byte.
pub(super) fn time_step_ns(sampling: &Sampling) -> u64 {
    (sampling.period_ns / 100).clamp(1_000, 1_000_000)
}

pub(super) fn write(profile: &Profile, trees: &Trees, columns: &mut Columns) {
    let mut rows: Vec<_> = profile.samples().iter().collect();
    rows.sort_by_key(|row| row.time_ns);
    // Stacks that are as common as each other stand in the order of the trees, which packs best.
    let (stacks, stack_numbers) = ranked(&rows, |row| {
        (trees.folded.node(row.stack), trees.full.node(row.stack))
    });
    columns.u32("st_folded", stacks.iter().map(|nodes| nodes.0));
    columns.u32("st_full", stacks.iter().map(|nodes| nodes.1));
    let (goids, goid_numbers) = ranked(&rows, |row| row.go.goid);
    columns.f64("go_id", goids.iter().map(|goid| *goid as f64));
    let mut put = |name: &str, bytes: Vec<u8>| columns.u8(name, bytes.into_iter());
    put("sm_stack", varints(stack_numbers));
    put("sm_thread", varints(rows.iter().map(thread)));
    put("sm_goroutine", carried(&rows, goid_numbers));
    put(
        "sm_time",
        varints(steps(&rows, time_step_ns(&profile.recording().sampling))),
    );
    put("sm_flags", rows.iter().map(bits).collect());
    put(
        "sm_cpu",
        carried(&rows, rows.iter().map(|row| u64::from(row.cpu))),
    );
    let states = rows.iter().map(|row| row.go.state.index() as u64);
    put("sm_state", carried(&rows, states));
    // The table of sets begins with the empty one, as the page's does. Without bytes all are none.
    let sets = rows.iter().map(|row| row.go.labels.index() as u64);
    if rows.iter().any(|row| row.go.labels != LabelsId::NONE) {
        put("sm_labels", carried(&rows, sets));
    } else {
        put("sm_labels", Vec::new());
    }
    let more = rows.iter().map(|row| u64::from(row.weight) - 1);
    put("sm_weight", varints(more));
}

/// The distinct keys, the commonest first, and for each row the number of its key.
fn ranked<K: Copy + Eq + Hash + Ord>(
    rows: &[SampleRow],
    key: impl Fn(&SampleRow) -> K,
) -> (Vec<K>, Vec<u64>) {
    let mut counts: HashMap<K, u64> = HashMap::new();
    for row in rows {
        *counts.entry(key(row)).or_default() += 1;
    }
    let mut keys: Vec<_> = counts.into_iter().collect();
    keys.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
    let keys: Vec<_> = keys.into_iter().map(|(key, _)| key).collect();
    let numbers: HashMap<_, _> = keys.iter().copied().zip(0..).collect();
    let of_rows = rows.iter().map(|row| numbers[&key(row)]).collect();
    (keys, of_rows)
}

/// Steps of time since the row before, so that they add up without drift.
fn steps(rows: &[SampleRow], step_ns: u64) -> impl Iterator<Item = u64> {
    rows.iter().scan(0, move |last, row| {
        let now = row.time_ns / step_ns;
        Some(now - std::mem::replace(last, now))
    })
}

/// Zero where a number is that of the row before on the same thread, else the number plus one.
fn carried(rows: &[SampleRow], numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut last: HashMap<u64, u64> = HashMap::new();
    varints(rows.iter().zip(numbers).map(|(row, number)| {
        let before = last.insert(thread(row), number).unwrap_or(0);
        if before == number { 0 } else { number + 1 }
    }))
}

/// LEB128.
fn varints(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut number in numbers {
        while number > 127 {
            bytes.push(number as u8 & 127 | 128);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    bytes
}

fn thread(row: &SampleRow) -> u64 {
    u64::from(row.thread.raw())
}

fn bits(row: &SampleRow) -> u8 {
    let set = SAMPLE_BITS.iter().filter(|(flag, _)| row.flags.has(*flag));
    set.fold(0, |bits, (_, bit)| bits | bit)
}
