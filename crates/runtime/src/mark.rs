//! What can be reached: a conservative mark over Go's heap from outside, by which goroutines are
//! found that nothing can wake.
//!
//! The rule is the one of Go's own leak profile (`isMaybeRunnable`, runtime/mgc.go, Go 1.26 and
//! 1.27), for every version: roots are variables and the stacks of goroutines that can run. A
//! parked goroutine is one of these once an object that it waits on is reached. The records that
//! lead from an object or the runtime's lists to a parked goroutine (sudog, g) are not followed.
//!
//! Of a parked stack count the words that the compiler's stack maps say are alive, where they are
//! known; elsewhere every word that could be a pointer counts as one. So what is reached may be
//! more than there is, never less, as far as the memory held still. Whether it did is for the
//! caller to judge, by two marks.

mod again;
mod stack;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use seam_go::Frame;
use seam_memory::{Memory, Piece};

use crate::goroutine::Place;
use crate::heap::{Heap, Object};
use crate::layout::Layout;
use again::AGAIN_BYTES;
use stack::{Alive, StackWords};

/// Bytes that are read at once.
const CHUNK: u64 = 256 << 10;
/// Pieces that are read at once.
const PIECES: usize = 1024;
/// A goroutine as the mark sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Its g.
    pub g: u64,
    /// Its stack, from its own frames on; all of it while it runs.
    pub stack: Range<u64>,
    /// What it waits on, as places in [`From::objects`]; `None` for one that can run, or of which
    /// that is not known.
    pub waits_on: Option<Range<u32>>,
    /// The call in which it has stopped; `None` where its stack is to be taken word by word.
    pub parked: Option<Place>,
}

/// The frame of the code that a call returns to.
pub type Frames<'a> = dyn Fn(u64) -> Option<Rc<Frame>> + 'a;

/// What a mark starts from, and what it leaves out.
pub struct From<'a> {
    /// Ranges of addresses: variables.
    pub roots: &'a [Range<u64>],
    /// Words in registers, and others that are known to be kept.
    pub words: &'a [u64],
    /// Every goroutine.
    pub candidates: &'a [Candidate],
    /// What these wait on.
    pub objects: &'a [u64],
    /// What is not followed.
    pub hidden: &'a Hidden,
    /// What is alive in frames.
    pub frames: &'a Frames<'a>,
    /// The heap as it is by now, with the numbers of objects as they were; `None` where it can't be
    /// read, or does not change.
    pub grown: &'a dyn Fn(&Heap) -> Option<Heap>,
    /// Where a g keeps what tells whether its goroutine has moved.
    pub layout: &'a Layout,
}

impl From<'_> {
    fn waits_on(&self, candidate: &Candidate) -> &[u64] {
        let places = candidate.waits_on.clone().unwrap_or_default();
        let objects = self.objects.get(places.start as usize..places.end as usize);
        objects.unwrap_or_default()
    }
}

/// How much is read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes.
    pub bytes: u64,
}

/// What came of a mark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marked {
    /// For each goroutine whether something that can run leads to it, or itself can run.
    pub live: Vec<bool>,
    /// Those that were only found alive when more was looked: what leads to them moves.
    pub moving: Vec<usize>,
    /// Bytes that were read.
    pub bytes: u64,
    /// Why it is not complete.
    pub incomplete: Option<String>,
}

/// Marks from roots and from the goroutines that can run.
pub fn mark(memory: &impl Memory, heap: &Heap, from: &From<'_>, budget: Budget) -> Marked {
    let candidates = from.candidates;
    let mut marker = Marker::new(memory, heap, from.hidden, budget);
    marker.g_bytes = candidates
        .iter()
        .find_map(|c| Some(heap.object(c.g)?.bytes));
    let stacks = Stacks::of(candidates);
    for (at, candidate) in candidates.iter().enumerate() {
        for object in from.waits_on(candidate) {
            marker.watch(*object, at, &stacks);
        }
    }
    from.words.iter().for_each(|word| marker.word(*word));
    for range in from.roots {
        marker.range(range.clone());
    }
    let can_run = |c: &Candidate| c.waits_on.is_none();
    for (at, _) in candidates.iter().enumerate().filter(|(_, c)| can_run(c)) {
        marker.woken.push(at);
    }
    let mut live = vec![false; candidates.len()];
    let mut stacks = StackWords::new(memory, from);
    marker.all(from, &mut stacks, &mut live);
    let before = live.clone();
    marker.catch_up(from, &mut stacks, &mut live);
    let found = |at: &usize| live[*at] && !before[*at];
    Marked {
        moving: (0..live.len()).filter(found).collect(),
        live,
        bytes: marker.read,
        incomplete: marker.incomplete(),
    }
}

