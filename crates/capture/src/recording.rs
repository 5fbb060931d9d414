//! The raw result of a recording: samples with interned stacks, and the mappings in force. Frames
//! are still addresses.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use seam_wire::{
    SEAM_END_NO_MAPPING, SEAM_END_TABLE_NOT_READY, SEAM_SAMPLE_SPAWN, Sample, SampleHeader,
    label_pairs,
};

use crate::{Cost, Grade, MadeNames, MapHistory, Module, PeerStacks, ProcessMap, Target};

/// A stack as it was walked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RawStack {
    /// The mapping set in force.
    pub mapping_set: u32,
    /// Frames left out between the leaf-most 384 and the last 128 user frames.
    pub elided: u32,
    /// Kernel addresses, leaf first.
    pub kernel: Box<[u64]>,
    /// User frames with flags, leaf first.
    pub user: Box<[u64]>,
}

/// A sample without its stack.
#[derive(Debug, Clone, Copy)]
pub struct RawSample {
    /// Number of the stack.
    pub stack: u32,
    /// Number of the set of labels, 0 = none.
    pub labels: u32,
    /// Everything else as it was sent.
    pub header: SampleHeader,
}

/// A target, as it was at the end.
#[derive(Debug, Clone)]
pub struct TargetInfo {
    /// Who it is.
    pub target: Target,
    /// The command that seam started itself.
    pub started_here: bool,
    /// A target has made it while it was recorded.
    pub is_child: bool,
    /// It ended while it was recorded.
    pub ended: bool,
    /// CPU time it used while it was recorded, in nanoseconds.
    pub cpu_time_ns: u64,
    /// The executable's module number.
    pub executable: Option<u32>,
    /// Why it runs code without a file, if none of its own file is mapped.
    pub packed: Option<String>,
}

/// Counts of the kernel side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Samples of targets, lost ones included.
    pub samples: u64,
    /// Samples lost because the ring buffer was full.
    pub ring_full: u64,
    /// Samples without user registers.
    pub no_registers: u64,
    /// Records that could not be read.
    pub malformed: u64,
    /// Side-band records that the kernel dropped; mappings were read anew then.
    pub sideband_lost: u64,
}

/// Everything recorded.
#[derive(Debug, Default)]
pub struct Recording {
    /// How it was taken.
    pub grade: Grade,
    /// Samples in the order of arrival.
    pub samples: Vec<RawSample>,
    /// Distinct stacks.
    pub stacks: Vec<RawStack>,
    /// Distinct sets of labels, as key and value. The first is empty.
    pub labels: Vec<Labels>,
    /// Threads made while recording, each with the sample of its maker at that moment.
    pub births: Vec<RawSample>,
    /// What other profilers would have had of the samples, if that was asked for.
    pub peers: Option<PeerStacks>,
    /// Mapping sets that stacks refer to.
    pub maps: MapHistory,
    /// All modules by number.
    pub modules: Vec<Arc<Module>>,
    /// Where processes tell the names of the code that they make.
    pub made_names: Vec<MadeNames>,
    /// The processes recorded.
    pub targets: Vec<TargetInfo>,
    /// Counts.
    pub counters: Counters,
    /// Cost.
    pub cost: Cost,
    /// When it began, by the wall clock.
    pub started: Option<SystemTime>,
    /// When it began, on the samples' clock (CLOCK_MONOTONIC, nanoseconds).
    pub started_ns: u64,
    /// How long it lasted.
    pub duration: Duration,
    /// Samples a second on each CPU.
    pub rate_hz: u32,
}

/// A goroutine's labels: key and value. Bytes that are no text are replaced.
pub type Labels = Box<[(String, String)]>;

/// Everything a collector has taken in.
pub(crate) struct Collected {
    pub(crate) samples: Vec<RawSample>,
    pub(crate) stacks: Vec<RawStack>,
    pub(crate) labels: Vec<Labels>,
    pub(crate) births: Vec<RawSample>,
    pub(crate) malformed: u64,
}

