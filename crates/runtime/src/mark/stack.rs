//! The words of a parked goroutine's stack that are alive, by the compiler's stack maps.
//!
//! Where a stack can't be followed from its innermost frame to its root, or where the goroutine
//! panics, there is no answer: then every word counts. A frame without a map (assembly, a stub of
//! reflect) counts word by word, and so does the next one, in which its arguments lie, or which
//! was interrupted where no map holds (`asyncPreempt`).

use std::collections::HashSet;
use std::ops::Range;

use seam_go::FrameKind;
use seam_memory::{Memory, Piece};

use super::{Candidate, From};
use crate::goroutine::Place;
use crate::layout::word;

/// Bytes of each stack that are read with those of others.
const TOP_BYTES: usize = 1024;
/// Bytes of a stack that is read by itself; longer ones count word by word.
const STACK_BYTES_MAX: u64 = 1 << 20;
/// Frames that are followed.
const FRAMES_MAX: usize = 1 << 18;
/// Words that are kept of one stack.
const WORDS_MAX: usize = 1 << 20;
/// Where g keeps `_panic` and then `_defer` (runtime/runtime2.go, Go 1.19 to 1.27).
pub(super) const PANIC: usize = 32;
pub(super) const DEFER: usize = 40;
/// Bytes of a record of a deferred call (`_defer`): it has 72 at most, Go 1.19 to 1.27.
const DEFER_BYTES: u64 = 96;

/// What is alive of a stack.
pub(super) enum Alive<'s> {
    /// These words.
    Words(&'s [u64]),
    /// That is not known, but the goroutine has not moved.
    All,
    /// The goroutine has moved since it was looked at: its stack is this by now.
    Moved(Range<u64>),
}

/// Reads stacks.
pub(super) struct StackWords<'a, M> {
    memory: &'a M,
    from: &'a From<'a>,
    /// Bytes of some goroutines: for each its g and the innermost part of its stack, twice.
    copies: [Vec<u8>; 2],
    /// Which could be read.
    read_whole: [Vec<bool>; 2],
    /// The stack that is looked at.
    stack: Stack,
    found: Vec<u64>,
    objects: Vec<Range<u64>>,
    seen: HashSet<u64>,
    /// Bytes that were read since the last asking.
    bytes: u64,
}

impl<'a, M: Memory> StackWords<'a, M> {
    pub(super) fn new(memory: &'a M, from: &'a From<'a>) -> Self {
        Self {
            memory,
            from,
            copies: [Vec::new(), Vec::new()],
            read_whole: [Vec::new(), Vec::new()],
            stack: Stack::default(),
            found: Vec::new(),
            objects: Vec::new(),
            seen: HashSet::new(),
            bytes: 0,
        }
    }

    /// Bytes that were read since it was asked last.
    pub(super) fn take_read(&mut self) -> u64 {
        std::mem::take(&mut self.bytes)
    }

    fn g_bytes(&self) -> usize {
        self.from.layout.bytes()
    }

    /// Reads what these goroutines need, all of it twice: what has moved in between differs.
    pub(super) fn prepare(&mut self, parked: &[(&Candidate, Place)]) {
        let top = |(candidate, place): &(&Candidate, Place)| Piece {
            address: place.sp,
            len: TOP_BYTES.min(candidate.stack.end.saturating_sub(place.sp) as usize),
        };
        let g = |(candidate, _): &(&Candidate, Place)| Piece {
            address: candidate.g,
            len: self.g_bytes(),
        };
        let pieces: Vec<Piece> = parked.iter().flat_map(|one| [g(one), top(one)]).collect();
        let total = pieces.iter().map(|piece| piece.len).sum();
        for (copy, read) in self.copies.iter_mut().zip(&mut self.read_whole) {
            copy.resize(total, 0);
            *read = self.memory.gather(&pieces, copy);
            self.bytes += total as u64;
        }
    }

