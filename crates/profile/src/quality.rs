//! How far a recording can be trusted, in counts.
//!
//! Owns the counters that every report prints and the count of what the samples themselves tell.
//! What only the recorder knows (losses, CPU time of the targets) comes in as [`QualityInput`].

use crate::locations::{Location, LocationFlags};
use crate::profile::Profile;
use crate::samples::SampleFlags;

/// A reason why the walk of a stack ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndReason {
    /// Code, as in [`StackEnd`](crate::StackEnd).
    pub code: u8,
    /// Stable name in kebab case.
    pub name: String,
    /// What happened, as a sentence without a full stop.
    pub sentence: String,
    /// Whether a stack that ends so has reached its root and therefore is whole.
    pub root: bool,
}

/// An end reason and how many samples ended so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndReasonCount {
    /// The reason.
    pub reason: EndReason,
    /// Samples that ended so.
    pub samples: u64,
}

/// A module and how often code of it had no name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleMisses {
    /// Short name of the module, empty for code outside any.
    pub module: String,
    /// Frames without a name, over all samples.
    pub frames: u64,
    /// Samples with at least one such frame.
    pub samples: u64,
}

/// Frames that no symbol names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsymbolized {
    /// Frames without a name, over all samples.
    pub frames: u64,
    /// Frames in all, over all samples.
    pub frames_all: u64,
    /// Samples with at least one such frame.
    pub samples: u64,
    /// The same by module, most frames first.
    pub modules: Vec<ModuleMisses>,
}

/// CPU time as the kernel accounts it, beside what the samples add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// User and system time of the targets while recording; none if it was not read.
    pub targets_ns: Option<u64>,
    /// Samples times period.
    pub sampled_ns: u64,
}

impl CpuTime {
    /// Time the samples do not account for; negative if they account for more.
    pub fn gap_ns(&self) -> Option<i64> {
        let targets = i64::try_from(self.targets_ns?).unwrap_or(i64::MAX);
        Some(targets.saturating_sub(i64::try_from(self.sampled_ns).unwrap_or(i64::MAX)))
    }
}

/// Calls from one frame to the next, over all samples, by what the code says of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeCounts {
    /// The call leads to the callee.
    pub verified: u64,
    /// An indirect call: nothing speaks against it.
    pub plausible: u64,
    /// No call, or one that can't lead to the callee.
    pub impossible: u64,
    /// The caller's code could not be read.
    pub unchecked: u64,
}

impl EdgeCounts {
    /// All that were checked.
    pub fn checked(&self) -> u64 {
        self.verified + self.plausible + self.impossible
    }
}

/// What the recorder knows and the samples do not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QualityInput {
    /// Samples dropped because our own buffers were full.
    pub lost_records: u64,
    /// Samples lost before they reached us, as far as a counter shows it.
    pub lost_elsewhere: u64,
    /// Samples taken before the tables of their module were ready.
    pub table_not_ready: u64,
    /// User and system time of the targets while recording, if read.
    pub targets_cpu_ns: Option<u64>,
    /// What the code says of the calls in the stacks, if they were checked.
    pub edges: Option<EdgeCounts>,
    /// Anything else the reader should know, as sentences.
    pub notes: Vec<String>,
}

/// How far the recording can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Samples taken.
    pub samples: u64,
    /// Samples whose stack reached its root, and therefore is whole.
    pub rooted: u64,
    /// Samples by how their stack ended, most first, without zeros.
    pub end_reasons: Vec<EndReasonCount>,
    /// Samples whose stack was too deep to keep all of.
    pub elided: u64,
    /// Samples with a return address that was guessed.
    pub guessed: u64,
    /// Other samples with frames that were left by their frame pointers alone.
    pub frame_pointers: u64,
    /// Frames without a name.
    pub unsymbolized: Unsymbolized,
    /// CPU time against samples.
    pub cpu_time: CpuTime,
    /// What the recorder told.
    pub told: QualityInput,
}

