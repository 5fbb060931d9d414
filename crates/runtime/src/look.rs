//! Looking at goroutines while the program runs: read, use, read again. What changed in between is
//! looked at anew; what never holds still is told to be moving.

use seam_memory::{Memory, Objects, Piece, Window};

use crate::{Goroutine, Layout};

/// Bytes of each stack that are read at once. Three quarters of idle servers' stacks fit into 512
/// bytes, nearly all into 2 KiB; the walk reads the rest of a deeper one itself.
const STACK_BYTES: u64 = 2048;
/// How often a goroutine that changes is looked at before it is taken to be moving.
const LOOKS_MAX: u32 = 3;

/// A goroutine, and what `stack` made of its stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<T> {
    /// What its g says.
    pub goroutine: Goroutine,
    /// `None` where nothing was made of it.
    pub stack: Option<T>,
    /// It changed while it was looked at, each time: the stack need not be one that ever was.
    pub moving: bool,
}

/// What was seen of some goroutines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look<T> {
    /// Those that live.
    pub seen: Vec<Seen<T>>,
    /// Entries without a goroutine: kept by the runtime for the next one.
    pub dead: u64,
    /// Entries whose g can't be read or makes no sense.
    pub unreadable: u64,
}

/// Memory that is used again by each look: to allot and clear it would take as long as to read.
#[derive(Debug, Default)]
pub struct Buffers {
    gs: Objects,
    stacks: Vec<u8>,
}

/// Room for so many bytes, whatever they are.
fn room(buffer: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    &mut buffer[..len]
}

/// Looks at the g's at some addresses. `stack` gets each goroutine that has a place on its stack,
/// and a memory with the stack's innermost part at hand.
pub fn look<M: Memory, T>(
    memory: &M,
    layout: &Layout,
    addresses: &[u64],
    buffers: &mut Buffers,
    mut stack: impl FnMut(&Goroutine, &Window<'_, M>) -> Option<T>,
) -> Look<T> {
    let mut look = Look {
        seen: Vec::with_capacity(addresses.len()),
        dead: 0,
        unreadable: 0,
    };
    buffers.gs.read(memory, addresses, layout.bytes());
    let read = addresses.iter().zip(0..);
    let read = read.filter_map(|(address, at)| one(layout, *address, &buffers.gs, at));
    let mut left: Vec<Read> = read.collect();
    look.unreadable = (addresses.len() - left.len()) as u64;
    for round in 1..=LOOKS_MAX {
        let all = left.len();
        left.retain(|(g, _)| g.status.lives());
        look.dead += (all - left.len()) as u64;
        let stacks = stacks(memory, &left, buffers, &mut stack);
        let again: Vec<u64> = left.iter().map(|(g, _)| g.address).collect();
        buffers.gs.read(memory, &again, layout.bytes());
        let mut changed = Vec::new();
        for (((goroutine, _), stack), at) in left.into_iter().zip(stacks).zip(0..) {
            let later = one(layout, goroutine.address, &buffers.gs, at);
            let same = later.as_ref().is_some_and(|(g, _)| goroutine.same_as(g));
            if !same && round < LOOKS_MAX {
                look.unreadable += u64::from(later.is_none());
                changed.extend(later);
                continue;
            }
            look.seen.push(Seen {
                goroutine,
                stack,
                moving: !same,
            });
        }
        left = changed;
        if left.is_empty() {
            break;
        }
    }
    look
}

/// The g's at these addresses; `None` for one that can't be read or can't be a g.
pub(crate) fn plain_look<M: Memory>(
    memory: &M,
    layout: &Layout,
    addresses: &[u64],
    gs: &mut Objects,
) -> Vec<Option<Goroutine>> {
    gs.read(memory, addresses, layout.bytes());
    let each = addresses.iter().zip(0..);
    each.map(|(address, at)| Some(one(layout, *address, gs, at)?.0))
        .collect()
}

/// A goroutine, and the place of its g among those read last.
type Read = (Goroutine, u32);

/// One of the g's read last.
fn one(layout: &Layout, address: u64, gs: &Objects, at: u32) -> Option<Read> {
    let goroutine = layout.goroutine(address, gs.get(at as usize)?);
    goroutine.plausible().then_some((goroutine, at))
}

fn stacks<M: Memory, T>(
    memory: &M,
    goroutines: &[Read],
    buffers: &mut Buffers,
    stack: &mut impl FnMut(&Goroutine, &Window<'_, M>) -> Option<T>,
) -> Vec<Option<T>> {
    let piece = |(g, _): &Read| {
        let sp = g.place().map_or(g.stack.end, |place| place.sp);
        let len = g.stack.end.saturating_sub(sp).min(STACK_BYTES) as usize;
        Piece { address: sp, len }
    };
    let pieces: Vec<Piece> = goroutines.iter().map(piece).collect();
    let bytes = room(&mut buffers.stacks, pieces.iter().map(|p| p.len).sum());
    let read = memory.gather(&pieces, bytes);
    let mut rest = &*bytes;
    let mut found = Vec::with_capacity(goroutines.len());
    for (((goroutine, g), piece), read) in goroutines.iter().zip(&pieces).zip(read) {
        let g = buffers.gs.get(*g as usize);
        let (own, after) = rest.split_at(piece.len);
        rest = after;
        let window = Window {
            start: piece.address,
            bytes: if read { own } else { &[] },
            below: memory,
            // The walk reads the g, too.
            also: (goroutine.address, g.unwrap_or_default()),
            end: goroutine.stack.end,
        };
        let place = goroutine.place();
        found.push(place.and_then(|_| stack(goroutine, &window)));
    }
    found
}