/// Takes samples in and interns their stacks at once.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    samples: Vec<RawSample>,
    numbers: HashMap<Arc<RawStack>, u32>,
    stacks: Vec<Arc<RawStack>>,
    /// Numbers of label sets, as sent; 0 is the empty one, which is not here.
    labels: HashMap<Vec<u8>, u32>,
    births: Vec<RawSample>,
    /// Processes sampled before anything was known of them.
    strangers: HashSet<i32>,
    used_sets: HashSet<u32>,
    malformed: u64,
}

impl Collector {
    /// Takes a record; gives the number of the sample, if it is one.
    pub(crate) fn add(&mut self, record: &[u8]) -> Option<usize> {
        let Ok(sample) = Sample::parse(record) else {
            self.malformed += 1;
            return None;
        };
        let before = self.samples.len();
        self.add_sample(sample);
        (self.samples.len() > before).then_some(before)
    }

    /// A sample that was taken in.
    pub(crate) fn header(&self, sample: usize) -> &SampleHeader {
        &self.samples[sample].header
    }

    pub(crate) fn add_sample(&mut self, sample: Sample) {
        let stack = RawStack {
            mapping_set: sample.header.mapping_set,
            elided: sample.header.elided,
            kernel: sample.kernel.into(),
            user: sample.user.into(),
        };
        self.used_sets.insert(stack.mapping_set);
        let end = u32::from(sample.header.end);
        if stack.mapping_set == 0 && end == SEAM_END_TABLE_NOT_READY {
            self.strangers.insert(sample.header.pid as i32);
        }
        let number = match self.numbers.get(&stack) {
            Some(number) => *number,
            None => {
                let number = self.stacks.len() as u32;
                let stack = Arc::new(stack);
                self.stacks.push(Arc::clone(&stack));
                self.numbers.insert(stack, number);
                number
            }
        };
        let taken = RawSample {
            stack: number,
            labels: self.labels_number(sample.labels),
            header: sample.header,
        };
        if u32::from(taken.header.flags) & SEAM_SAMPLE_SPAWN != 0 {
            self.births.push(taken);
        } else {
            self.samples.push(taken);
        }
    }

    fn labels_number(&mut self, labels: Vec<u8>) -> u32 {
        if labels.is_empty() {
            return 0;
        }
        let next = self.labels.len() as u32 + 1;
        *self.labels.entry(labels).or_insert(next)
    }

    /// The processes of which nothing was known, once each time they are asked for.
    pub(crate) fn take_strangers(&mut self) -> HashSet<i32> {
        std::mem::take(&mut self.strangers)
    }

    /// Those that there was no time for: they are asked for again.
    pub(crate) fn return_strangers(&mut self, pids: HashSet<i32>) {
        self.strangers.extend(pids);
    }

    /// Whether any stack refers to a mapping set.
    pub(crate) fn uses(&self, set: u32) -> bool {
        self.used_sets.contains(&set)
    }

    /// Samples so far.
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// Walks that ended in a mapping seam learned of a moment later ended for want of its table.
    pub(crate) fn tell_late_mappings(&mut self, maps: &HashMap<i32, ProcessMap>) {
        let unknown = |s: &&mut RawSample| u32::from(s.header.end) == SEAM_END_NO_MAPPING;
        for sample in self.samples.iter_mut().filter(unknown) {
            let map = maps.get(&(sample.header.pid as i32));
            if map.is_some_and(|map| map.find(sample.header.end_pc).is_some()) {
                sample.header.end = SEAM_END_TABLE_NOT_READY as u8;
            }
        }
    }

    pub(crate) fn finish(self) -> Collected {
        drop(self.numbers);
        let mut labels = vec![Labels::default(); self.labels.len() + 1];
        for (bytes, number) in self.labels {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let pairs = label_pairs(&bytes).map(|(key, value)| (text(key), text(value)));
            labels[number as usize] = pairs.collect();
        }
        Collected {
            samples: self.samples,
            stacks: self.stacks.into_iter().map(Arc::unwrap_or_clone).collect(),
            labels,
            births: self.births,
            malformed: self.malformed,
        }
    }
}
