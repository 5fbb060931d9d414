//! The cases of a select as its function keeps them: an array of `scase` on the goroutine's stack
//! (channel, place of the element; runtime/select.go, Go 1.19 to 1.27), first those that send. Only
//! there is a case on a nil channel to be seen, since no record of waiting is made for it.

use seam_memory::Memory;

use super::{Direction, WaitsOn, nil};
use crate::goroutine::Place;
use crate::mark::Frames;

/// Bytes of a case.
const CASE: u64 = 16;
/// Cases of one select that are looked at.
const CASES_MAX: u64 = 128;
/// `gopark` and `selectgo` lie before the function with the select.
const BEFORE: usize = 2;

/// The channels of each array that may be a select's, in the function that has called `selectgo`:
/// how many, then each. `end` is that of the stack.
#[must_use]
pub fn select_tables(
    memory: &impl Memory,
    frames: &Frames<'_>,
    place: Place,
    end: u64,
) -> Vec<u64> {
    let Place { mut pc, mut sp, .. } = place;
    for _ in 0..BEFORE {
        let Some(cfa) = frames(pc).and_then(|frame| sp.checked_add(frame.bytes)) else {
            return Vec::new();
        };
        let Some(next) = cfa.checked_sub(8).filter(|_| cfa <= end) else {
            return Vec::new();
        };
        let Ok(next) = memory.word(next) else {
            return Vec::new();
        };
        (pc, sp) = (next, cfa);
    }
    let Some(frame) = frames(pc) else {
        return Vec::new();
    };
    let cfa = sp.saturating_add(frame.bytes);
    let mut found = Vec::new();
    for object in frame.alive.iter().flat_map(|alive| &alive.objects) {
        let bytes = u64::try_from(object.len()).unwrap_or(0);
        let start = cfa.checked_add_signed(i64::from(object.start));
        let Some(start) = start.filter(|at| *at >= sp && *at < end) else {
            continue;
        };
        if bytes % CASE != 0 || !(1..=CASES_MAX).contains(&(bytes / CASE)) {
            continue;
        }
        let channels = (0..bytes / CASE).map(|at| memory.word(start + CASE * at));
        if let Ok(channels) = channels.collect::<Result<Vec<u64>, _>>() {
            found.push(channels.len() as u64);
            found.extend(channels);
        }
    }
    found
}

/// Adds the cases on nil channels: those of the array that has just the channels that are waited
/// on.
pub(super) fn nil_cases(tables: &[u64], on: &mut Vec<WaitsOn>) {
    let channel = |on: &WaitsOn| match on {
        WaitsOn::Channel { address, .. } => Some(*address),
        _ => None,
    };
    let mut known: Vec<u64> = on.iter().filter_map(channel).collect();
    known.sort_unstable();
    let (mut rest, mut fits) = (tables, Vec::new());
    while let Some((count, after)) = rest.split_first() {
        let Some((channels, after)) = after.split_at_checked(*count as usize) else {
            return;
        };
        rest = after;
        let mut here: Vec<u64> = channels.iter().copied().filter(|c| *c != 0).collect();
        here.sort_unstable();
        fits.extend((here == known).then_some(channels));
    }
    // What another select of the same function has left may look the same.
    let [channels] = fits[..] else { return };
    let nils = (0..channels.len()).filter(|at| channels[*at] == 0);
    let nils: Vec<WaitsOn> = nils.map(|at| nil(direction(channels, at, on))).collect();
    on.extend(nils);
}

/// The direction of a case, by those of the others: sends come first.
fn direction(channels: &[u64], at: usize, on: &[WaitsOn]) -> Direction {
    let of = |wanted: &u64| {
        on.iter().find_map(|on| match on {
            WaitsOn::Channel { address, direction } if address == wanted => Some(*direction),
            _ => None,
        })
    };
    let is = |direction| move |channel: &u64| *channel != 0 && of(channel) == Some(direction);
    if channels[at..].iter().any(is(Direction::Send)) {
        return Direction::Send;
    }
    if channels[..at].iter().any(is(Direction::Receive)) {
        return Direction::Receive;
    }
    Direction::Unknown
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "lists of ranges of places")]
mod tests {
    use std::rc::Rc;

    use seam_go::{Alive, Frame, FrameKind};
    use seam_memory::Snapshot;

    use super::*;

    fn on(address: u64, direction: Direction) -> WaitsOn {
        WaitsOn::Channel { address, direction }
    }

    #[test]
    fn cases_on_nil_channels_are_found() {
        let (send, receive) = (Direction::Send, Direction::Receive);
        let mut all = vec![on(0x30, receive), on(0x10, send)];
        // Another array first; then nil before a send, and nil behind a receive.
        nil_cases(&[1, 0x50, 4, 0, 0x10, 0x30, 0], &mut all);
        assert_eq!(all[2..], [on(0, send), on(0, receive)]);
        // None is nil; no array has these channels; one between both kinds.
        let mut all = vec![on(0x30, receive)];
        nil_cases(&[1, 0x30, 2, 0, 0x40, 9], &mut all);
        assert_eq!(all.len(), 1);
        let mut all = vec![on(0x10, send), on(0x30, receive)];
        nil_cases(&[3, 0x10, 0, 0x30], &mut all);
        assert_eq!(all[2], on(0, Direction::Unknown));
        // Two arrays would do.
        let mut all = vec![on(0x30, receive)];
        nil_cases(&[2, 0x30, 0, 1, 0x30], &mut all);
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn arrays_are_those_of_the_function_with_the_select() {
        let frame = |objects| {
            Rc::new(Frame {
                bytes: 32,
                alive: Some(Alive {
                    words: Vec::new(),
                    objects,
                }),
                kind: FrameKind::Plain,
            })
        };
        let frames = |pc: u64| match pc {
            1 | 2 => Some(frame(vec![-32..0])),
            3 => Some(frame(vec![-32..0, -32..-24])),
            _ => None,
        };
        let mut memory = Snapshot::default();
        let words = [0, 0, 0, 2, 0, 0, 0, 3, 0x70, 5, 0, 6, 0, 0, 0, 0];
        for (at, word) in words.into_iter().enumerate() {
            memory.insert(0x1000 + 8 * at as u64, &u64::to_le_bytes(word));
        }
        let place = |pc| Place {
            pc,
            sp: 0x1000,
            bp: 0,
        };
        let tables = |pc, end| select_tables(&memory, &frames, place(pc), end);
        assert_eq!(tables(1, 0x1080), [2, 0x70, 0]);
        // No code; the stack ends before.
        assert_eq!(tables(9, 0x1080), [0; 0]);
        assert_eq!(tables(1, 0x1030), [0; 0]);
    }
}
