//! Structures that hold anything: reading them ends, says so and takes little.

use std::cell::Cell;
use std::rc::Rc;

use proptest::prelude::*;
use seam_go::{Field, Frame, FrameKind, Row};
use seam_memory::{Memory, Snapshot, Unreadable};
use seam_runtime::{
    Budget, Buffers, Candidate, Direction, From, GoroutineList, Heap, HeapLayout, Hidden, Layout,
    Parked, Place, Status, WaitKind, WaitLayout, WaitReasons, Waits, WaitsOn, chain, contexts,
    interfaces, labels, look, machines, mark,
};

/// A memory in which every address holds words made of its own number: pointers that lead on.
struct Everywhere {
    seed: u64,
    reads: Cell<u64>,
}

impl Memory for Everywhere {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        self.reads.set(self.reads.get() + 1);
        for (at, byte) in buffer.iter_mut().enumerate() {
            let mixed = (address.wrapping_add(at as u64) ^ self.seed)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29);
            *byte = (mixed >> 32) as u8;
        }
        Ok(())
    }
}

fn layout() -> Layout {
    Layout::new(&Row::newest().offsets()).expect("the newest release is known")
}

/// A g with these words, at 0x1000.
fn memory(words: &[u64]) -> Snapshot {
    let mut memory = Snapshot::default();
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    memory.insert(0x1000, &bytes);
    memory
}

proptest! {
    #[test]
    fn a_g_of_random_words_is_a_value(words in prop::collection::vec(any::<u64>(), 64)) {
        let memory = memory(&words);
        let mut walked = 0;
        let addresses = [0x1000, 0x2000, u64::MAX];
        let seen = look(&memory, &layout(), &addresses, &mut Buffers::default(), |g, window| {
            walked += 1;
            assert!(g.stack.contains(&g.place().expect("it has one").sp));
            assert!(window.bytes.len() <= 4096);
            Some(())
        });
        let all = seen.seen.len() as u64 + seen.dead + seen.unreadable;
        prop_assert_eq!(all, 3);
        prop_assert!(walked <= 3);
    }

    #[test]
    fn waits_anywhere_lead_to_an_end(
        (seed, at, top) in any::<(u64, u64, u64)>(),
    ) {
        let memory = Everywhere { seed, reads: Cell::new(0) };
        let mut waits = Waits::new(WaitLayout::new(&Row::newest().offsets(), None));
        let kinds = [WaitKind::Select, WaitKind::Mutex, WaitKind::Cond, WaitKind::Io,
            WaitKind::Sleep, WaitKind::NilSend, WaitKind::Receive];
        let parked: Vec<Parked> = kinds.into_iter().map(|kind| Parked {
            g: at, kind, waiting: at & !7, timer: at, pc: seed,
            top: (0..200).map(|i| top.wrapping_mul(i) & !7).collect(),
        }).collect();
        let found = waits.read(&memory, &parked);
        prop_assert_eq!(found.len(), parked.len());
        prop_assert!(found.iter().all(|f| f.on.len() <= 128));
        prop_assert!(memory.reads.get() < 10_000, "{} reads", memory.reads.get());
    }

    #[test]
    fn heaps_anywhere_lead_to_an_end(seed in any::<u64>(), at in any::<u64>()) {
        let memory = Everywhere { seed, reads: Cell::new(0) };
        let heaps = HeapLayout::new(&Row::newest().offsets()).expect("known");
        let _ = Heap::read(&memory, &heaps, at);
        let mut heap = Heap::default();
        for i in 0..20u64 {
            let element = seed.rotate_left(i as u32) % 9000;
            heap.insert(at.wrapping_mul(i), seed % 40, element, i % 2 == 0);
            heap.insert(0xc000_0000_0000 + 8192 * i, 1, 8 << (i % 8), false);
        }
        let candidate = Candidate {
            g: at,
            stack: 0xc000_0000_0000..0xc000_0000_2000,
            waits_on: Some(0..3 + seed as u32 % 3),
            parked: Some(Place { pc: seed, sp: at, bp: 0 }),
        };
        let other = Candidate { waits_on: None, ..candidate.clone() };
        let (all, budget) = ([candidate, other], Budget { bytes: 1 << 20 });
        let (roots, hidden) = ([at..at.wrapping_add(64), seed..at], Hidden::default());
        let known = Frame { bytes: 16 + seed % 64, alive: None, kind: FrameKind::Plain };
        let known = Rc::new(known);
        let frames = |pc: u64| pc.is_multiple_of(2).then(|| Rc::clone(&known));
        let from = From {
            roots: &roots,
            words: &[seed],
            candidates: &all,
            objects: &[at, seed, 0xc000_0000_0010],
            hidden: &hidden,
            frames: &frames,
            layout: &layout(),
            grown: &|_| None,
        };
        let marked = mark(&memory, &heap, &from, budget);
        prop_assert_eq!(marked.live.len(), 2);
        prop_assert!(marked.live[1]);
        prop_assert!(memory.reads.get() < 100_000, "{} reads", memory.reads.get());
    }

    #[test]
    fn lists_of_nonsense_give_no_goroutines(
        seed in any::<u64>(),
        near in prop::collection::vec(0u64..4096, 1..50),
    ) {
        let memory = Everywhere { seed, reads: Cell::new(0) };
        // Neighbours of both ends of the address space, and of one place in it.
        let addresses: Vec<u64> = near
            .iter()
            .flat_map(|at| [u64::MAX - at, *at, seed.wrapping_add(*at)])
            .collect();
        let seen = look(&memory, &layout(), &addresses, &mut Buffers::default(), |_, _| Some(()));
        let all = seen.seen.len() as u64 + seen.dead + seen.unreadable;
        prop_assert_eq!(all, addresses.len() as u64);
    }

    #[test]
    fn contexts_anywhere_lead_to_an_end(seed in any::<u64>(), at in any::<u64>()) {
        let memory = Everywhere { seed, reads: Cell::new(0) };
        let types = 0..u64::MAX;
        prop_assert!(chain(&memory, &types, at).len() <= 20);
        let words: Vec<u64> = (0..100).map(|i| at.wrapping_mul(i) & !7).collect();
        let _ = interfaces(&memory, &types, &words);
        let mut heap = Heap::default();
        heap.insert(0xc000_0000_0000, 1, 96, false);
        let _ = contexts(&memory, &heap, &types, &[at].into());
        prop_assert!(memory.reads.get() < 10_000, "{} reads", memory.reads.get());
    }

    #[test]
    fn anywhere_leads_to_an_end(seed in any::<u64>(), at in any::<u64>()) {
        let memory = Everywhere { seed, reads: Cell::new(0) };
        let layout = layout();
        let addresses: Vec<u64> = (0..50).map(|i| at.wrapping_mul(i)).collect();
        let _ = look(&memory, &layout, &addresses, &mut Buffers::default(), |_, _| Some(()));
        let _ = machines(&memory, &layout, addresses.clone());
        let _ = WaitReasons::read(&memory, &addresses);
        for slice in [true, false] {
            let found = labels(&memory, at, slice);
            prop_assert!(found.pairs.len() <= 64);
        }
        if let Ok(list) = GoroutineList::read(&memory, at, at.wrapping_add(8)) {
            let _ = list.addresses(&memory, 0, 100);
        }
        prop_assert!(memory.reads.get() < 10_000, "{} reads", memory.reads.get());
    }
}

