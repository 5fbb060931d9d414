//! A raw recording and its names become a profile.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use seam_analyze::{NameOrigin, classify};
use seam_capture::{Labels, MappedModule, ModuleKind as Code, RawSample, Recording, kernel_facts};
use seam_profile::{
    Cost, FrameId, FunctionId, FunctionKind, FunctionSpec, GoContext, Host, LabelsId,
    LocationFlags, LocationId, MappedRange, ModuleId, ModuleKind, ModuleSpec, Profile,
    ProfileBuilder, QualityInput, Role, SampleFlags, SampleRow, Sampling, StackEnd, StackId,
    Target, Tier,
};
use seam_symbolize::{Frame, Origin};
use seam_wire::{
    SEAM_END_ROOT_KERNEL, SEAM_END_TABLE_NOT_READY, SEAM_FRAME_EXACT, SEAM_LEAF_FRAMES,
    SEAM_SAMPLE_FRAME_POINTERS, SEAM_SAMPLE_GO_THREAD, SEAM_SAMPLE_GUESSED, SEAM_SAMPLE_IN_C,
    SEAM_SAMPLE_KERNEL_MODE, SEAM_SAMPLE_P_HELD, SEAM_SAMPLE_P_LOST, SampleHeader, frame_address,
    frame_flags,
};

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
        label_sets: Vec::new(),
    };
    assembler.label_sets = recording
        .labels
        .iter()
        .map(|l| assembler.labels(l))
        .collect();
    let stacks: Vec<Option<StackId>> = (0..recording.stacks.len())
        .map(|n| assembler.stack(n))
        .collect();
    let births = Births::of(recording);
    for sample in &recording.samples {
        let stack = assembler.viewed(sample, stacks[sample.stack as usize], views, &births);
        let set = recording.stacks[sample.stack as usize].mapping_set;
        assembler.sample(sample, stack, set);
    }
    for birth in &recording.births {
        assembler.birth(&birth.header, stacks[birth.stack as usize]);
    }
    let kernel_hidden =
        names.kernel.is_empty() && recording.stacks.iter().any(|s| !s.kernel.is_empty());
    assembler.builder.finish(
        metadata(recording),
        &words::end_reasons(),
        quality(recording, &names, &edges, kernel_hidden),
        Some(cost(recording)),
    )
}

struct Assembler<'a> {
    recording: &'a Recording,
    names: &'a Names,
    ambiguous: &'a BTreeSet<&'a str>,
    builder: ProfileBuilder,
    modules: HashMap<u32, ModuleId>,
    kernel: Option<ModuleId>,
    /// By the recording's numbers.
    label_sets: Vec<LabelsId>,
}

impl Assembler<'_> {
    fn labels(&mut self, labels: &Labels) -> LabelsId {
        let pairs: Vec<(&str, &str)> = labels.iter().map(|(k, v)| (&**k, &**v)).collect();
        self.builder.intern_labels(&pairs)
    }

    /// A sample's stack as asked for; `plain` is what it is otherwise.
    fn viewed(
        &mut self,
        sample: &RawSample,
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
        let mut locations = self.stack_locations(sample.stack as usize);
        for maker in makers {
            locations.extend(self.stack_locations(maker.stack as usize));
        }
        if let Some(group) = &views.group {
            locations.push(self.group_location(&group.name(self.recording, sample)));
        }
        self.builder.intern_stack(&locations)
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
        let origin = match frame.origin {
            Origin::GoTable => NameOrigin::GoTable,
            Origin::Symbol | Origin::Dwarf => NameOrigin::Symbol,
            // Whatever it is called, it is nobody's code that seam knows.
            Origin::Process => NameOrigin::Missing,
        };
        let (kind, role) = classify(&frame.raw_name, origin, Some(module_kind));
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

    fn sample(&mut self, sample: &RawSample, stack: Option<StackId>, set: u32) {
        let header = &sample.header;
        let comm = header.comm.split(|b| *b == 0).next().unwrap_or_default();
        let comm = String::from_utf8_lossy(comm);
        let thread = self.builder.intern_thread(header.pid, header.tid, &comm);
        let mut go = self.go_context(header, set);
        go.labels = self.label_sets[sample.labels as usize];
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

fn metadata(recording: &Recording) -> seam_profile::Recording {
    let kernel = kernel_facts();
    let target = |t: &seam_capture::TargetInfo| {
        let (go_version, facts) = words::build_facts(recording, t);
        Target {
            pid: t.target.pid as u32,
            name: t.target.name.clone(),
            command_line: t
                .target
                .command_line
                .split(' ')
                .map(str::to_owned)
                .collect(),
            go_version,
            facts,
        }
    };
    let started = recording
        .started
        .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    seam_profile::Recording {
        targets: recording.targets.iter().map(target).collect(),
        start_unix_ns: started.map_or(0, |t| t.as_nanos() as u64),
        duration_ns: recording.duration.as_nanos() as u64,
        sampling: Sampling {
            rate_hz: recording.rate_hz,
            period_ns: 1_000_000_000 / u64::from(recording.rate_hz.max(1)),
            event: "on-CPU".to_owned(),
        },
        tier: Tier::ReadOnly,
        host: Host {
            name: kernel.hostname,
            kernel_release: kernel.release,
        },
        seam_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn quality(
    recording: &Recording,
    names: &Names,
    edges: &Edges,
    kernel_hidden: bool,
) -> QualityInput {
    let (edge_counts, impossible) = edges.finish();
    let mut notes = words::notes(recording, kernel_hidden);
    notes.extend(names.notes.iter().cloned());
    notes.extend(words::impossible_note(recording, names, &impossible));
    let counters = recording.counters;
    let not_ready = |header: &SampleHeader| u32::from(header.end) == SEAM_END_TABLE_NOT_READY;
    QualityInput {
        lost_records: counters.ring_full,
        lost_elsewhere: counters.no_registers + counters.malformed,
        table_not_ready: recording
            .samples
            .iter()
            .filter(|s| not_ready(&s.header))
            .count() as u64,
        targets_cpu_ns: Some(targets_cpu_ns(recording)),
        edges: Some(edge_counts),
        notes,
    }
}

/// CPU time that the samples should add up to. Threads of the kernel are in no process's account:
/// theirs is what was sampled.
fn targets_cpu_ns(recording: &Recording) -> u64 {
    let kernel = |s: &&RawSample| u32::from(s.header.end) == SEAM_END_ROOT_KERNEL;
    let kernel = recording.samples.iter().filter(kernel).count() as u64;
    let period_ns = 1_000_000_000 / u64::from(recording.rate_hz.max(1));
    let processes: u64 = recording.targets.iter().map(|t| t.cpu_time_ns).sum();
    processes + kernel * period_ns
}

fn cost(recording: &Recording) -> Cost {
    Cost {
        seam_cpu_ns: recording.cost.cpu.as_nanos() as u64,
        rss_bytes: recording.cost.rss_bytes,
        map_bytes: recording.cost.map_bytes,
        bpf_time_ns: recording.cost.bpf_time.as_nanos() as u64,
        // The time of runs on other processes counts as spent for the samples. Without the right to
        // have run times counted there is no figure.
        bpf_runs: if recording.cost.bpf_time.is_zero() {
            0
        } else {
            recording.counters.samples
        },
    }
}