impl Quality {
    /// Share of samples with a whole stack, 0 to 1; none without samples.
    pub fn whole_share(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.rooted as f64 / self.samples as f64)
    }

    /// Whether a walk that ended for the reason of this code has reached its root.
    pub fn is_root(&self, code: u8) -> bool {
        let mut roots = self.end_reasons.iter().filter(|row| row.reason.root);
        roots.any(|row| row.reason.code == code)
    }

    /// Samples lost anywhere, as far as counted.
    pub fn lost(&self) -> u64 {
        self.told.lost_records + self.told.lost_elsewhere
    }
}

/// Counts what the samples tell. Codes without a reason in `reasons` count as not rooted.
pub(crate) fn count(profile: &Profile, reasons: &[EndReason], told: QualityInput) -> Quality {
    let mut by_code = [0u64; 256];
    let (mut elided, mut guessed, mut frame_pointers) = (0, 0, 0);
    for sample in profile.samples.iter() {
        let weight = u64::from(sample.weight);
        by_code[usize::from(sample.end.reason)] += weight;
        elided += weight * u64::from(sample.end.elided_frames > 0);
        if sample.flags.has(SampleFlags::GUESSED) {
            guessed += weight;
        } else if sample.flags.has(SampleFlags::FRAME_POINTERS) {
            frame_pointers += weight;
        }
    }
    let end_reasons = end_reason_counts(&by_code, reasons);
    let samples = profile.samples.weight_sum();
    let period_ns = profile.recording.sampling.period_ns;
    Quality {
        samples,
        rooted: end_reasons
            .iter()
            .filter(|row| row.reason.root)
            .map(|row| row.samples)
            .sum(),
        end_reasons,
        elided,
        guessed,
        frame_pointers,
        unsymbolized: count_unsymbolized(profile),
        cpu_time: CpuTime {
            targets_ns: told.targets_cpu_ns,
            sampled_ns: samples.saturating_mul(period_ns),
        },
        told,
    }
}

fn end_reason_counts(by_code: &[u64; 256], reasons: &[EndReason]) -> Vec<EndReasonCount> {
    let mut rows: Vec<_> = (0..=u8::MAX)
        .zip(by_code)
        .filter(|(_, samples)| **samples > 0)
        .map(|(code, samples)| EndReasonCount {
            reason: reasons
                .iter()
                .find(|reason| reason.code == code)
                .cloned()
                .unwrap_or_else(|| EndReason {
                    code,
                    name: format!("code-{code}"),
                    sentence: "the stack ended for a reason this version does not know".into(),
                    root: false,
                }),
            samples: *samples,
        })
        .collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.samples), row.reason.code));
    rows
}

/// Counts per stack first: samples share stacks.
fn count_unsymbolized(profile: &Profile) -> Unsymbolized {
    let misses = location_misses(profile);
    let mut modules = vec![ModuleMisses::default(); profile.modules.len() + 1];
    let mut last_stack = vec![0usize; modules.len()];
    let mut total = Unsymbolized::default();
    for (number, (stack, weight)) in profile.stack_weights().into_iter().enumerate() {
        let mut missed = false;
        for location in profile.stacks.leaf_to_root(stack) {
            let here = profile.locations.get(location);
            total.frames_all += weight * here.frames.len().max(1) as u64;
            if misses[location.index()] {
                let row = here
                    .module
                    .map_or(profile.modules.len(), |module| module.index());
                modules[row].frames += weight;
                if last_stack[row] != number + 1 {
                    last_stack[row] = number + 1;
                    modules[row].samples += weight;
                }
                total.frames += weight;
                missed = true;
            }
        }
        total.samples += weight * u64::from(missed);
    }
    for (id, module) in profile.modules.iter() {
        modules[id.index()].module = profile.strings.get(module.name).to_owned();
    }
    modules.retain(|row| row.frames > 0);
    modules.sort_by(|a, b| (b.frames, &a.module).cmp(&(a.frames, &b.module)));
    total.modules = modules;
    total
}

/// For each location whether its physical frame has no name.
fn location_misses(profile: &Profile) -> Vec<bool> {
    let missed = |location: Location<'_>| {
        let physical = location.frames.last();
        let named = physical.is_some_and(|frame| profile.frame_function(*frame).1.is_named());
        !named && !location.flags.has(LocationFlags::ELIDED)
    };
    profile
        .locations
        .iter()
        .map(|(_, location)| missed(location))
        .collect()
}