/// A g that waits, with its stack from 0x8000 to 0x9000.
fn waiting() -> Vec<u64> {
    let offsets = Row::newest().offsets();
    let mut words = vec![0; 64];
    let mut set = |field, value| {
        words[offsets.get(field).expect("known") as usize / 8] = value;
    };
    set(Field::GStackLo, 0x8000);
    set(Field::GStackHi, 0x9000);
    set(Field::GSchedSp, 0x8f00);
    set(Field::GAtomicstatus, 0x1004);
    set(Field::GGoid, 7);
    words
}

#[test]
fn what_holds_still_is_certain() {
    let memory = memory(&waiting());
    let seen = look(
        &memory,
        &layout(),
        &[0x1000],
        &mut Buffers::default(),
        |g, window| Some((g.goid, window.end)),
    );
    let one = &seen.seen[0];
    assert_eq!(one.goroutine.status, Status::Waiting);
    assert_eq!(one.stack, Some((7, 0x9000)));
    assert!(!one.moving);
}

/// A memory whose goroutine runs a little between two looks.
struct Busy(Cell<u64>);

impl Memory for Busy {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let mut words = waiting();
        let sp = Row::newest().offsets().get(Field::GSchedSp).expect("known") as usize;
        self.0.set(self.0.get() + 1);
        words[sp / 8] -= 8 * (self.0.get() % 100);
        memory(&words).read(address, buffer)
    }
}

#[test]
fn what_never_holds_still_is_moving() {
    let mut looks = 0;
    let seen = look(
        &Busy(Cell::new(0)),
        &layout(),
        &[0x1000],
        &mut Buffers::default(),
        |_, _| {
            looks += 1;
            Some(())
        },
    );
    assert_eq!(seen.seen.len(), 1);
    assert!(seen.seen[0].moving);
    assert_eq!(looks, 3);
}

#[test]
fn a_list_that_can_be_none_is_refused() {
    let list = |len: u64, entries: u64| {
        GoroutineList::read(&memory(&[len, entries]), 0x1000, 0x1008).is_ok()
    };
    assert!(list(0, 0) && list(5, 0x7000));
    for (len, entries) in [(1 << 40, 0x7000), (5, 0x7001), (5, !7)] {
        assert!(!list(len, entries), "{len} at {entries:#x}");
    }
}