    /// What is alive on the stack of one that was prepared: the `number`th, whose bytes begin at
    /// `at`. Also gives how many bytes it has there.
    pub(super) fn alive(
        &mut self,
        (candidate, place): (&Candidate, Place),
        number: usize,
        at: &mut usize,
    ) -> Alive<'_> {
        let g_bytes = self.g_bytes();
        let range = place.sp..candidate.stack.end;
        let len = TOP_BYTES.min(range.end.saturating_sub(range.start) as usize);
        let (g, top) = (*at..*at + g_bytes, *at + g_bytes..*at + g_bytes + len);
        *at = top.end;
        let read = |copy: &Vec<bool>| copy[2 * number..2 * number + 2] == [true, true];
        if !self.read_whole.iter().all(read) {
            return Alive::All;
        }
        let [first, second] = &self.copies;
        let now = self.from.layout.goroutine(candidate.g, &second[g.clone()]);
        let still = now.place() == Some(place)
            && first[g.clone()] == second[g.clone()]
            && first[top.clone()] == second[top.clone()];
        let known = still && {
            // What a deferred call that waits has left alive is not where the maps say.
            self.found.clear();
            self.found.push(word(&second[g.clone()], DEFER));
            word(&second[g], PANIC) == 0 && self.stack.take(range, &second[top])
        };
        if !still {
            return Alive::Moved(now.stack);
        }
        let known = known && {
            let more = self.stack.rest(self.memory);
            self.bytes += more.unwrap_or(0);
            more.is_some()
        };
        if known && self.words(place).is_some() {
            return Alive::Words(&self.found);
        }
        Alive::All
    }

    fn words(&mut self, place: Place) -> Option<()> {
        self.objects.clear();
        self.seen.clear();
        self.walk(place)?;
        self.objects.sort_unstable_by_key(|object| object.start);
        self.follow()
    }

    /// From the innermost frame to the root.
    fn walk(&mut self, place: Place) -> Option<()> {
        let Place { mut pc, mut sp, .. } = place;
        let mut all = false;
        for _ in 0..FRAMES_MAX {
            let frame = (self.from.frames)(pc)?;
            let cfa = sp
                .checked_add(frame.bytes)
                .filter(|cfa| *cfa <= self.stack.range.end)?;
            let mapped = frame.alive.as_ref();
            match mapped.filter(|_| !all) {
                Some(alive) => {
                    for at in &alive.words {
                        let at = cfa.checked_add_signed(i64::from(*at))?;
                        // Arguments of the outermost frame would lie beyond the stack.
                        let word = self.stack.word(at)?;
                        self.found.push(word);
                    }
                }
                None => self.every(sp..cfa - 8)?,
            }
            let objects = mapped.map_or(&[][..], |alive| &alive.objects);
            self.objects.extend(objects.iter().filter_map(|object| {
                let start = cfa.checked_add_signed(i64::from(object.start))?;
                Some(start..cfa.checked_add_signed(i64::from(object.end))?)
            }));
            match frame.kind {
                FrameKind::Panic => return None,
                // Above it lie the arguments of a function that has no map.
                FrameKind::Outermost if all => return self.every(cfa..self.stack.range.end),
                FrameKind::Outermost => return Some(()),
                FrameKind::Plain => {}
            }
            all = mapped.is_none();
            pc = self.stack.word(cfa - 8)?;
            sp = cfa;
        }
        None
    }

    /// What pointers into the same stack lead to: variables whose address was taken, and records of
    /// deferred calls.
    fn follow(&mut self) -> Option<()> {
        let mut next = 0;
        while let Some(word) = self.found.get(next).copied() {
            next += 1;
            if !self.stack.range.contains(&word) {
                continue;
            }
            let behind = self.objects.partition_point(|object| object.start <= word);
            let object = behind.checked_sub(1).and_then(|at| self.objects.get(at));
            let object = object.filter(|object| object.contains(&word)).cloned();
            let range = object.unwrap_or(word..word.saturating_add(DEFER_BYTES));
            if self.seen.insert(range.start) {
                self.every(range.start..range.end.min(self.stack.range.end))?;
            }
        }
        Some(())
    }

    fn every(&mut self, range: Range<u64>) -> Option<()> {
        let start = range.start.checked_next_multiple_of(8)?;
        for at in (start..range.end.saturating_sub(7)).step_by(8) {
            let word = self.stack.word(at)?;
            self.found.push(word);
            if self.found.len() > WORDS_MAX {
                return None;
            }
        }
        Some(())
    }
}

/// The bytes of a stack.
#[derive(Default)]
struct Stack {
    range: Range<u64>,
    bytes: Vec<u8>,
}

impl Stack {
    /// Begins with the innermost bytes; `false` where it is too long.
    fn take(&mut self, range: Range<u64>, top: &[u8]) -> bool {
        self.bytes.clear();
        self.bytes.extend_from_slice(top);
        self.range = range;
        self.range.end.saturating_sub(self.range.start) <= STACK_BYTES_MAX
    }

    /// Reads the rest, twice; `None` where it moves. Gives the bytes that were read.
    fn rest(&mut self, memory: &impl Memory) -> Option<u64> {
        let len = self.range.end.checked_sub(self.range.start)? as usize;
        let top = self.bytes.len();
        if top >= len {
            return Some(0);
        }
        self.bytes.resize(len, 0);
        let mut again = vec![0; len];
        memory.read(self.range.start, &mut again).ok()?;
        memory
            .read(self.range.start + top as u64, &mut self.bytes[top..])
            .ok()?;
        (again == self.bytes).then_some((len + len - top) as u64)
    }

    fn word(&self, at: u64) -> Option<u64> {
        let offset = usize::try_from(at.checked_sub(self.range.start)?).ok()?;
        let word = self.bytes.get(offset..offset.checked_add(8)?)?;
        Some(u64::from_le_bytes(word.try_into().ok()?))
    }
}
