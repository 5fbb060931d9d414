//! A raw recording and its names become a profile.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use seam_analyze::{Activity, NameOrigin, activity, classify, stack_activity};
use seam_capture::{MappedModule, ModuleKind as Code, RawSample, Recording};
use seam_profile::{
    FrameId, FunctionId, FunctionKind, FunctionSpec, GoContext, LabelsId, LocationFlags,
    LocationId, MappedRange, ModuleId, ModuleKind, ModuleSpec, PeerStacks, Profile, ProfileBuilder,
    Role, SampleFlags, SampleRow, StackEnd, StackId,
};
use seam_symbolize::{Frame, Origin};
use seam_wire::{
    SEAM_FRAME_EXACT, SEAM_LEAF_FRAMES, SEAM_SAMPLE_FRAME_POINTERS, SEAM_SAMPLE_GO_THREAD,
    SEAM_SAMPLE_GUESSED, SEAM_SAMPLE_IN_C, SEAM_SAMPLE_KERNEL_MODE, SEAM_SAMPLE_P_HELD,
    SEAM_SAMPLE_P_LOST, SampleHeader, frame_address, frame_flags,
};

use super::about;
use super::edges::Edges;
use super::symbolize::{Names, place, start_place};
use super::views::{Births, Views};
use super::words;

/// Builds the profile.
pub(crate) fn profile(recording: &Recording, views: &Views) -> Profile {
    let mut edges = Edges::of(recording);
    let names = Names::of(recording, &mut edges);
    let ambiguous = names.ambiguous();
    let mut assembler = Assembler {
        recording,
        names: &names,
        ambiguous: &ambiguous,
        builder: ProfileBuilder::new(),
        modules: HashMap::new(),
        kernel: None,
        label_sets: HashMap::new(),
        viewed: HashMap::new(),
    };
    let activities: Vec<Option<Activity>> = (0..recording.stacks.len())
        .map(|n| assembler.activity(n))
        .collect();
    let stacks: Vec<Option<StackId>> = (0..recording.stacks.len())
        .map(|n| assembler.stack(n))
        .collect();
    let births = Births::of(recording);
    let others = assembler.peer_stacks();
    for (at, sample) in recording.samples.iter().enumerate() {
        let number = sample.stack as usize;
        let activity = activities[number];
        let stack = assembler.viewed(sample, activity, stacks[number], views, &births);
        assembler.sample(
            sample,
            activity,
            stack,
            recording.stacks[number].mapping_set,
        );
        let pair = recording.peers.as_ref().and_then(|p| p.samples.get(&at));
        if let Some(pair) = pair {
            assembler.builder.add_peers(PeerStacks {
                frame_pointers: others[pair.frame_pointers as usize],
                copied: others[pair.copied as usize],
            });
        }
    }
    for birth in &recording.births {
        assembler.birth(&birth.header, stacks[birth.stack as usize]);
    }
    let kernel_hidden =
        names.kernel.is_empty() && recording.stacks.iter().any(|s| !s.kernel.is_empty());
    assembler.builder.finish(
        about::metadata(recording),
        &words::end_reasons(),
        about::quality(recording, &names, &edges, kernel_hidden),
        Some(about::cost(recording)),
    )
}

/// The label of what the Go runtime was busy with.
const ACTIVITY: &str = "activity";
const OWN_ACTIVITY: &str = "label.activity";

struct Assembler<'a> {
    recording: &'a Recording,
    names: &'a Names,
    ambiguous: &'a BTreeSet<&'a str>,
    builder: ProfileBuilder,
    modules: HashMap<u32, ModuleId>,
    kernel: Option<ModuleId>,
    /// By the recording's number of the program's own, and the mark that seam adds.
    label_sets: HashMap<(u32, Option<Activity>), LabelsId>,
    /// By a raw stack with those of its makers, and the group.
    viewed: HashMap<(Vec<u32>, Option<String>), Option<StackId>>,
}

