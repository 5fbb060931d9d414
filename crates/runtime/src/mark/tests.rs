//! The mark over small invented heaps.

#![allow(
    clippy::single_range_in_vec_init,
    reason = "lists of ranges of addresses"
)]

use seam_memory::Snapshot;

use super::*;

const HEAP: u64 = 0xc000_0000_0000;
const STACKS: u64 = 0x7000_0000;
const ALL: Budget = Budget { bytes: 1 << 30 };

/// Objects of 64 bytes and stacks of 64 bytes with these words; variables hold `roots`.
struct World {
    memory: Snapshot,
    heap: Heap,
    goroutines: Vec<Candidate>,
}

fn object(number: u64) -> u64 {
    HEAP + 64 * number
}

fn world(roots: &[u64], objects: &[(u64, u64)], goroutines: &[(&[u64], Option<&[u64]>)]) -> World {
    let mut memory = Snapshot::default();
    memory.insert(HEAP, &[0; 8192]);
    memory.insert(0x1000, &[0; 64]);
    for (at, root) in roots.iter().enumerate() {
        memory.insert(0x1000 + 8 * at as u64, &root.to_le_bytes());
    }
    for (of, to) in objects {
        // In the middle of both.
        memory.insert(object(*of) + 24, &(object(*to) + 8).to_le_bytes());
    }
    let mut heap = Heap::default();
    heap.insert(HEAP, 1, 64, false);
    let mut all = Vec::new();
    for (at, (stack, waits_on)) in goroutines.iter().enumerate() {
        let start = STACKS + 64 * at as u64;
        memory.insert(start, &[0; 64]);
        for (slot, word) in stack.iter().enumerate() {
            memory.insert(start + 8 * slot as u64, &word.to_le_bytes());
        }
        all.push(Candidate {
            g: object(100 + at as u64),
            stack: start..start + 64,
            waits_on: waits_on.map(<[u64]>::to_vec),
        });
    }
    World {
        memory,
        heap,
        goroutines: all,
    }
}

fn live(world: &World, hidden: &Hidden) -> Vec<bool> {
    let roots = [0x1000..0x1040];
    let World {
        memory,
        heap,
        goroutines,
    } = world;
    let marked = mark(memory, heap, &roots, &[], goroutines, hidden, ALL);
    assert_eq!(marked.incomplete, None);
    marked.live
}

#[test]
fn what_something_that_runs_leads_to_is_live() {
    // A variable leads to 1, 1 to 2. The goroutine that can run knows 5.
    let w = world(
        &[object(1)],
        &[(1, 2)],
        &[
            (&[object(5)], None),
            (&[object(2)], Some(&[object(2)])),
            (&[object(3)], Some(&[object(3)])),
            (&[object(6)], Some(&[object(4), object(5)])),
            // Only the one before knows 6.
            (&[], Some(&[object(6)])),
            (&[], Some(&[0])),
        ],
    );
    assert_eq!(
        live(&w, &Hidden::default()),
        [true, true, false, true, true, false]
    );
}

#[test]
fn leaked_goroutines_do_not_keep_each_other() {
    let w = world(
        &[],
        &[],
        &[
            (&[object(2)], Some(&[object(1)])),
            (&[object(1)], Some(&[object(2)])),
            (&[], Some(&[STACKS + 8])),
            (&[], Some(&[0x1008])),
        ],
    );
    // The third waits for what lies on the first's stack, the fourth for a variable.
    assert_eq!(live(&w, &Hidden::default()), [false, false, false, true]);
}

#[test]
fn queues_do_not_lead_to_what_waits_in_them() {
    let w = world(&[object(9)], &[(9, 3)], &[(&[], Some(&[object(3)]))]);
    assert_eq!(live(&w, &Hidden::default()), [true]);
    let sudog = Hidden {
        objects: HashSet::from([object(9)]),
        ranges: Vec::new(),
        g_self: None,
    };
    assert_eq!(live(&w, &sudog), [false]);
    let buffer = Hidden {
        ranges: vec![object(9) + 16..object(9) + 32],
        ..Hidden::default()
    };
    assert_eq!(live(&w, &buffer), [false]);
}

#[test]
fn the_end_of_a_stack_is_no_pointer() {
    // Two g's: a goroutine's that can run, and one that a variable leads to. Both have words at
    // their begin that are where an object begins.
    let mut w = world(&[object(7)], &[], &[(&[], None), (&[], Some(&[object(3)]))]);
    for g in [object(7), object(100)] {
        w.memory.insert(g + 8, &object(3).to_le_bytes());
        w.memory.insert(g + 56, &g.to_le_bytes());
    }
    let hidden = Hidden {
        g_self: Some(56),
        ..Hidden::default()
    };
    assert_eq!(live(&w, &hidden), [true, false]);
    // What names itself not is any object.
    w.memory.insert(object(7) + 56, &[0; 8]);
    assert_eq!(live(&w, &hidden), [true, true]);
}

#[test]
fn what_could_not_be_read_is_told() {
    let w = world(&[], &[], &[(&[], Some(&[object(1)]))]);
    let marked = |roots: &[Range<u64>], bytes| {
        let budget = Budget { bytes };
        let hidden = Hidden::default();
        mark(
            &w.memory,
            &w.heap,
            roots,
            &[],
            &w.goroutines,
            &hidden,
            budget,
        )
        .incomplete
    };
    assert_eq!(marked(&[0x1000..0x1040], 1 << 20), None);
    assert!(marked(&[0x5000..0x5040], 1 << 20).is_some());
    assert!(marked(&[0x1000..0x1040], 32).is_some());
}