#[test]
fn every_known_release_has_a_layout() {
    for row in Row::all() {
        let layout = Layout::new(&row.offsets()).expect("it is in the table");
        assert!(layout.bytes() < 1024);
        assert_eq!(layout.has_parent(), row.first.minor >= 21, "{}", row.first);
    }
}

/// A channel with two elements of four at 0x3000, and a sudog at 0x2000 in its queue of receivers,
/// of the goroutine with its g at 0x1000.
fn queued() -> Snapshot {
    let offsets = Row::newest().offsets();
    let mut memory = Snapshot::default();
    memory.insert(0x2000, &[0; 256]);
    memory.insert(0x3000, &[0; 256]);
    let mut set = |base: u64, field, value: u64| {
        let at = u64::from(offsets.get(field).expect("known"));
        memory.insert(base + at, &value.to_le_bytes());
    };
    set(0x2000, Field::SudogG, 0x1000);
    // From Go 1.26 on the second word of a pair is the address.
    set(0x2008, Field::SudogC, 0x3000);
    set(0x3000, Field::HchanQcount, 2);
    set(0x3000, Field::HchanDataqsiz, 4);
    set(0x3000, Field::HchanRecvq, 0x2000);
    memory
}

#[test]
fn a_sudog_leads_to_its_channel_if_it_is_the_goroutines() {
    let waits = |memory: &Snapshot, g| {
        let mut waits = Waits::new(WaitLayout::new(&Row::newest().offsets(), None));
        let parked = Parked {
            g,
            kind: WaitKind::Select,
            waiting: 0x2000,
            timer: 0,
            pc: 0,
            top: Vec::new(),
        };
        let found = waits.read(memory, &[parked]).remove(0);
        (found, waits)
    };
    let (found, all) = waits(&queued(), 0x1000);
    let (address, direction) = (0x3000, Direction::Receive);
    assert_eq!(found.on, [WaitsOn::Channel { address, direction }]);
    assert_eq!(found.sudogs, [0x2000]);
    assert!(!found.cut);
    let channel = all.channels[&0x3000];
    assert_eq!(
        (channel.len, channel.capacity, channel.closed),
        (2, 4, false)
    );
    // Another goroutine's: nothing is known, and that is told.
    let (found, all) = waits(&queued(), 0x1008);
    assert!(found.on.is_empty() && found.cut);
    assert_eq!(all.nonsense["sudog"], 1);
    // More elements than room: no channel.
    let mut memory = queued();
    memory.insert(0x3000, &9u64.to_le_bytes());
    let (_, all) = waits(&memory, 0x1000);
    assert_eq!(all.nonsense["hchan"], 1);
    assert!(all.channels.is_empty());
}

#[test]
fn labels_of_a_slice() {
    let mut memory = Snapshot::default();
    let words = |words: &[u64]| {
        words
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    memory.insert(0x100, &words(&[0x200, 2]));
    memory.insert(0x200, &words(&[0x300, 1, 0x310, 2, 0x320, 3, 0, 0]));
    memory.insert(0x300, b"k");
    memory.insert(0x310, b"va");
    memory.insert(0x320, b"abc");
    let found = labels(&memory, 0x100, true);
    let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    assert_eq!(found.pairs, [pair("abc", ""), pair("k", "va")]);
    assert!(!found.cut);
    assert!(labels(&memory, 0x900, true).cut);
}

/// G's that lie side by side are read as one piece: each is the same as by itself, also where the
/// piece has a hole.
#[test]
fn neighbours_are_read_as_they_are() {
    let layout = layout();
    let len = layout.bytes();
    let row = Row::newest().offsets();
    let at = |field| row.get(field).expect("the newest release is known") as usize;
    let mut memory = Snapshot::default();
    let mut addresses = Vec::new();
    for number in 0..200u64 {
        // Every 50th is not there; some have a neighbour far away.
        let address = 0x10_0000 + number * (len as u64 + 8) + number / 7 * 0x1000;
        addresses.push(address);
        if number % 50 == 9 {
            continue;
        }
        let mut g = vec![0; len];
        g[at(Field::GGoid)..][..8].copy_from_slice(&(number + 1).to_le_bytes());
        g[at(Field::GAtomicstatus)] = 4;
        memory.insert(address, &g);
    }
    addresses.reverse();
    addresses.push(u64::MAX - 4);
    let seen = look(
        &memory,
        &layout,
        &addresses,
        &mut Buffers::default(),
        |_, _| Some(()),
    );
    let goids: Vec<u64> = seen.seen.iter().map(|one| one.goroutine.goid).collect();
    let expected: Vec<u64> = (0..200)
        .rev()
        .filter(|n| n % 50 != 9)
        .map(|n| n + 1)
        .collect();
    assert_eq!(goids, expected);
    assert_eq!((seen.unreadable, seen.dead), (5, 0));
}
