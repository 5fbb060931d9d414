//! A dump as a profile that counts goroutines, for the outputs that recordings have too: pprof and
//! the page.

use std::collections::HashMap;
use std::rc::Rc;

use seam_analyze::{NameOrigin, classify};
use seam_dump::{Dump, Frame, Goroutine, Kind, Stack};
use seam_profile::{
    Counted, FunctionKind, FunctionSpec, GoContext, Host, LocationFlags, LocationId, ModuleKind,
    Profile, ProfileBuilder, QualityInput, Recording, Role, SampleFlags, SampleRow, Sampling,
    StackEnd, StackId, Target,
};

use crate::record::words;

/// The stack, state and labels of goroutines.
type Alike = (Option<u32>, Rc<str>, Rc<[(String, String)]>);

/// The goroutines of a dump that are chosen, one sample each; those that are alike are one row.
pub(super) fn of(dump: &Dump, chosen: impl Fn(&Goroutine) -> bool) -> Profile {
    let mut building = Building {
        builder: ProfileBuilder::new(),
        stacks: HashMap::new(),
    };
    let thread = building.builder.intern_thread(dump.pid as u32, 0, "");
    let mut rows: HashMap<Alike, u32> = HashMap::new();
    for goroutine in dump.goroutines.iter().filter(|g| chosen(g)) {
        let common = &*goroutine.common;
        let (state, labels) = (Rc::clone(&common.state), Rc::clone(&common.labels));
        *rows.entry((goroutine.stack, state, labels)).or_insert(0) += 1;
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort();
    for ((stack, state, labels), count) in rows {
        let raw = stack.and_then(|id| dump.stacks.get(id as usize));
        let pairs: Vec<(&str, &str)> = labels.iter().map(|(k, v)| (&**k, &**v)).collect();
        let go = GoContext {
            state: building.builder.intern_state(&state),
            labels: building.builder.intern_labels(&pairs),
            ..GoContext::NONE
        };
        let interned = stack.and_then(|id| building.stack(id, raw?));
        building.builder.add_sample(SampleRow {
            time_ns: 0,
            weight: count,
            stack: interned,
            thread,
            cpu: 0,
            go,
            flags: SampleFlags::NONE,
            end: StackEnd {
                reason: raw.map_or(0, |stack| words::end_code(stack.end)),
                elided_frames: raw.map_or(0, |stack| stack.elided),
            },
        });
    }
    let told = QualityInput {
        notes: dump.notes.clone(),
        ..QualityInput::default()
    };
    let reasons = words::end_reasons();
    building.builder.finish(about(dump), &reasons, told, None)
}

fn about(dump: &Dump) -> Recording {
    let kernel = seam_capture::kernel_facts();
    let go = dump.go.first();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Recording {
        targets: vec![Target {
            pid: dump.pid as u32,
            name: dump.name.clone(),
            go_version: go.map(|go| go.trim_start_matches("Go ").to_owned()),
            ..Target::default()
        }],
        start_unix_ns: now.map_or(0, |now| now.as_nanos() as u64),
        sampling: Sampling {
            period_ns: 1,
            event: "goroutines".to_owned(),
            counted: Counted::Goroutines,
            ..Sampling::default()
        },
        host: Host {
            name: kernel.hostname,
            kernel_release: kernel.release,
        },
        seam_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Recording::default()
    }
}

struct Building {
    builder: ProfileBuilder,
    stacks: HashMap<u32, Option<StackId>>,
}

impl Building {
    fn stack(&mut self, id: u32, stack: &Stack) -> Option<StackId> {
        if let Some(known) = self.stacks.get(&id) {
            return *known;
        }
        let mut locations = Vec::new();
        // Inlined functions and the one that they are in are one place.
        let mut from = 0;
        for (at, frame) in stack.frames.iter().enumerate() {
            if !frame.inlined {
                locations.push(self.location(&stack.frames[from..=at]));
                from = at + 1;
            }
        }
        let interned = self.builder.intern_stack(&locations);
        self.stacks.insert(id, interned);
        interned
    }

    fn location(&mut self, frames: &[Rc<Frame>]) -> LocationId {
        let frames = frames.iter().map(|frame| {
            let place = &frame.place;
            let (kind, role) = match frame.kind {
                Kind::Go | Kind::Runtime => classify(&place.function, NameOrigin::GoTable, None),
                Kind::C => {
                    let library = Some(ModuleKind::SharedLibrary);
                    classify(&place.function, NameOrigin::Symbol, library)
                }
                Kind::Unknown => (FunctionKind::Unknown, Role::None),
            };
            let function = self.builder.intern_function(FunctionSpec {
                name: &place.function,
                system_name: &place.function,
                module: None,
                file: &place.file,
                start_line: 0,
                kind,
                role,
            });
            self.builder.intern_frame(function, place.line)
        });
        let frames: Vec<_> = frames.collect();
        // A dump has names, not addresses: the number of the frame stands for one.
        let address = u64::from(frames.first().map_or(0, |frame| frame.raw()));
        let flags = LocationFlags::EXACT_PC;
        self.builder.intern_location(address, None, flags, &frames)
    }
}
