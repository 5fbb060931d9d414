//! What other profilers would have kept of the same samples.
//!
//! Owns the verdicts and the rule by which Go's own profiler's stack follows from a whole one.
//! Samples whose own stack is not whole are left out: there is nothing to hold others against.

use std::collections::{BTreeMap, HashMap};

use seam_profile::{FunctionKind, ModuleId, PeerStacks, Profile, Role, StackId};

/// Frames that Go's profiler keeps, inlined ones counted (runtime/cpuprof.go, `maxCPUProfStack`,
/// Go 1.19 to 1.27).
const GO_FRAMES_MAX: usize = 64;
/// With more changes between Go and C than this, a kind is one of "more".
const CHANGES_MAX: usize = 3;

/// Other ways to get a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// The kernel's walk by frame pointers (`perf record -g`), taken at the sample.
    FramePointers,
    /// A copy of 8 KiB of stack, walked by `.eh_frame` (`perf record --call-graph dwarf`).
    DwarfCopy,
    /// What `runtime/pprof` keeps.
    GoProfiler,
}

impl Method {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::FramePointers, Self::DwarfCopy, Self::GoProfiler];

    /// Its name for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FramePointers => "perf -g (frame pointers)",
            Self::DwarfCopy => "perf dwarf (8 KiB copies)",
            Self::GoProfiler => "Go's pprof",
        }
    }

    /// Its name in the head of a column.
    pub const fn short(self) -> &'static str {
        match self {
            Self::FramePointers => "perf -g",
            Self::DwarfCopy => "perf dwarf",
            Self::GoProfiler => "Go pprof",
        }
    }

    /// Its name in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::FramePointers => "frame_pointers",
            Self::DwarfCopy => "dwarf_copy",
            Self::GoProfiler => "go_profiler",
        }
    }
}

/// What one method makes of some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Samples with every frame.
    pub whole: u64,
    /// The innermost frames are right, callers are missing: time under nobody.
    pub cut: u64,
    /// Frames are missing in between or at the leaf, or others are there: time under the wrong
    /// caller or at the wrong function.
    pub wrong: u64,
    /// Frames of whole stacks, over all samples.
    pub frames: u64,
    /// Of these, those that it has not.
    pub lost: u64,
}

/// Samples of one kind of call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindTallies {
    /// `Go → C → Go`: root first.
    pub kind: String,
    /// How many.
    pub samples: u64,
    /// By method, in the order of [`Method::ALL`].
    pub methods: [Tally; 3],
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Samples compared.
    pub samples: u64,
    /// Samples whose own stack is not whole, or of which nothing else is known.
    pub left_out: u64,
    /// By kind of call, commonest first.
    pub kinds: Vec<KindTallies>,
}

impl Comparison {
    /// All kinds together.
    #[must_use]
    pub fn total(&self) -> [Tally; 3] {
        let mut total = [Tally::default(); 3];
        for (sum, method) in total.iter_mut().zip(0..) {
            for kind in &self.kinds {
                sum.add(kind.methods[method], 1);
            }
        }
        total
    }
}

impl Tally {
    fn add(&mut self, other: Self, weight: u64) {
        self.whole += weight * other.whole;
        self.cut += weight * other.cut;
        self.wrong += weight * other.wrong;
        self.frames += weight * other.frames;
        self.lost += weight * other.lost;
    }
}

/// Compares, where the recording has what it takes.
#[must_use]
pub fn compare(profile: &Profile) -> Option<Comparison> {
    let peers = profile.peers()?;
    let mut comparison = Comparison::default();
    let mut judged: HashMap<(StackId, PeerStacks), (String, [Tally; 3])> = HashMap::new();
    let mut kinds: BTreeMap<String, (u64, [Tally; 3])> = BTreeMap::new();
    for (row, sample) in profile.samples().iter().enumerate() {
        let weight = u64::from(sample.weight);
        let rooted = profile.quality().is_root(sample.end.reason);
        let whole = rooted && sample.end.elided_frames == 0;
        let (Some(stack), Some(peers), true) = (sample.stack, peers.get(row), whole) else {
            comparison.left_out += weight;
            continue;
        };
        let (kind, tallies) = judged
            .entry((stack, peers))
            .or_insert_with(|| judge(profile, stack, peers));
        if kind.is_empty() {
            // The kernel's own threads, and nothing but roots.
            comparison.left_out += weight;
            continue;
        }
        comparison.samples += weight;
        let (samples, sums) = kinds.entry(kind.clone()).or_default();
        *samples += weight;
        for (sum, tally) in sums.iter_mut().zip(tallies) {
            sum.add(*tally, weight);
        }
    }
    let kinds = kinds
        .into_iter()
        .map(|(kind, (samples, methods))| KindTallies {
            kind,
            samples,
            methods,
        });
    comparison.kinds = kinds.collect();
    comparison
        .kinds
        .sort_by_key(|kind| std::cmp::Reverse(kind.samples));
    Some(comparison)
}

/// An address, and where it lies.
type Spot = (u64, Option<ModuleId>);

/// A location of user code in a stack.
#[derive(Clone, Copy)]
struct Place {
    spot: Spot,
    role: Role,
    go: bool,
    /// With the functions inlined there.
    frames: usize,
}

/// What kind of call a stack is, and what each method makes of it.
fn judge(profile: &Profile, stack: StackId, peers: PeerStacks) -> (String, [Tally; 3]) {
    let own = places(profile, Some(stack));
    let whole = asked_for(&own);
    let walked = |stack| asked_for(&places(profile, stack));
    let tallies = [
        verdict(&whole, &walked(peers.frame_pointers)),
        verdict(&whole, &walked(peers.copied)),
        verdict(&whole, &asked_for(&go_profiler(&own))),
    ];
    (kind(&own), tallies)
}

