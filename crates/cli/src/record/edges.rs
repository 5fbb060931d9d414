//! Drives seam-edges over a recording: which edges its stacks have and how often, and what the code
//! says of each. Modules are opened elsewhere, one after the other, and shown to [`Edges::check`].

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use seam_capture::{RawStack, Recording};
use seam_edges::{Callee, Claim, Edge, Fault, Module, Verdict};
use seam_object::{Elf, ReadRef};
use seam_profile::EdgeCounts;
use seam_symbolize::ModuleSymbols;
use seam_wire::{SEAM_END_ROOT_CONTEXT, SEAM_FRAME_EXACT, SEAM_LEAF_FRAMES, frame_flags};

use super::symbolize::place;

/// A frame's place: module, the address to look up as linked, and where the module was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) module: u32,
    pub(crate) lookup: u64,
    bias: u64,
}

/// One distinct edge.
struct Row {
    caller: Spot,
    callee: Option<Spot>,
    outermost: bool,
    /// How often it occurs, in samples.
    weight: u64,
    claim: Option<Claim>,
}

/// An edge that can't be.
pub(crate) struct Impossible {
    pub(crate) caller: Spot,
    pub(crate) callee: Option<Spot>,
    pub(crate) fault: Fault,
    pub(crate) weight: u64,
}

/// All distinct edges of a recording.
#[derive(Default)]
pub(crate) struct Edges {
    rows: Vec<Row>,
    /// Rows by the caller's module.
    callers: BTreeMap<u32, Vec<usize>>,
    /// Callees by module whose callers lie elsewhere, with the names of their functions.
    called: BTreeMap<u32, HashMap<u64, Vec<Vec<u8>>>>,
    /// Occurrences whose caller lies in no mapping.
    unplaced: u64,
}

impl Edges {
    /// Collects them.
    pub(crate) fn of(recording: &Recording) -> Self {
        let mut counts = vec![[0u64; 2]; recording.stacks.len()];
        for sample in &recording.samples {
            let planted = u32::from(sample.header.end) == SEAM_END_ROOT_CONTEXT;
            counts[sample.stack as usize][usize::from(planted)] += 1;
        }
        let mut collector = Collector::default();
        for (stack, counts) in recording.stacks.iter().zip(counts) {
            for (count, planted) in counts.into_iter().zip([false, true]) {
                if count > 0 {
                    collector.add(recording, stack, count, planted);
                }
            }
        }
        collector.finish()
    }

    /// Judges all edges with callers in a module, and names the callees in it that others call.
    pub(crate) fn check<'d, R: ReadRef<'d>>(
        &mut self,
        number: u32,
        elf: &Elf<'d, R>,
        symbols: &ModuleSymbols<'d, '_, R>,
    ) {
        let mut module = Module::new(elf, symbols);
        for (address, names) in self.called.get_mut(&number).into_iter().flatten() {
            *names = module.entry_names(*address);
        }
        for at in self.callers.get(&number).into_iter().flatten() {
            let row = &mut self.rows[*at];
            let callee = match row.callee {
                Some(spot) if spot.module == number && spot.bias == row.caller.bias => {
                    Callee::Here(spot.lookup)
                }
                _ => Callee::Elsewhere,
            };
            row.claim = Some(module.judge(&Edge {
                return_address: row.caller.lookup.wrapping_add(1),
                callee,
                outermost: row.outermost,
            }));
        }
    }

    /// Counts the verdicts; impossible edges come with the most frequent first.
    pub(crate) fn finish(&self) -> (EdgeCounts, Vec<Impossible>) {
        let mut counts = EdgeCounts {
            unchecked: self.unplaced,
            ..EdgeCounts::default()
        };
        let mut impossible = Vec::new();
        for row in &self.rows {
            let Some(claim) = &row.claim else {
                counts.unchecked += row.weight;
                continue;
            };
            match claim.settle(self.names_of(row.callee)) {
                Verdict::Verified(_) => counts.verified += row.weight,
                Verdict::Plausible(_) => counts.plausible += row.weight,
                Verdict::Impossible(fault) => {
                    counts.impossible += row.weight;
                    impossible.push(Impossible {
                        caller: row.caller,
                        callee: row.callee,
                        fault,
                        weight: row.weight,
                    });
                }
            }
        }
        impossible.sort_by_key(|edge| std::cmp::Reverse(edge.weight));
        (counts, impossible)
    }

    fn names_of(&self, callee: Option<Spot>) -> &[Vec<u8>] {
        let names = callee.and_then(|spot| self.called.get(&spot.module)?.get(&spot.lookup));
        names.map_or(&[], Vec::as_slice)
    }
}

#[derive(Default)]
struct Collector {
    /// Mapping set and stored frame to the number of its place.
    numbers: Fast<(u32, u64), u32>,
    places: Vec<Option<Spot>>,
    /// Callee, caller, outermost.
    weights: Fast<(u32, u32, bool), u64>,
}

impl Collector {
    /// `planted`: the outermost address is one that the program has put there, and no call.
    fn add(&mut self, recording: &Recording, stack: &RawStack, count: u64, planted: bool) {
        let mut above = None;
        for (at, frame) in stack.user.iter().enumerate() {
            let number = self.number(recording, stack.mapping_set, *frame);
            let cut = stack.elided > 0 && at == SEAM_LEAF_FRAMES as usize;
            // The interrupted pc of a signal's or a preempted frame made no call.
            let interrupted = frame_flags(*frame) & SEAM_FRAME_EXACT != 0;
            let outermost = at + 1 == stack.user.len();
            let no_call = cut || interrupted || (outermost && planted);
            if let Some(callee) = above.filter(|_| !no_call) {
                *self.weights.entry((callee, number, outermost)).or_default() += count;
            }
            above = Some(number);
        }
    }

    fn number(&mut self, recording: &Recording, set: u32, frame: u64) -> u32 {
        if let Some(number) = self.numbers.get(&(set, frame)) {
            return *number;
        }
        let spot = place(recording, set, frame).map(|place| Spot {
            module: place.mapping.module.number,
            lookup: place.lookup,
            bias: place.mapping.load_bias,
        });
        let number = self.places.len() as u32;
        self.places.push(spot);
        self.numbers.insert((set, frame), number);
        number
    }

    fn finish(self) -> Edges {
        let mut edges = Edges::default();
        for ((callee, caller, outermost), weight) in self.weights {
            let callee = self.places[callee as usize];
            let Some(caller) = self.places[caller as usize] else {
                edges.unplaced += weight;
                continue;
            };
            edges
                .callers
                .entry(caller.module)
                .or_default()
                .push(edges.rows.len());
            if let Some(callee) = callee {
                let called = edges.called.entry(callee.module).or_default();
                called.entry(callee.lookup).or_default();
            }
            edges.rows.push(Row {
                caller,
                callee,
                outermost,
                weight,
                claim: None,
            });
        }
        edges
    }
}

type Fast<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// A hash for addresses of our own recording: a million stacks have 25 million frames to look up.
/// Nobody gains from making them collide but who slows down the analysis of his own program.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        // 2^64 divided by the golden ratio, as in Fibonacci hashing.
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }
}