/// What is not followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Objects: every g, and the sudogs of parked goroutines.
    pub objects: Vec<u64>,
    /// Ranges: the buffers of the write barrier, in which old pointers stay.
    pub ranges: Vec<Range<u64>>,
    /// Where a g names itself (`g.sched.g`), by which those are known that are on no list: g0,
    /// gsignal.
    pub g_self: Option<u64>,
    /// Objects that lead to others though they hold no pointers: handles of weak pointers.
    pub weak: Vec<(u64, u64)>,
}

/// A g begins with the bounds of its stack (Go 1.19 to 1.27). They are no pointers, and the end of
/// one is where an object may begin.
const STACK_BOUNDS: u64 = 32;

/// Whose stack an address lies on.
struct Stacks(Vec<(Range<u64>, usize)>);

impl Stacks {
    fn of(candidates: &[Candidate]) -> Self {
        let all = candidates.iter().enumerate();
        let mut all: Vec<_> = all.map(|(at, c)| (c.stack.clone(), at)).collect();
        all.sort_unstable_by_key(|(stack, _)| stack.start);
        Self(all)
    }

    fn owner(&self, address: u64) -> Option<usize> {
        let behind = self.0.partition_point(|(stack, _)| stack.start <= address);
        let (stack, at) = self.0.get(behind.checked_sub(1)?)?;
        stack.contains(&address).then_some(*at)
    }
}

struct Marker<'a, M> {
    memory: &'a M,
    heap: Cow<'a, Heap>,
    hidden: &'a Hidden,
    /// Those of its objects that are on the heap.
    hidden_objects: Vec<u64>,
    /// By the number of the handle's object.
    weak: HashMap<u64, Vec<u64>>,
    /// What handles that were met have named.
    named: Vec<u64>,
    marked: Vec<u64>,
    /// Objects that somebody waits on.
    watched: Vec<u64>,
    waiters: HashMap<u64, Vec<usize>>,
    /// Those whose wait object lies on a goroutine's stack.
    on_stacks: HashMap<usize, Vec<usize>>,
    woken: Vec<usize>,
    /// With each piece how far known objects are read again from there.
    work: Vec<(Piece, u8)>,
    /// How far that is from what is looked at now.
    depth: u8,
    /// Objects that were read again.
    again: Vec<u64>,
    read: u64,
    budget: u64,
    unreadable: u64,
    buffer: Vec<u8>,
    /// The size of objects that hold a g.
    g_bytes: Option<u64>,
}

impl<'a, M: Memory> Marker<'a, M> {
    fn new(memory: &'a M, heap: &'a Heap, hidden: &'a Hidden, budget: Budget) -> Self {
        let words = heap.objects.div_ceil(64) as usize;
        let mut hidden_objects = vec![0; words];
        for address in &hidden.objects {
            if let Some(object) = heap.object(*address).filter(|o| o.start == *address) {
                set(&mut hidden_objects, object.number);
            }
        }
        let mut weak: HashMap<u64, Vec<u64>> = HashMap::new();
        for (handle, named) in &hidden.weak {
            let number = heap.object(*handle).map(|object| object.number);
            weak.entry(number.unwrap_or(u64::MAX))
                .or_default()
                .push(*named);
        }
        Self {
            weak,
            named: Vec::new(),
            memory,
            heap: Cow::Borrowed(heap),
            hidden,
            hidden_objects,
            marked: vec![0; words],
            watched: vec![0; words],
            waiters: HashMap::new(),
            on_stacks: HashMap::new(),
            woken: Vec::new(),
            work: Vec::new(),
            depth: 0,
            again: Vec::new(),
            read: 0,
            budget: budget.bytes,
            unreadable: 0,
            buffer: Vec::new(),
            g_bytes: None,
        }
    }

