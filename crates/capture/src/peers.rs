//! What other profilers would have had of the samples (`record --compare`): takes in what the
//! kernel side sends of each, walks the copies at once, and keeps stacks of addresses.
//!
//! Owns pairing with samples and the unwind information that perf would use. The walk by perf's
//! rules is in seam-unwind; what the stacks are worth is for seam-analyze.

use std::collections::HashMap;
use std::rc::Rc;

use seam_object::{Elf, ReadCache};
use seam_unwind::{CopiedStack, EhFrames, walk_copied};
use seam_wire::{PeerRecord, SEAM_FRAME_EXACT, SEAM_FRAME_FLAG_SHIFT};

use crate::{MapHistory, Module};

/// Distinct stacks of other profilers, and which samples have which.
#[derive(Debug, Clone, Default)]
pub struct PeerStacks {
    /// User frames with flags, leaf first, and the mapping set in force.
    pub stacks: Vec<(u32, Box<[u64]>)>,
    /// By the number of the sample. Those for which there was no room have none.
    pub samples: HashMap<usize, PeerPair>,
}

/// Numbers of one sample's stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerPair {
    /// As the kernel walks it by frame pointers.
    pub frame_pointers: u32,
    /// As perf walks its copy of the stack.
    pub copied: u32,
}

/// Takes them in.
#[derive(Debug, Default)]
pub(crate) struct PeerCollector {
    taken: PeerStacks,
    numbers: HashMap<(u32, Box<[u64]>), u32>,
    /// Samples whose record has not been met, by thread and time.
    waiting: HashMap<(u32, u64), Waiting>,
    /// Records that came before their samples.
    early: Vec<Vec<u8>>,
    /// By number of module; `None` without.
    frames: HashMap<u32, Option<Rc<EhFrames>>>,
}

#[derive(Debug)]
struct Waiting {
    sample: usize,
    mapping_set: u32,
}

impl PeerCollector {
    /// A sample has arrived.
    pub(crate) fn expect(&mut self, tid: u32, time_ns: u64, sample: usize, mapping_set: u32) {
        let waiting = Waiting {
            sample,
            mapping_set,
        };
        self.waiting.insert((tid, time_ns), waiting);
    }

    /// A record has arrived. Those of samples that are still on their way wait for the next time:
    /// a sample is sent after its record, and may be after all samples were taken.
    pub(crate) fn add(&mut self, record: &[u8], maps: &MapHistory) {
        let Ok(parsed) = PeerRecord::parse(record) else {
            return;
        };
        match self.waiting.remove(&(parsed.tid, parsed.time_ns)) {
            Some(waiting) => self.take(&waiting, parsed, maps),
            None => self.early.push(record.to_vec()),
        }
    }

    /// Takes in the records that waited, once more samples have arrived. What has no sample now has
    /// none: the ring was full.
    pub(crate) fn add_early(&mut self, maps: &MapHistory) {
        for record in std::mem::take(&mut self.early) {
            self.add(&record, maps);
        }
        self.early.clear();
    }

    fn take(&mut self, waiting: &Waiting, record: PeerRecord<'_>, maps: &MapHistory) {
        let copy = CopiedStack {
            pc: record.pc,
            registers: record.registers,
            bytes: record.stack,
        };
        let set = waiting.mapping_set;
        let frames = &mut self.frames;
        let copied = walk_copied(&copy, |address| {
            let mapping = maps.find(set, address)?;
            let module = &mapping.module;
            let described = frames.entry(module.number);
            let described = described.or_insert_with(|| eh_frames(module).map(Rc::new));
            let linked = address.wrapping_sub(mapping.load_bias);
            Some((Rc::clone(described.as_ref()?), linked))
        });
        let pair = PeerPair {
            frame_pointers: self.number(set, record.frames),
            copied: self.number(set, copied),
        };
        self.taken.samples.insert(waiting.sample, pair);
    }

    fn number(&mut self, set: u32, mut frames: Vec<u64>) -> u32 {
        // The interrupted instruction comes first, return addresses after it.
        if let Some(leaf) = frames.first_mut() {
            *leaf |= u64::from(SEAM_FRAME_EXACT) << SEAM_FRAME_FLAG_SHIFT;
        }
        let next = self.taken.stacks.len() as u32;
        let key = (set, frames.into_boxed_slice());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        self.taken.stacks.push(key.clone());
        self.numbers.insert(key, next);
        next
    }

    pub(crate) fn finish(self) -> PeerStacks {
        self.taken
    }
}

fn eh_frames(module: &Module) -> Option<EhFrames> {
    if !module.image.is_empty() {
        return EhFrames::of(&Elf::parse(module.image.as_slice()).ok()?);
    }
    let cache = ReadCache::new(module.file.as_ref()?);
    EhFrames::of(&Elf::parse(&cache).ok()?)
}