/// User code of a stack, leaf first.
fn places(profile: &Profile, stack: Option<StackId>) -> Vec<Place> {
    let locations = stack.map(|stack| profile.stacks().leaf_to_root(stack));
    let locations = locations.into_iter().flatten();
    let places = locations.filter_map(|id| {
        let location = profile.locations().get(id);
        let function = profile.frame_function(*location.frames.last()?).1;
        (function.kind != FunctionKind::Kernel).then_some(Place {
            spot: (location.address, location.module),
            role: function.role,
            go: matches!(function.kind, FunctionKind::Go | FunctionKind::GoRuntime),
            frames: location.frames.len(),
        })
    });
    places.collect()
}

/// Where a stack begins and what lies between Go and C is not asked of anyone.
fn asked_for(places: &[Place]) -> Vec<Spot> {
    let asked = places.iter().filter(|p| p.role == Role::None);
    asked.map(|p| p.spot).collect()
}

/// What Go's profiler keeps of a stack: its signal handler walks Go's frames alone, through
/// callbacks too, from the call of C on where the thread is in C (`sigprof` in runtime/proc.go and
/// `cgocallback` in runtime/asm_amd64.s, Go 1.19 to 1.27). Of a thread that is in no Go at all it
/// keeps one address (`sigprofNonGo`).
fn go_profiler(own: &[Place]) -> Vec<Place> {
    if !own.iter().any(|place| place.go) {
        return own.iter().take(1).copied().collect();
    }
    let mut left = GO_FRAMES_MAX;
    let kept = own.iter().filter(|place| place.go).take_while(|place| {
        let room = left > 0;
        left = left.saturating_sub(place.frames);
        room
    });
    kept.copied().collect()
}

fn verdict(whole: &[Spot], kept: &[Spot]) -> Tally {
    let mut missing: HashMap<Spot, u64> = HashMap::new();
    for spot in whole {
        *missing.entry(*spot).or_default() += 1;
    }
    for spot in kept {
        if let Some(left) = missing.get_mut(spot) {
            *left = left.saturating_sub(1);
        }
    }
    let same = whole == kept;
    let cut = !same && whole.starts_with(kept);
    Tally {
        whole: u64::from(same),
        cut: u64::from(cut),
        wrong: u64::from(!same && !cut),
        frames: whole.len() as u64,
        lost: missing.values().sum(),
    }
}

/// The languages of a stack, root first.
fn kind(own: &[Place]) -> String {
    let code = own.iter().rev().filter(|place| place.role != Role::Root);
    let mut runs: Vec<bool> = code.map(|place| place.go).collect();
    runs.dedup();
    if runs.len() > CHANGES_MAX + 1 {
        return format!("{}, more than {CHANGES_MAX} changes", words(&runs[..2]));
    }
    words(&runs)
}

fn words(runs: &[bool]) -> String {
    let words: Vec<&str> = runs.iter().map(|go| if *go { "Go" } else { "C" }).collect();
    words.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(address: u64, go: bool, role: Role) -> Place {
        Place {
            spot: (address, None),
            role,
            go,
            frames: 1,
        }
    }

    /// C called back by Go, called by C, called by Go; leaf first.
    fn callback() -> Vec<Place> {
        vec![
            place(1, false, Role::None),
            place(2, true, Role::CgoCall),
            place(3, true, Role::None),
            place(4, true, Role::CgoCallback),
            place(5, false, Role::None),
            place(6, true, Role::None),
            place(7, true, Role::Root),
        ]
    }

    #[test]
    fn kinds_are_root_first_without_roots() {
        assert_eq!(kind(&callback()), "Go → C → Go → C");
        let root = [place(1, false, Role::None), place(2, true, Role::Root)];
        assert_eq!(kind(&root), "C");
    }

    #[test]
    fn gos_profiler_keeps_go() {
        let own = callback();
        let kept = asked_for(&go_profiler(&own));
        assert_eq!(kept, [(3, None), (6, None)]);
        let tally = verdict(&asked_for(&own), &kept);
        assert_eq!((tally.wrong, tally.frames, tally.lost), (1, 4, 2));
    }

    #[test]
    fn gos_profiler_keeps_one_address_of_other_threads() {
        let own = [place(1, false, Role::None), place(2, false, Role::None)];
        let tally = verdict(&asked_for(&own), &asked_for(&go_profiler(&own)));
        assert_eq!((tally.cut, tally.lost), (1, 1));
    }

    #[test]
    fn gos_profiler_keeps_64_frames() {
        let own: Vec<Place> = (0..100).map(|n| place(n, true, Role::None)).collect();
        assert_eq!(go_profiler(&own).len(), GO_FRAMES_MAX);
    }

    #[test]
    fn verdicts() {
        let spots = |all: &[u64]| -> Vec<Spot> { all.iter().map(|n| (*n, None)).collect() };
        let of = |kept: &[u64]| {
            let tally = verdict(&spots(&[1, 2, 3]), &spots(kept));
            (tally.whole, tally.cut, tally.wrong, tally.lost)
        };
        assert_eq!(of(&[1, 2, 3]), (1, 0, 0, 0));
        assert_eq!(of(&[1, 2]), (0, 1, 0, 1));
        assert_eq!(of(&[]), (0, 1, 0, 3));
        assert_eq!(of(&[1, 3]), (0, 0, 1, 1));
        assert_eq!(of(&[1, 2, 3, 4]), (0, 0, 1, 0));
    }
}