impl Assembler<'_> {
    /// The program's labels of a sample, and what the runtime was busy with as one more. One of the
    /// program's with that name is told apart as pprof files do it.
    fn labels(&mut self, number: u32, activity: Option<Activity>) -> LabelsId {
        if let Some(known) = self.label_sets.get(&(number, activity)) {
            return *known;
        }
        let own = self.recording.labels[number as usize].iter();
        let own = own.map(|(key, value)| match &**key {
            ACTIVITY => (OWN_ACTIVITY, &**value),
            key => (key, &**value),
        });
        let mark = activity.map(|activity| (ACTIVITY, activity.word()));
        let mut pairs: Vec<(&str, &str)> = own.chain(mark).collect();
        pairs.sort_unstable();
        let labels = self.builder.intern_labels(&pairs);
        self.label_sets.insert((number, activity), labels);
        labels
    }

    /// What the Go runtime was busy with in a raw stack.
    fn activity(&self, number: usize) -> Option<Activity> {
        let raw = &self.recording.stacks[number];
        let frames = raw.user.iter().flat_map(|frame| {
            let place = place(self.recording, raw.mapping_set, *frame);
            let named = place.map(|p| self.names.frames(p.mapping.module.number, p.lookup));
            let unknown = named.is_none_or(<[Frame]>::is_empty);
            let unknown = unknown.then_some((FunctionKind::Unknown, None));
            let named = named.unwrap_or_default().iter().map(|frame| {
                let origin = origin(frame);
                let (kind, _) = classify(&frame.raw_name, origin, None);
                (kind, activity(&frame.raw_name))
            });
            unknown.into_iter().chain(named)
        });
        stack_activity(frames)
    }

    /// A sample's stack as asked for; `plain` is what it is otherwise.
    fn viewed(
        &mut self,
        sample: &RawSample,
        activity: Option<Activity>,
        plain: Option<StackId>,
        views: &Views,
        births: &Births<'_>,
    ) -> Option<StackId> {
        let makers = match views.started_by {
            true => births.makers(&sample.header),
            false => Vec::new(),
        };
        if makers.is_empty() && views.group.is_none() {
            return plain;
        }
        let group = views.group.as_ref();
        let group = group.map(|group| group.name(self.recording, sample, activity));
        let stacks = std::iter::once(sample.stack).chain(makers.iter().map(|m| m.stack));
        let key = (stacks.collect::<Vec<u32>>(), group);
        if let Some(known) = self.viewed.get(&key) {
            return *known;
        }
        let mut locations = self.stack_locations(sample.stack as usize);
        for maker in makers {
            locations.extend(self.stack_locations(maker.stack as usize));
        }
        if let Some(group) = &key.1 {
            locations.push(self.group_location(group));
        }
        let stack = self.builder.intern_stack(&locations);
        self.viewed.insert(key, stack);
        stack
    }

    fn group_location(&mut self, name: &str) -> LocationId {
        let function = self.builder.intern_function(FunctionSpec {
            name,
            system_name: name,
            module: None,
            file: "",
            start_line: 0,
            kind: FunctionKind::Unknown,
            role: Role::Root,
        });
        let frame = self.builder.intern_frame(function, 0);
        // No code lies here: the number of the function tells groups apart.
        let flags = LocationFlags::EXACT_PC;
        let address = u64::from(function.raw());
        self.builder.intern_location(address, None, flags, &[frame])
    }

    /// What other profilers would have had, user code only.
    fn peer_stacks(&mut self) -> Vec<Option<StackId>> {
        let stacks = self.recording.peers.iter().flat_map(|peers| &peers.stacks);
        let stacks = stacks.map(|(set, frames)| {
            let frames = frames.iter();
            let locations: Vec<LocationId> = frames
                .map(|frame| self.user_location(*set, *frame))
                .collect();
            self.builder.intern_stack(&locations)
        });
        stacks.collect()
    }

    fn stack(&mut self, number: usize) -> Option<StackId> {
        let locations = self.stack_locations(number);
        self.builder.intern_stack(&locations)
    }

    /// One raw stack: kernel frames, then user frames, with a marker where some were cut.
    fn stack_locations(&mut self, number: usize) -> Vec<LocationId> {
        let raw = &self.recording.stacks[number];
        let mut locations: Vec<LocationId> = raw
            .kernel
            .iter()
            .enumerate()
            .map(|(i, pc)| self.kernel_location(*pc, i == 0))
            .collect();
        for (at, frame) in raw.user.iter().enumerate() {
            if raw.elided > 0 && at == SEAM_LEAF_FRAMES as usize {
                locations.push(self.builder.intern_elision(u64::from(raw.elided)));
            }
            locations.push(self.user_location(raw.mapping_set, *frame));
        }
        locations
    }

    fn kernel_location(&mut self, pc: u64, leaf: bool) -> LocationId {
        let mut flags = LocationFlags::KERNEL;
        if leaf {
            flags = flags.with(LocationFlags::EXACT_PC);
        }
        let module = *self.kernel.get_or_insert_with(|| {
            self.builder.intern_module(ModuleSpec {
                path: "[kernel]",
                name: "[kernel]",
                build_id: "",
                kind: ModuleKind::Kernel,
            })
        });
        if let Some(location) = self.builder.find_location(pc, Some(module), flags) {
            return location;
        }
        let lookup = if leaf { pc } else { pc - 1 };
        let found = self.names.kernel.find(lookup);
        let name = found.map_or_else(|| format!("[kernel+{pc:#x}]"), |s| s.name.to_owned());
        let (kind, role) = classify(&name, NameOrigin::Symbol, Some(ModuleKind::Kernel));
        let function = self.builder.intern_function(FunctionSpec {
            name: &name,
            system_name: found.map_or("", |s| s.name),
            module: Some(module),
            file: found.map_or("", |s| s.module),
            start_line: 0,
            kind,
            role,
        });
        let frame = self.builder.intern_frame(function, 0);
        self.builder
            .intern_location(pc, Some(module), flags, &[frame])
    }

    fn user_location(&mut self, set: u32, frame: u64) -> LocationId {
        let exact = frame_flags(frame) & SEAM_FRAME_EXACT != 0;
        let flags = if exact {
            LocationFlags::EXACT_PC
        } else {
            LocationFlags::NONE
        };
        let address = frame_address(frame);
        let Some(place) = place(self.recording, set, frame) else {
            let unnamed = self.unnamed(&format!("[unmapped {address:#x}]"), None, None);
            return self
                .builder
                .intern_location(address, None, flags, &[unnamed]);
        };
        let module = self.module(place.mapping);
        if let Some(location) = self.builder.find_location(address, Some(module), flags) {
            return location;
        }
        let number = place.mapping.module.number;
        let found = self.names.frames(number, place.lookup);
        let kind = module_kind(self.recording, place.mapping);
        let frames: Vec<FrameId> = if found.is_empty() {
            let offset = address.wrapping_sub(place.mapping.load_bias);
            let name = format!(
                "[{}+{offset:#x}]",
                place.mapping.module.name().trim_matches(['[', ']'])
            );
            vec![self.unnamed(&name, Some(module), Some(kind))]
        } else {
            found
                .iter()
                .map(|f| self.frame(f, place.mapping, module, kind))
                .collect()
        };
        self.builder
            .intern_location(address, Some(module), flags, &frames)
    }

    fn unnamed(
        &mut self,
        name: &str,
        module: Option<ModuleId>,
        kind: Option<ModuleKind>,
    ) -> FrameId {
        let (kind, role) = classify("", NameOrigin::Missing, kind);
        let function = self.builder.intern_function(FunctionSpec {
            name,
            system_name: "",
            module,
            file: "",
            start_line: 0,
            kind,
            role,
        });
        self.builder.intern_frame(function, 0)
    }

    fn frame(
        &mut self,
        frame: &Frame,
        mapping: &MappedModule,
        module: ModuleId,
        kind: ModuleKind,
    ) -> FrameId {
        let function = self.function(frame, mapping, module, kind);
        self.builder.intern_frame(function, frame.line)
    }

    fn function(
        &mut self,
        frame: &Frame,
        mapping: &MappedModule,
        module: ModuleId,
        module_kind: ModuleKind,
    ) -> FunctionId {
        let (kind, role) = classify(&frame.raw_name, origin(frame), Some(module_kind));
        let told_apart = self.ambiguous.contains(&*frame.raw_name);
        let name = if told_apart && frame.origin == Origin::Symbol {
            format!("{}::{}", library(mapping.module.name()), frame.name).into()
        } else {
            Rc::clone(&frame.name)
        };
        self.builder.intern_function(FunctionSpec {
            name: &name,
            system_name: &frame.raw_name,
            module: Some(module),
            file: &frame.file,
            start_line: frame.start_line,
            kind,
            role,
        })
    }

    fn module(&mut self, mapping: &MappedModule) -> ModuleId {
        let code = &mapping.module;
        let id = match self.modules.get(&code.number) {
            Some(id) => *id,
            None => {
                let build_id = code
                    .build_id
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let id = self.builder.intern_module(ModuleSpec {
                    path: &code.path,
                    name: code.name(),
                    build_id: &build_id,
                    kind: module_kind(self.recording, mapping),
                });
                self.modules.insert(code.number, id);
                id
            }
        };
        let range = MappedRange {
            start: mapping.start,
            end: mapping.end,
            file_offset: mapping.offset,
        };
        self.builder.add_range(id, range);
        id
    }

    /// Notes who made a thread, if the thread has samples.
    fn birth(&mut self, header: &SampleHeader, stack: Option<StackId>) {
        let thread = self.builder.find_thread(header.pid, header.born);
        if let (Some(thread), Some(stack)) = (thread, stack) {
            self.builder.set_started_by(thread, stack);
        }
    }

    fn sample(
        &mut self,
        sample: &RawSample,
        activity: Option<Activity>,
        stack: Option<StackId>,
        set: u32,
    ) {
        let header = &sample.header;
        let comm = header.comm.split(|b| *b == 0).next().unwrap_or_default();
        let comm = String::from_utf8_lossy(comm);
        let thread = self.builder.intern_thread(header.pid, header.tid, &comm);
        let mut go = self.go_context(header, set);
        go.labels = self.labels(sample.labels, activity);
        let pairs = [
            (SEAM_SAMPLE_KERNEL_MODE, SampleFlags::KERNEL_MODE),
            (SEAM_SAMPLE_IN_C, SampleFlags::IN_C),
            (SEAM_SAMPLE_P_HELD, SampleFlags::P_HELD),
            (SEAM_SAMPLE_P_LOST, SampleFlags::P_LOST),
            (SEAM_SAMPLE_GO_THREAD, SampleFlags::GO_THREAD),
            (SEAM_SAMPLE_GUESSED, SampleFlags::GUESSED),
            (SEAM_SAMPLE_FRAME_POINTERS, SampleFlags::FRAME_POINTERS),
        ];
        let set_flags = pairs
            .iter()
            .filter(|(bit, _)| u32::from(header.flags) & bit != 0);
        self.builder.add_sample(SampleRow {
            time_ns: header.time_ns.saturating_sub(self.recording.started_ns),
            weight: 1,
            stack,
            thread,
            cpu: header.cpu,
            go,
            flags: set_flags.fold(SampleFlags::default(), |all, (_, flag)| all.with(*flag)),
            end: StackEnd {
                reason: header.end,
                elided_frames: header.elided,
            },
        });
    }

    fn go_context(&mut self, header: &SampleHeader, set: u32) -> GoContext {
        if u32::from(header.flags) & SEAM_SAMPLE_GO_THREAD == 0 {
            return GoContext::NONE;
        }
        let state = if header.goid == 0 {
            self.builder.intern_state("")
        } else {
            self.builder.intern_state(words::go_state(header.go_status))
        };
        let start_function = start_place(self.recording, set, header.start_pc).and_then(|place| {
            let frame = self
                .names
                .frames(place.mapping.module.number, place.lookup)
                .last()?;
            let module = self.module(place.mapping);
            let kind = module_kind(self.recording, place.mapping);
            Some(self.function(frame, place.mapping, module, kind))
        });
        GoContext {
            goid: header.goid,
            m: u32::try_from(header.m).ok(),
            p: u32::try_from(header.p).ok(),
            state,
            start_function,
            labels: LabelsId::NONE,
        }
    }
}

fn origin(frame: &Frame) -> NameOrigin {
    match frame.origin {
        Origin::GoTable => NameOrigin::GoTable,
        Origin::Symbol | Origin::Dwarf => NameOrigin::Symbol,
        // Whatever it is called, it is nobody's code that seam knows.
        Origin::Process => NameOrigin::Missing,
    }
}

fn module_kind(recording: &Recording, mapping: &MappedModule) -> ModuleKind {
    match mapping.module.kind {
        Code::Vdso => ModuleKind::Vdso,
        Code::Anonymous | Code::Probe => ModuleKind::Anonymous,
        Code::File => {
            let number = Some(mapping.module.number);
            let executable = recording.targets.iter().any(|t| t.executable == number);
            if executable {
                ModuleKind::Executable
            } else {
                ModuleKind::SharedLibrary
            }
        }
    }
}

/// `libsqlite3.so.0.8.6` is `libsqlite3` in `LIB::symbol`.
fn library(name: &str) -> &str {
    name.split_once(".so").map_or(name, |(stem, _)| stem)
}
