//! Looking at goroutines while the program runs: read, use, read again. What changed in between is
//! looked at anew; what never holds still is told to be moving.

use seam_memory::{Memory, Piece, Window};

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

/// Looks at the g's at some addresses. `stack` gets each goroutine that has a place on its stack,
/// and a memory with the stack's innermost part at hand.
pub fn look<M: Memory, T>(
    memory: &M,
    layout: &Layout,
    addresses: &[u64],
    mut stack: impl FnMut(&Goroutine, &Window<'_, M>) -> Option<T>,
) -> Look<T> {
    let mut look = Look {
        seen: Vec::with_capacity(addresses.len()),
        dead: 0,
        unreadable: 0,
    };
    let mut left = plain_look(memory, layout, addresses);
    for round in 1..=LOOKS_MAX {
        let unread = left.iter().filter(|g| g.is_none()).count();
        look.unreadable += unread as u64;
        let all: Vec<Goroutine> = left.into_iter().flatten().collect();
        let (mut living, dead): (Vec<_>, Vec<_>) = all.into_iter().partition(|g| g.status.lives());
        look.dead += dead.len() as u64;
        let stacks = stacks(memory, &living, &mut stack);
        let again: Vec<u64> = living.iter().map(|g| g.address).collect();
        let again = plain_look(memory, layout, &again);
        let mut changed = Vec::new();
        for ((goroutine, stack), later) in living.drain(..).zip(stacks).zip(again) {
            let same = later.as_ref().is_some_and(|later| goroutine.same_as(later));
            if !same && round < LOOKS_MAX {
                changed.push(later);
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
) -> Vec<Option<Goroutine>> {
    let len = layout.bytes();
    let piece = |address: &u64| Piece {
        address: *address,
        len,
    };
    let pieces: Vec<Piece> = addresses.iter().map(piece).collect();
    let mut bytes = vec![0; len * pieces.len()];
    let read = memory.gather(&pieces, &mut bytes);
    let each = addresses.iter().zip(read).zip(bytes.chunks(len));
    each.map(|((address, read), bytes)| {
        let goroutine = layout.goroutine(*address, bytes);
        (read && goroutine.plausible()).then_some(goroutine)
    })
    .collect()
}

fn stacks<M: Memory, T>(
    memory: &M,
    goroutines: &[Goroutine],
    stack: &mut impl FnMut(&Goroutine, &Window<'_, M>) -> Option<T>,
) -> Vec<Option<T>> {
    let piece = |g: &Goroutine| {
        let sp = g.place().map_or(g.stack.end, |place| place.sp);
        let len = g.stack.end.saturating_sub(sp).min(STACK_BYTES) as usize;
        Piece { address: sp, len }
    };
    let pieces: Vec<Piece> = goroutines.iter().map(piece).collect();
    let mut bytes = vec![0; pieces.iter().map(|p| p.len).sum()];
    let read = memory.gather(&pieces, &mut bytes);
    let mut rest = bytes.as_slice();
    let mut found = Vec::with_capacity(goroutines.len());
    for ((goroutine, piece), read) in goroutines.iter().zip(&pieces).zip(read) {
        let (own, after) = rest.split_at(piece.len);
        rest = after;
        let window = Window {
            start: piece.address,
            bytes: if read { own } else { &[] },
            below: memory,
            end: goroutine.stack.end,
        };
        let place = goroutine.place();
        found.push(place.and_then(|_| stack(goroutine, &window)));
    }
    found
}
