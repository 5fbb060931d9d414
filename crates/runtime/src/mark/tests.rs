//! The mark over small invented heaps.

#![allow(
    clippy::single_range_in_vec_init,
    reason = "lists of ranges of addresses"
)]

use seam_go::{Alive as AliveIn, Field, FrameKind, Row};
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
    /// What these wait on.
    objects: Vec<u64>,
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
    let (mut all, mut waited_on) = (Vec::new(), Vec::new());
    for (at, (stack, waits_on)) in goroutines.iter().enumerate() {
        let start = STACKS + 64 * at as u64;
        memory.insert(start, &[0; 64]);
        for (slot, word) in stack.iter().enumerate() {
            memory.insert(start + 8 * slot as u64, &word.to_le_bytes());
        }
        let first = waited_on.len() as u32;
        waited_on.extend_from_slice(waits_on.unwrap_or_default());
        all.push(Candidate {
            g: object(100 + at as u64),
            stack: start..start + 64,
            waits_on: waits_on.map(|_| first..waited_on.len() as u32),
            parked: None,
        });
    }
    World {
        memory,
        heap,
        goroutines: all,
        objects: waited_on,
    }
}

fn live(world: &World, hidden: &Hidden) -> Vec<bool> {
    let marked = marked(world, &[0x1000..0x1040], hidden, ALL);
    assert_eq!(marked.incomplete, None);
    marked.live
}

fn marked(world: &World, roots: &[Range<u64>], hidden: &Hidden, budget: Budget) -> Marked {
    let from = From {
        roots,
        words: &[],
        candidates: &world.goroutines,
        objects: &world.objects,
        hidden,
        frames: &frame,
        layout: &layout(),
        grown: &|_| None,
    };
    mark(&world.memory, &world.heap, &from, budget)
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
        objects: vec![object(9)],
        ..Hidden::default()
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
    let incomplete = |roots: &[Range<u64>], bytes| {
        marked(&w, roots, &Hidden::default(), Budget { bytes }).incomplete
    };
    assert_eq!(incomplete(&[0x1000..0x1040], 1 << 20), None);
    assert!(incomplete(&[0x5000..0x5040], 1 << 20).is_some());
    assert!(incomplete(&[0x1000..0x1040], 32).is_some());
}

/// Two functions with frames of 24 bytes: a leaf whose word at CFA - 24 is alive, and the
/// outermost, in which a variable of 8 bytes at CFA - 24 has had its address taken.
fn frame(pc: u64) -> Option<Rc<Frame>> {
    let (bytes, words, objects, kind) = match pc {
        LEAF => (24, vec![-24], vec![], FrameKind::Plain),
        ROOT => (24, vec![], vec![-24..-16], FrameKind::Outermost),
        ASSEMBLY => {
            return Some(Rc::new(Frame {
                bytes: 24,
                alive: None,
                kind: FrameKind::Plain,
            }));
        }
        PANIC => (24, vec![], vec![], FrameKind::Panic),
        GOEXIT => (8, vec![], vec![], FrameKind::Outermost),
        _ => return None,
    };
    let alive = Some(AliveIn { words, objects });
    Some(Rc::new(Frame { bytes, alive, kind }))
}

const LEAF: u64 = 0x40_1000;
const ROOT: u64 = 0x40_2000;
const ASSEMBLY: u64 = 0x40_3000;
/// The outermost as it is in programs: it has no frame of its own.
const GOEXIT: u64 = 0x40_5000;
const PANIC: u64 = 0x40_4000;

fn layout() -> Layout {
    Layout::new(&Row::newest().offsets()).expect("the newest release is known")
}

/// A goroutine that sleeps in `pc`, and three that wait for what it may know: for 3, which its
/// leaf's live word leads to, for 4, to which a dead word leads, and for 5, to which a variable of
/// its outermost frame leads.
fn asleep(pc: u64) -> World {
    let stack = [object(3), object(4), ROOT, object(5)];
    let waits = [[object(3)], [object(4)], [object(5)]];
    let waiting = waits.iter().map(|on| (&[][..], Some(&on[..])));
    let all: Vec<_> = std::iter::once((&stack[..], None)).chain(waiting).collect();
    let mut w = world(&[], &[], &all);
    w.goroutines[0].parked = Some(Place {
        pc,
        sp: STACKS,
        bp: 0,
    });
    let g = |field, word: u64| {
        let at = Row::newest().offsets().get(field).expect("it is known");
        (object(100) + u64::from(at), word)
    };
    let words = [
        g(Field::GStackHi, STACKS + 64),
        g(Field::GSchedSp, STACKS),
        g(Field::GSchedPc, pc),
        g(Field::GAtomicstatus, 4),
        (object(100), STACKS),
    ];
    for (at, word) in words {
        w.memory.insert(at, &word.to_le_bytes());
    }
    w
}

fn set_in_g(w: &mut World, at: usize, word: u64) {
    w.memory
        .insert(object(100) + at as u64, &word.to_le_bytes());
}

#[test]
fn dead_words_of_a_stack_do_not_count() {
    let mut w = asleep(LEAF);
    let none = Hidden::default();
    assert_eq!(live(&w, &none), [true, true, false, false]);
    // A variable is alive when something alive points to it: here the record of a deferred call.
    set_in_g(&mut w, stack::DEFER, STACKS + 24);
    assert_eq!(live(&w, &none), [true, true, false, true]);
    // Nothing there that was declared: as many bytes as a record has.
    set_in_g(&mut w, stack::DEFER, STACKS + 8);
    assert_eq!(live(&w, &none), [true, true, true, true]);
}

#[test]
fn every_word_counts_where_no_map_holds() {
    let none = Hidden::default();
    let all = [true; 4];
    assert_eq!(live(&asleep(ASSEMBLY), &none), all);
    assert_eq!(live(&asleep(PANIC), &none), all);
    // The arguments of the first function lie beyond the outermost frame.
    let mut first = asleep(ASSEMBLY);
    let words = [
        (0, 0),
        (8, object(3)),
        (16, GOEXIT),
        (24, 0),
        (32, object(4)),
    ];
    for (at, word) in words {
        first.memory.insert(STACKS + at, &u64::to_le_bytes(word));
    }
    assert_eq!(live(&first, &none), [true, true, true, false]);
    // No Go code.
    assert_eq!(live(&asleep(0x50_0000), &none), all);
    let mut panics = asleep(LEAF);
    set_in_g(&mut panics, stack::PANIC, 1);
    assert_eq!(live(&panics, &none), all);
    // It has gone on since it was looked at.
    let mut moved = asleep(LEAF);
    moved.goroutines[0].parked = Some(Place {
        pc: LEAF,
        sp: STACKS + 8,
        bp: 0,
    });
    assert_eq!(live(&moved, &none), all);
}
