//! The structures of a Go runtime over memory that holds anything.

use std::rc::Rc;

use seam_go::{Frame, FrameKind, Row};
use seam_memory::{Memory, Unreadable};
use seam_runtime::{
    Budget, Buffers, Candidate, Census, From, GoroutineList, Heap, HeapLayout, Hidden, Layout,
    Parked, Place, TestNames, WaitKind, WaitLayout, Waits, chain, contexts, interfaces, labels,
    look, machines, mark,
};

/// More is read of no image: what goes on and on does not end by itself.
const BYTES_MAX: usize = 1 << 16;
const KINDS: [WaitKind; 7] = [
    WaitKind::Select,
    WaitKind::Mutex,
    WaitKind::Cond,
    WaitKind::Io,
    WaitKind::Sleep,
    WaitKind::NilSend,
    WaitKind::Receive,
];

/// An image that begins again behind its end, so that every pointer leads somewhere; odd pages are
/// not there.
struct Image<'a>(&'a [u8]);

impl Memory for Image<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let len = buffer.len();
        if self.0.is_empty() || address >> 12 & 7 == 7 {
            return Err(Unreadable { address, len });
        }
        let mut at = (address % self.0.len() as u64) as usize;
        let mut rest = buffer;
        while !rest.is_empty() {
            let len = rest.len().min(self.0.len() - at);
            let (piece, after) = rest.split_at_mut(len);
            piece.copy_from_slice(&self.0[at..at + len]);
            (rest, at) = (after, 0);
        }
        Ok(())
    }
}

/// Goroutines, what they wait on, the heap, a mark, names of tests: all ends, and takes little.
pub fn runtime(bytes: &[u8]) {
    let image = Image(&bytes[..bytes.len().min(BYTES_MAX)]);
    let offsets = Row::newest().offsets();
    let word = |at: u64| image.word(at).unwrap_or(0);
    let (Ok(layout), Ok(heap)) = (Layout::new(&offsets), HeapLayout::new(&offsets)) else {
        return;
    };
    let addresses: Vec<u64> = (0..16).map(|at| word(8 * at)).collect();
    if let Ok(list) = GoroutineList::read(&image, 0, 8) {
        let _ = list.addresses(&image, 0, 64);
    }
    let seen = look(
        &image,
        &layout,
        &addresses,
        &mut Buffers::default(),
        |g, window| {
            assert!(g.stack.contains(&g.place()?.sp));
            Some(window.bytes.len())
        },
    );
    let all = seen.seen.len() as u64 + seen.dead + seen.unreadable;
    assert_eq!(all, addresses.len() as u64);
    parked(&image, &addresses);
    let _ = machines(&image, &layout, addresses.iter().copied());
    for (address, slice) in addresses.iter().zip([true, false].into_iter().cycle()) {
        let _ = labels(&image, *address, slice);
        assert!(chain(&image, &(0..u64::MAX), *address).len() <= 20);
        let _ = TestNames::default().of(&image, &(*address..address.saturating_add(2048)));
    }
    let _ = interfaces(&image, &(0..u64::MAX), &addresses);
    // The list is the image's own; a length that is bounded is still long for a fuzzer.
    if word(8) < 64 {
        let _ = Census::default().look(&image, &layout, (8, 0), 1, |gopc| gopc % 2 == 0);
    }
    marked(&image, &heap, &addresses);
}

fn parked(image: &Image<'_>, addresses: &[u64]) {
    let mut waits = Waits::new(WaitLayout::new(&Row::newest().offsets(), None));
    let each = KINDS.into_iter().zip(addresses);
    let parked: Vec<Parked> = each
        .map(|(kind, at)| Parked {
            g: *at,
            kind,
            waiting: at & !7,
            timer: *at,
            pc: 1,
            top: addresses.to_vec(),
        })
        .collect();
    let found = waits.read(image, &parked);
    assert_eq!(found.len(), parked.len());
    assert!(found.iter().all(|one| one.on.len() <= 128));
}

fn marked(image: &Image<'_>, layout: &HeapLayout, addresses: &[u64]) {
    let mut heap = Heap::default();
    for at in 0..8u64 {
        heap.insert(0xc000_0000_0000 + 8192 * at, 1, 8 << at, at % 2 == 0);
    }
    if image.word(16).unwrap_or(0) < 64 {
        let _ = Heap::read(image, layout, 0);
    }
    let candidate = |(place, at): (u32, &u64)| Candidate {
        g: *at,
        stack: 0xc000_0000_0000..0xc000_0000_2000,
        waits_on: (!at.is_multiple_of(3)).then_some(place..place + 1),
        parked: at.is_multiple_of(2).then_some(Place {
            pc: *at,
            sp: *at,
            bp: 0,
        }),
    };
    let all: Vec<Candidate> = (0..).zip(addresses).map(candidate).collect();
    let budget = Budget { bytes: 1 << 14 };
    let hidden = Hidden::default();
    let roots = [0..4096, addresses[0]..addresses[1]];
    let known = Frame {
        bytes: 16,
        alive: None,
        kind: FrameKind::Plain,
    };
    let known = Rc::new(known);
    let from = From {
        roots: &roots,
        words: addresses,
        candidates: &all,
        objects: addresses,
        hidden: &hidden,
        frames: &|pc| pc.is_multiple_of(2).then(|| Rc::clone(&known)),
        layout: &Layout::new(&Row::newest().offsets()).expect("the newest release is known"),
        grown: &|_| None,
    };
    let found = mark(image, &heap, &from, budget);
    assert_eq!(found.live.len(), all.len());
    let channels = addresses.iter().copied().collect();
    let _ = contexts(image, &heap, &(0..u64::MAX), &channels);
}
