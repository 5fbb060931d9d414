//! Building a profile: everything is interned, nothing is kept twice.
//!
//! Owns the growing tables and their indices; [`ProfileBuilder::finish`] drops the indices, counts
//! what the samples tell about quality and returns the immutable profile.

use std::collections::HashMap;

use crate::cost::Cost;
use crate::frames::{Frame, FrameTable};
use crate::functions::{Function, FunctionKind, FunctionTable, Role};
use crate::ids::{
    FrameId, FunctionId, LabelsId, LocationId, ModuleId, StackId, StateId, StringId, ThreadId,
};
use crate::index::Interned;
use crate::labels::{LabelNode, LabelTable};
use crate::locations::{LocationFlags, LocationKey, LocationTable};
use crate::modules::{MappedRange, Module, ModuleKind, ModuleTable};
use crate::peers::{PeerStacks, PeerTable};
use crate::profile::Profile;
use crate::quality::{self, EndReason, QualityInput};
use crate::recording::Recording;
use crate::samples::{SampleRow, SampleTable};
use crate::stacks::{StackNode, StackTable};
use crate::strings::{StringInterner, StringTable};
use crate::threads::{Thread, ThreadTable};

/// States are kept in a byte; Go has about a dozen.
const STATES_MAX: usize = 256;

/// What identifies a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleSpec<'a> {
    /// Path as the target sees it.
    pub path: &'a str,
    /// Short name, usually the file's.
    pub name: &'a str,
    /// Build id in lower-case hex, empty when there is none.
    pub build_id: &'a str,
    /// What it is.
    pub kind: ModuleKind,
}

/// A function in words, to be interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionSpec<'a> {
    /// Name for people.
    pub name: &'a str,
    /// Name as the symbol table has it, empty when there is no symbol.
    pub system_name: &'a str,
    /// Where its code lives.
    pub module: Option<ModuleId>,
    /// Source file, empty when unknown.
    pub file: &'a str,
    /// First line, 0 when unknown.
    pub start_line: u32,
    /// Whose code it is.
    pub kind: FunctionKind,
    /// What part it plays.
    pub role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ModuleKey {
    path: StringId,
    name: StringId,
    build_id: StringId,
    kind: ModuleKind,
}

/// A profile that is still growing.
#[derive(Clone, Debug, Default)]
pub struct ProfileBuilder {
    strings: StringInterner,
    modules: Interned<ModuleKey>,
    module_ranges: Vec<Vec<MappedRange>>,
    functions: Interned<Function>,
    frames: Interned<Frame>,
    locations: Interned<LocationKey>,
    location_frame_ends: Vec<u32>,
    location_frames: Vec<FrameId>,
    stacks: Interned<StackNode>,
    threads: Interned<(u32, u32)>,
    thread_names: Vec<StringId>,
    thread_origins: HashMap<usize, StackId>,
    states: Interned<StringId>,
    labels: Interned<LabelNode>,
    samples: SampleTable,
    peers: Option<PeerTable>,
}

impl ProfileBuilder {
    /// An empty profile.
    pub fn new() -> Self {
        let mut builder = Self::default();
        builder.states.intern(StringId::EMPTY);
        builder.labels.intern(LabelNode::EMPTY);
        builder
    }

    /// The id of a string.
    pub fn intern_string(&mut self, text: &str) -> StringId {
        self.strings.intern(text)
    }

    /// The strings so far.
    pub fn strings(&self) -> &StringTable {
        self.strings.table()
    }

    /// The id of a module.
    pub fn intern_module(&mut self, spec: ModuleSpec<'_>) -> ModuleId {
        let key = ModuleKey {
            path: self.strings.intern(spec.path),
            name: self.strings.intern(spec.name),
            build_id: self.strings.intern(spec.build_id),
            kind: spec.kind,
        };
        let row = self.modules.intern(key);
        if row == self.module_ranges.len() {
            self.module_ranges.push(Vec::new());
        }
        ModuleId::new(row)
    }

    /// Notes where a module was mapped. Doubles and empty ranges are left out.
    pub fn add_range(&mut self, module: ModuleId, range: MappedRange) {
        let ranges = &mut self.module_ranges[module.index()];
        if range.start < range.end && !ranges.contains(&range) {
            ranges.push(range);
        }
    }