    /// Follows everything, until nothing is left.
    fn all(&mut self, from: &From<'_>, stacks: &mut StackWords<'_, M>, live: &mut [bool]) {
        self.depth = 0;
        loop {
            self.drain();
            let left = self.woken.len().saturating_sub(PIECES);
            let woken = self.woken.split_off(left);
            if woken.is_empty() {
                break;
            }
            let new = |at: &usize| !std::mem::replace(&mut live[*at], true);
            let woken: Vec<usize> = woken.into_iter().filter(new).collect();
            self.goroutines(&woken, from, stacks);
        }
    }

    /// Notes that goroutine `at` can be woken through the object at an address.
    fn watch(&mut self, address: u64, at: usize, stacks: &Stacks) {
        // The nil channel: nothing leads there.
        if address == 0 {
            return;
        }
        if let Some(object) = self.heap.object(address) {
            set(&mut self.watched, object.number);
            self.waiters.entry(object.number).or_default().push(at);
            return;
        }
        match stacks.owner(address) {
            Some(owner) => self.on_stacks.entry(owner).or_default().push(at),
            // A variable, or memory that is not Go's: anybody may know it.
            None => self.woken.push(at),
        }
    }

    /// Goroutines that can run bring their stacks, and what their g's hold.
    fn goroutines(&mut self, woken: &[usize], from: &From<'_>, stacks: &mut StackWords<'_, M>) {
        let all = from.candidates;
        let with_place = |at: &usize| Some((&all[*at], all[*at].parked?));
        let parked: Vec<(&Candidate, Place)> = woken.iter().filter_map(with_place).collect();
        stacks.prepare(&parked);
        let mut at = 0;
        for (number, one) in parked.into_iter().enumerate() {
            match stacks.alive(one, number, &mut at) {
                Alive::Words(words) => words.iter().for_each(|word| self.word(*word)),
                Alive::All => self.range(one.0.stack.clone()),
                Alive::Moved(stack) => self.range(stack),
            }
        }
        self.read += stacks.take_read();
        for at in woken {
            let candidate = &all[*at];
            if candidate.parked.is_none() {
                self.range(candidate.stack.clone());
            }
            self.with_it(candidate, from.waits_on(candidate), *at);
        }
    }

    /// What a goroutine that can run holds besides its stack.
    fn with_it(&mut self, candidate: &Candidate, waits_on: &[u64], at: usize) {
        waits_on.iter().for_each(|object| self.word(*object));
        if let Some(g) = self.heap.object(candidate.g) {
            self.range(g.start + STACK_BOUNDS..g.start + g.bytes);
        }
        let here = self.on_stacks.remove(&at);
        self.woken.extend(here.into_iter().flatten());
    }

    /// Every word of a range may be a pointer.
    fn range(&mut self, range: Range<u64>) {
        let start = range.start.checked_next_multiple_of(8);
        let (start, end) = (start.unwrap_or(range.end), range.end);
        // Bounds of a stack come from the target: they may be anything.
        if end.saturating_sub(start) > self.budget {
            self.read = self.budget + 1;
            return;
        }
        let mut at = start;
        while at < end {
            let len = (end - at).min(CHUNK) as usize;
            self.work.push((Piece { address: at, len }, self.depth));
            at += len as u64;
        }
    }

    fn word(&mut self, word: u64) {
        let Some(object) = self.heap.object(word) else {
            return;
        };
        if set(&mut self.marked, object.number) {
            let near = self.depth > 0 && object.bytes <= AGAIN_BYTES;
            if near && self.holds(&object) && !set(&mut self.again, object.number) {
                self.push(object);
            }
            return;
        }
        if is_set(&self.watched, object.number) {
            let waiters = self.waiters.remove(&object.number);
            self.woken.extend(waiters.into_iter().flatten());
        }
        // Later: a chain of them must not become one of calls.
        let named = self.weak.remove(&object.number);
        self.named.extend(named.into_iter().flatten());
        if self.holds(&object) {
            self.push(object);
        }
    }

    /// Whether an object's words are followed.
    fn holds(&self, object: &Object) -> bool {
        !object.noscan && !is_set(&self.hidden_objects, object.number)
    }

