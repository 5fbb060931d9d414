//! What other profilers would have had of the samples (`record --compare`): takes in what the
//! kernel side sends of each, walks the copies at once, and keeps stacks of addresses.
//!
//! Owns pairing with samples and the unwind information that perf would use. The walk by perf's
//! rules is in seam-unwind; what the stacks are worth is for seam-analyze.

use std::collections::HashMap;

use seam_object::{Elf, ReadCache};
use seam_unwind::{CopiedStack, EhFrames, walk_copied};
use seam_wire::{PeerRecord, SEAM_FRAME_EXACT, SEAM_FRAME_FLAG_SHIFT};

use crate::{MapHistory, Module};

/// Distinct stacks of other profilers, and which samples have which.
#[derive(Debug, Clone, Default)]
pub struct PeerStacks {
    /// User frames with flags, leaf first, and the mapping set in force.
    pub stacks: Vec<(u32, Box<[u64]>)>,
    /// By the number of the sample.
    pub samples: HashMap<usize, PeerPair>,
    /// Samples for which there was no room.
    pub lost: u64,
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
    /// By number of module; `None` without.
    frames: HashMap<u32, Option<EhFrames>>,
    malformed: u64,
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

    /// A record has arrived, and has to wait for its sample if that is still on its way.
    pub(crate) fn add(&mut self, record: &[u8], maps: &MapHistory) {
        let Ok(record) = PeerRecord::parse(record) else {
            self.malformed += 1;
            return;
        };
        // The sample itself was lost, or is a stranger's.
        let Some(waiting) = self.waiting.remove(&(record.tid, record.time_ns)) else {
            return;
        };
        let copy = CopiedStack {
            pc: record.pc,
            registers: record.registers,
            bytes: record.stack,
        };
        let set = waiting.mapping_set;
        self.load(set, &copy, maps);
        let frames = &self.frames;
        let copied = walk_copied(&copy, |address| {
            let mapping = maps.find(set, address)?;
            let described = frames.get(&mapping.module.number)?.as_ref()?;
            Some((described, address.wrapping_sub(mapping.load_bias)))
        });
        let pair = PeerPair {
            frame_pointers: self.number(set, record.frames),
            copied: self.number(set, copied),
        };
        self.taken.samples.insert(waiting.sample, pair);
    }

    /// Reads what describes the code that the copy may refer to.
    fn load(&mut self, set: u32, copy: &CopiedStack<'_>, maps: &MapHistory) {
        let words = copy.bytes.chunks_exact(8);
        let words = words.map(|w| u64::from_le_bytes(w.try_into().expect("8 bytes")));
        for address in words.chain([copy.pc]) {
            let Some(mapping) = maps.find(set, address) else {
                continue;
            };
            let module = &mapping.module;
            self.frames
                .entry(module.number)
                .or_insert_with(|| eh_frames(module));
        }
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

    /// All of it; `lost` are those that the kernel side had no room for.
    pub(crate) fn finish(mut self, lost: u64) -> PeerStacks {
        self.taken.lost = lost + self.malformed;
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