    /// The id of a function.
    pub fn intern_function(&mut self, spec: FunctionSpec<'_>) -> FunctionId {
        debug_assert!(
            spec.module
                .is_none_or(|module| module.index() < self.modules.len())
        );
        let function = Function {
            name: self.strings.intern(spec.name),
            system_name: self.strings.intern(spec.system_name),
            module: spec.module,
            file: self.strings.intern(spec.file),
            start_line: spec.start_line,
            kind: spec.kind,
            role: spec.role,
        };
        FunctionId::new(self.functions.intern(function))
    }

    /// The id of a function at a line; 0 when the line is unknown.
    pub fn intern_frame(&mut self, function: FunctionId, line: u32) -> FrameId {
        debug_assert!(
            function.index() < self.functions.len(),
            "a function of this profile"
        );
        FrameId::new(self.frames.intern(Frame { function, line }))
    }

    /// The location with this address, if it was interned before: then its frames need not be
    /// found again.
    pub fn find_location(
        &self,
        address: u64,
        module: Option<ModuleId>,
        flags: LocationFlags,
    ) -> Option<LocationId> {
        let key = LocationKey {
            address,
            module: ModuleId::pack(module),
            flags,
        };
        self.locations.find(&key).map(LocationId::new)
    }

    /// The id of a location. `frames` are innermost first, all but the last inlined into the
    /// last; they are not looked at when the location is already there.
    pub fn intern_location(
        &mut self,
        address: u64,
        module: Option<ModuleId>,
        flags: LocationFlags,
        frames: &[FrameId],
    ) -> LocationId {
        debug_assert!(!flags.has(LocationFlags::ELIDED), "see intern_elision");
        debug_assert!(
            !frames.is_empty(),
            "a location without a name still has a frame"
        );
        debug_assert!(frames.iter().all(|frame| frame.index() < self.frames.len()));
        self.add_location(
            LocationKey {
                address,
                module: ModuleId::pack(module),
                flags,
            },
            frames,
        )
    }

    /// The marker for this many frames that were walked but not kept. It stands in the stack
    /// where they were.
    pub fn intern_elision(&mut self, frames: u64) -> LocationId {
        let flags = LocationFlags::ELIDED;
        let key = LocationKey {
            address: frames,
            module: ModuleId::pack(None),
            flags,
        };
        self.add_location(key, &[])
    }

    /// The id of the stack in which `location` was called by `parent`.
    pub fn intern_child(&mut self, parent: Option<StackId>, location: LocationId) -> StackId {
        debug_assert!(
            location.index() < self.locations.len(),
            "a location of this profile"
        );
        debug_assert!(parent.is_none_or(|parent| parent.index() < self.stacks.len()));
        let node = StackNode {
            parent: StackId::pack(parent),
            location,
        };
        StackId::new(self.stacks.intern(node))
    }

    /// The id of a whole stack, innermost location first; none when it is empty.
    pub fn intern_stack(&mut self, leaf_to_root: &[LocationId]) -> Option<StackId> {
        let root_to_leaf = leaf_to_root.iter().rev();
        root_to_leaf.fold(None, |parent, location| {
            Some(self.intern_child(parent, *location))
        })
    }

    /// The id of a thread. A later name replaces an earlier one unless it is empty: threads are
    /// often named after they start.
    pub fn intern_thread(&mut self, pid: u32, tid: u32, name: &str) -> ThreadId {
        let name = self.strings.intern(name);
        let row = self.threads.intern((pid, tid));
        if row == self.thread_names.len() {
            self.thread_names.push(name);
        } else if name != StringId::EMPTY {
            self.thread_names[row] = name;
        }
        ThreadId::new(row)
    }

    /// The id of a thread that is known already.
    pub fn find_thread(&self, pid: u32, tid: u32) -> Option<ThreadId> {
        self.threads.find(&(pid, tid)).map(ThreadId::new)
    }

    /// The id of a goroutine state by its name; "no state" once there are more than 256.
    pub fn intern_state(&mut self, name: &str) -> StateId {
        let name = self.strings.intern(name);
        if self.states.len() == STATES_MAX && self.states.find(&name).is_none() {
            return StateId::NONE;
        }
        StateId::new(self.states.intern(name))
    }