    fn push(&mut self, object: Object) {
        let depth = self.depth;
        self.depth = depth.saturating_sub(1);
        self.whole(object);
        self.depth = depth;
    }

    fn whole(&mut self, object: Object) {
        let names_itself = |at: u64| self.memory.word(object.start + at) == Ok(object.start);
        let of_gs = Some(object.bytes) == self.g_bytes;
        let is_g = || self.hidden.g_self.is_some_and(names_itself) || self.has_stack(&object);
        if of_gs && is_g() {
            return self.range(object.start + STACK_BOUNDS..object.start + object.bytes);
        }
        self.range(object.start..object.start.saturating_add(object.bytes));
    }

    /// Whether an object begins as the g of a signal stack does, which does not name itself: bounds
    /// of a stack that is no object, and between them, near the lower, its guard (malg,
    /// runtime/proc.go).
    fn has_stack(&self, object: &Object) -> bool {
        /// More than the guard's distance (`stackGuard`, 928 and some in builds that check races).
        const GUARD_MAX: u64 = 8192;
        let mut bytes = [0; 24];
        if object.bytes < 24 || self.memory.read(object.start, &mut bytes).is_err() {
            return false;
        }
        let [low, high, guard] = [0, 8, 16].map(|at| crate::layout::word(&bytes, at));
        let near = guard
            .checked_sub(low)
            .is_some_and(|near| (1..GUARD_MAX).contains(&near));
        let apart = high.checked_sub(guard).is_some_and(|rest| rest > 0);
        near && apart && self.heap.object(low).is_none() && self.heap.object(guard).is_none()
    }

    /// Reads what is to be read until nothing is left.
    fn drain(&mut self) {
        loop {
            while let Some(named) = self.named.pop() {
                self.word(named);
            }
            if self.work.is_empty() {
                break;
            }
            let mut left = CHUNK as usize;
            let mut count = 0;
            for (piece, _) in self.work.iter().rev().take(PIECES) {
                if piece.len > left {
                    break;
                }
                left -= piece.len;
                count += 1;
            }
            // A piece has at most a chunk.
            let batch = self.work.split_off(self.work.len() - count.max(1));
            let total: usize = batch.iter().map(|(piece, _)| piece.len).sum();
            if self.read + total as u64 > self.budget {
                self.read = self.budget + 1;
                self.work.clear();
                return;
            }
            self.read += total as u64;
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(total, 0);
            let pieces: Vec<Piece> = batch.iter().map(|(piece, _)| *piece).collect();
            let read = self.memory.gather(&pieces, &mut buffer);
            let mut rest = buffer.as_slice();
            for ((piece, depth), read) in batch.iter().zip(read) {
                self.depth = *depth;
                let (bytes, after) = rest.split_at(piece.len);
                rest = after;
                if read {
                    self.words(piece.address, bytes);
                } else {
                    self.unreadable += 1;
                }
            }
            self.buffer = buffer;
        }
    }

    fn words(&mut self, start: u64, bytes: &[u8]) {
        let end = start + bytes.len() as u64;
        let hides = |range: &&Range<u64>| range.start < end && start < range.end;
        let hidden: Vec<_> = self.hidden.ranges.iter().filter(hides).cloned().collect();
        for (number, word) in bytes.as_chunks::<8>().0.iter().enumerate() {
            let at = start + 8 * number as u64;
            if hidden.is_empty() || !hidden.iter().any(|range| range.contains(&at)) {
                self.word(u64::from_le_bytes(*word));
            }
        }
    }

    fn incomplete(&self) -> Option<String> {
        if self.read > self.budget {
            return Some(format!("more than {} MiB to read", self.budget >> 20));
        }
        (self.unreadable > 0).then(|| format!("{} pieces could not be read", self.unreadable))
    }
}

/// Sets a bit, and says whether it was set before.
fn set(bits: &mut [u64], number: u64) -> bool {
    let Some(word) = bits.get_mut((number / 64) as usize) else {
        return true;
    };
    let before = *word & (1 << (number % 64)) != 0;
    *word |= 1 << (number % 64);
    before
}

fn is_set(bits: &[u64], number: u64) -> bool {
    let word = bits.get((number / 64) as usize);
    word.is_some_and(|word| word & (1 << (number % 64)) != 0)
}

#[cfg(test)]
mod tests;
