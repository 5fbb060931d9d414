//! Strings, mappings, functions and locations in pprof's numbering, which begins at 1.
//!
//! Owns the ids: model rows keep their order, so a row's pprof id is its number plus one. Two
//! functions and locations stand in for what is no code: frames not kept, and no stack at all.

use std::collections::HashMap;

use seam_profile::{Location, LocationFlags, Module, ModuleId, ModuleKind, Profile, StringTable};

use super::proto;

const ELIDED_NAME: &str = "[frames not kept]";
const STACKLESS_NAME: &str = "[no stack]";

/// The model's strings under their own ids, then those the format adds.
pub(super) struct Strings {
    table: Vec<Vec<u8>>,
    added: HashMap<String, i64>,
}

impl Strings {
    pub(super) fn new(strings: &StringTable) -> Self {
        let table = strings
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
        Self {
            table,
            added: HashMap::new(),
        }
    }

    pub(super) fn id(&mut self, text: &str) -> i64 {
        if let Some(id) = self.added.get(text) {
            return *id;
        }
        let id = self.table.len() as i64;
        self.table.push(text.as_bytes().to_vec());
        self.added.insert(text.to_owned(), id);
        id
    }

    pub(super) fn value_type(&mut self, name: &str, unit: &str) -> proto::ValueType {
        proto::ValueType {
            r#type: self.id(name),
            unit: self.id(unit),
        }
    }

    pub(super) fn finish(self) -> Vec<Vec<u8>> {
        self.table
    }
}

/// The mappings, and where each module's begin.
pub(super) struct Places {
    pub(super) mappings: Vec<proto::Mapping>,
    first_of_module: Vec<usize>,
}

impl Places {
    /// Id of the mapping an address lies in, 0 for none. An address outside all ranges of its
    /// module (mapped and unmapped between two looks) belongs to the first.
    fn id(&self, profile: &Profile, location: &Location<'_>) -> u64 {
        let Some(module) = location.module else {
            return 0;
        };
        let ranges = &profile.modules().get(module).ranges;
        let address = location.lookup_address();
        let range = ranges
            .iter()
            .position(|range| range.contains(address))
            .unwrap_or(0);
        self.mappings[self.first_of_module[module.index()] + range].id
    }
}

/// One mapping per range of a module. Executables come first: readers take the first mapping for
/// the main program.
pub(super) fn mappings(profile: &Profile) -> Places {
    let mut modules: Vec<_> = profile.modules().iter().collect();
    modules.sort_by_key(|(_, module)| module.kind != ModuleKind::Executable);
    let known = known(profile);
    let mut places = Places {
        mappings: Vec::new(),
        first_of_module: vec![0; modules.len()],
    };
    for (id, module) in modules {
        places.first_of_module[id.index()] = places.mappings.len();
        // A module without a range still names what its locations lie in.
        for range in 0..module.ranges.len().max(1) {
            let id = places.mappings.len() as u64 + 1;
            places.mappings.push(mapping(id, module, range));
        }
        let first = places.first_of_module[id.index()];
        for mapping in &mut places.mappings[first..] {
            let known = known[id.index()];
            mapping.has_functions = known.functions;
            mapping.has_filenames = known.files;
            mapping.has_line_numbers = known.lines;
            mapping.has_inline_frames = known.functions;
        }
    }
    places
}

fn mapping(id: u64, module: &Module, range: usize) -> proto::Mapping {
    let range = module.ranges.get(range);
    proto::Mapping {
        id,
        memory_start: range.map_or(0, |range| range.start),
        memory_limit: range.map_or(0, |range| range.end),
        file_offset: range.map_or(0, |range| range.file_offset),
        filename: i64::from(module.path.raw()),
        build_id: i64::from(module.build_id.raw()),
        ..proto::Mapping::default()
    }
}

/// What is known of a module's code, for its mappings' flags.
#[derive(Clone, Copy, Default)]
struct Known {
    functions: bool,
    files: bool,
    lines: bool,
}

fn known(profile: &Profile) -> Vec<Known> {
    let mut known = vec![Known::default(); profile.modules().len()];
    for (_, frame) in profile.frames().iter() {
        let function = profile.functions().get(frame.function);
        let Some(module) = function.module else {
            continue;
        };
        let known = &mut known[ModuleId::index(module)];
        known.functions |= function.is_named();
        known.files |= !profile.text(function.file).is_empty();
        known.lines |= frame.line > 0;
    }
    known
}

pub(super) fn functions(profile: &Profile, strings: &mut Strings) -> Vec<proto::Function> {
    let rows = profile
        .functions()
        .iter()
        .map(|(id, function)| proto::Function {
            id: u64::from(id.raw()) + 1,
            name: i64::from(function.name.raw()),
            system_name: i64::from(function.system_name.raw()),
            filename: i64::from(function.file.raw()),
            start_line: i64::from(function.start_line),
        });
    let mut rows: Vec<_> = rows.collect();
    for (id, name) in [
        (elided_function(profile), ELIDED_NAME),
        (stackless(profile), STACKLESS_NAME),
    ] {
        let name = strings.id(name);
        rows.push(proto::Function {
            id,
            name,
            system_name: name,
            ..proto::Function::default()
        });
    }
    rows
}

pub(super) fn locations(profile: &Profile, places: &Places) -> Vec<proto::Location> {
    let only = |function_id| {
        vec![proto::Line {
            function_id,
            line: 0,
        }]
    };
    let rows = profile.locations().iter().map(|(id, location)| {
        let elided = location.flags.has(LocationFlags::ELIDED);
        let lines = location.frames.iter().map(|frame| {
            let frame = profile.frames().get(*frame);
            let function_id = u64::from(frame.function.raw()) + 1;
            proto::Line {
                function_id,
                line: i64::from(frame.line),
            }
        });
        proto::Location {
            id: u64::from(id.raw()) + 1,
            mapping_id: places.id(profile, &location),
            address: if elided { 0 } else { location.lookup_address() },
            line: if elided {
                only(elided_function(profile))
            } else {
                lines.collect()
            },
            is_folded: false,
        }
    });
    let mut rows: Vec<_> = rows.collect();
    rows.push(proto::Location {
        id: stackless_location(profile),
        line: only(stackless(profile)),
        ..proto::Location::default()
    });
    rows
}

/// Id of the location of samples that have no stack.
pub(super) fn stackless_location(profile: &Profile) -> u64 {
    profile.locations().len() as u64 + 1
}

fn elided_function(profile: &Profile) -> u64 {
    profile.functions().len() as u64 + 1
}

fn stackless(profile: &Profile) -> u64 {
    profile.functions().len() as u64 + 2
}