    /// The id of a set of labels, keys and values; equal pairs in equal order give the same.
    pub fn intern_labels(&mut self, pairs: &[(&str, &str)]) -> LabelsId {
        pairs.iter().fold(LabelsId::NONE, |rest, (key, value)| {
            let (key, value) = (self.strings.intern(key), self.strings.intern(value));
            LabelsId::new(self.labels.intern(LabelNode { rest, key, value }))
        })
    }

    /// Says which stack made a thread.
    pub fn set_started_by(&mut self, thread: ThreadId, stack: StackId) {
        self.thread_origins.insert(thread.index(), stack);
    }

    /// Adds a sample.
    pub fn add_sample(&mut self, row: SampleRow) {
        debug_assert!(row.weight > 0, "a sample stands for at least itself");
        debug_assert!(
            row.stack
                .is_none_or(|stack| stack.index() < self.stacks.len())
        );
        debug_assert!(
            row.thread.index() < self.threads.len(),
            "a thread of this profile"
        );
        debug_assert!(
            row.go.state.index() < self.states.len(),
            "a state of this profile"
        );
        self.samples.push(row);
    }

    /// Notes what other profilers would have had of the sample added last.
    pub fn add_peers(&mut self, peers: PeerStacks) {
        let table = self.peers.get_or_insert_default();
        table.rows.resize(self.samples.len(), None);
        if let Some(last) = table.rows.last_mut() {
            *last = Some(peers);
        }
    }

    /// The number of rows added with [`ProfileBuilder::add_sample`].
    pub fn sample_rows(&self) -> usize {
        self.samples.len()
    }

    /// Ends building. `reasons` says what the samples' end codes mean; codes it lacks count as
    /// stacks that are not whole.
    pub fn finish(
        self,
        recording: Recording,
        reasons: &[EndReason],
        told: QualityInput,
        cost: Option<Cost>,
    ) -> Profile {
        let mut profile = Profile {
            modules: ModuleTable {
                rows: modules(self.modules, self.module_ranges),
            },
            functions: FunctionTable {
                rows: self.functions.into_rows(),
            },
            frames: FrameTable {
                rows: self.frames.into_rows(),
            },
            locations: LocationTable {
                keys: self.locations.into_rows(),
                frame_ends: self.location_frame_ends,
                frames: self.location_frames,
            },
            stacks: StackTable {
                rows: self.stacks.into_rows(),
            },
            threads: ThreadTable {
                rows: threads(self.threads, self.thread_names, &self.thread_origins),
            },
            states: self.states.into_rows(),
            labels: LabelTable {
                rows: self.labels.into_rows(),
            },
            strings: self.strings.finish(),
            samples: self.samples,
            peers: self.peers,
            recording,
            cost,
            ..Profile::default()
        };
        profile.quality = quality::count(&profile, reasons, told);
        profile
    }

    fn add_location(&mut self, key: LocationKey, frames: &[FrameId]) -> LocationId {
        let row = self.locations.intern(key);
        if row == self.location_frame_ends.len() {
            self.location_frames.extend_from_slice(frames);
            let end = u32::try_from(self.location_frames.len()).expect("fewer than 2^32 frames");
            self.location_frame_ends.push(end);
        }
        debug_assert_eq!(self.locations.rows().len(), self.location_frame_ends.len());
        LocationId::new(row)
    }
}

fn modules(keys: Interned<ModuleKey>, ranges: Vec<Vec<MappedRange>>) -> Vec<Module> {
    let rows = keys.into_rows().into_iter().zip(ranges);
    rows.map(|(key, ranges)| Module {
        path: key.path,
        name: key.name,
        build_id: key.build_id,
        kind: key.kind,
        ranges,
    })
    .collect()
}

fn threads(
    keys: Interned<(u32, u32)>,
    names: Vec<StringId>,
    origins: &HashMap<usize, StackId>,
) -> Vec<Thread> {
    let rows = keys.into_rows().into_iter().zip(names).enumerate();
    rows.map(|(row, ((pid, tid), name))| Thread {
        pid,
        tid,
        name,
        started_by: origins.get(&row).copied(),
    })
    .collect()
}
