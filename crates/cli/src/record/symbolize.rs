//! Drives seam-symbolize over a recording: which addresses are wanted, and reading the files that
//! name them, one after the other so that only one is in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use seam_capture::{MappedModule, Module, ModuleKind, Recording};
use seam_object::{Elf, ReadCache, ReadRef};
use seam_symbolize::{Calls, DebugSections, DwarfError, Frame, KernelSymbols, ModuleSymbols};
use seam_wire::{SEAM_FRAME_EXACT, frame_address, frame_flags};

use super::debug_files::{self, DEBUG_FOLDER};
use super::edges::Edges;
use super::made_names;

/// The most debug sections, decompressed, that are read of one module.
const DEBUG_BYTES_MAX: u64 = 1 << 30;

/// Frames by module number and address as linked.
#[derive(Default)]
pub(crate) struct Names {
    frames: HashMap<(u32, u64), Vec<Frame>>,
    pub(crate) kernel: KernelSymbols,
    /// Sentences about what could not be read.
    pub(crate) notes: Vec<String>,
}

/// Where a stored frame lies: the mapping, and the address to look up, as linked.
pub(crate) struct Place<'a> {
    pub(crate) mapping: &'a MappedModule,
    pub(crate) lookup: u64,
}

/// The address by which a frame is looked up: a call, not what follows it.
pub(crate) fn lookup_address(frame: u64) -> u64 {
    let exact = frame_flags(frame) & SEAM_FRAME_EXACT != 0;
    let address = frame_address(frame);
    if exact {
        address
    } else {
        address.wrapping_sub(1)
    }
}

/// Finds a stored frame in the mappings that were in force.
pub(crate) fn place(recording: &Recording, set: u32, frame: u64) -> Option<Place<'_>> {
    let lookup = lookup_address(frame);
    let mapping = recording.maps.find(set, lookup)?;
    Some(Place {
        mapping,
        lookup: lookup.wrapping_sub(mapping.load_bias),
    })
}

impl Names {
    /// Finds names for everything in a recording, and has its edges checked while files are open.
    pub(crate) fn of(recording: &Recording, edges: &mut Edges) -> Self {
        let mut wanted: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
        let own = recording.stacks.iter().map(|s| (s.mapping_set, &s.user));
        let others = recording.peers.iter().flat_map(|peers| &peers.stacks);
        for (set, frames) in own.chain(others.map(|(set, frames)| (*set, frames))) {
            for frame in frames {
                if let Some(place) = place(recording, set, *frame) {
                    wanted
                        .entry(place.mapping.module.number)
                        .or_default()
                        .insert(place.lookup);
                }
            }
        }
        for sample in &recording.samples {
            let set = recording.stacks[sample.stack as usize].mapping_set;
            if let Some(place) = start_place(recording, set, sample.header.start_pc) {
                wanted
                    .entry(place.mapping.module.number)
                    .or_default()
                    .insert(place.lookup);
            }
        }
        let mut frames = HashMap::new();
        let mut notes = Vec::new();
        for (number, addresses) in wanted {
            let Some(module) = recording.modules.get(number as usize) else {
                continue;
            };
            let made = module
                .maker
                .filter(|_| module.kind == ModuleKind::Anonymous);
            let found = match made {
                Some(pid) => made_names::resolve(recording, pid, &addresses, &mut notes),
                None => resolve(module, &addresses, Some(&mut *edges), &mut notes),
            };
            for (address, found) in found {
                frames.insert((number, address), found);
            }
        }
        let kernel_frames = recording.stacks.iter().any(|s| !s.kernel.is_empty());
        let kallsyms = if kernel_frames {
            std::fs::read_to_string("/proc/kallsyms").unwrap_or_default()
        } else {
            String::new()
        };
        Self {
            frames,
            kernel: KernelSymbols::parse(kallsyms),
            notes,
        }
    }

    /// The frames of an address, innermost first; empty without a name.
    pub(crate) fn frames(&self, module: u32, address: u64) -> &[Frame] {
        self.frames
            .get(&(module, address))
            .map_or(&[], Vec::as_slice)
    }

    /// Names from symbols that more than one module has: they are told apart by their module.
    pub(crate) fn ambiguous(&self) -> BTreeSet<&str> {
        let mut owners: HashMap<&str, u32> = HashMap::new();
        let mut ambiguous = BTreeSet::new();
        for ((module, _), frames) in &self.frames {
            for frame in frames
                .iter()
                .filter(|f| f.origin == seam_symbolize::Origin::Symbol)
            {
                let owner = owners.entry(&frame.raw_name).or_insert(*module);
                if owner != module {
                    ambiguous.insert(&*frame.raw_name);
                }
            }
        }
        ambiguous
    }
}

/// Where a goroutine's start function lies.
pub(crate) fn start_place(recording: &Recording, set: u32, start_pc: u64) -> Option<Place<'_>> {
    let mapping = recording.maps.find(set, start_pc)?;
    Some(Place {
        mapping,
        lookup: start_pc.wrapping_sub(mapping.load_bias),
    })
}

pub(crate) type Named = Vec<(u64, Vec<Frame>)>;

/// The names of one module's addresses; its calls are checked while it is open.
pub(crate) fn resolve(
    module: &Module,
    addresses: &BTreeSet<u64>,
    edges: Option<&mut Edges>,
    notes: &mut Vec<String>,
) -> Named {
    if !module.image.is_empty() {
        return Elf::parse(module.image.as_slice())
            .map_or_else(|_| Vec::new(), |elf| all(module, &elf, addresses, edges));
    }
    let Some(file) = &module.file else {
        return Vec::new();
    };
    let folder = Path::new(DEBUG_FOLDER);
    let path = Path::new(&module.path);
    let edges = edges.map(|edges| (edges, module.number));
    let (named, error) = resolve_file(file, path, folder, addresses, edges);
    if let Some(error) = error {
        let name = module.name();
        notes.push(format!(
            "{name}: inlined calls and lines are not complete: {error}"
        ));
    }
    named
}

/// The same for a file, with what DWARF says of it, be it in the file itself or in a separate one.
fn resolve_file(
    file: &File,
    path: &Path,
    folder: &Path,
    addresses: &BTreeSet<u64>,
    edges: Option<(&mut Edges, u32)>,
) -> (Named, Option<DwarfError>) {
    let cache = ReadCache::new(file);
    let Ok(elf) = Elf::parse(&cache) else {
        return (Vec::new(), None);
    };
    let own = elf.section(".debug_info").is_some();
    let separate = (!own).then(|| debug_files::separate(&elf, path, folder));
    let separate = separate.flatten();
    let separate_cache = separate.as_ref().map(|s| ReadCache::new(&s.file));
    let separate_elf = separate_cache.as_ref().and_then(|c| Elf::parse(c).ok());
    let symbols = ModuleSymbols::new(&elf, separate_elf.as_ref());
    if let Some((edges, number)) = edges {
        edges.check(number, &elf, &symbols);
    }
    let of_c = addresses.iter().copied().filter(|a| !symbols.is_go(*a));
    let of_c: Vec<u64> = of_c.collect();
    let described = separate_elf.as_ref().unwrap_or(&elf);
    let described_path = separate.as_ref().map_or(path, |s| &s.path);
    let calls = calls(described, described_path, folder, &of_c);
    let (calls, error) = match calls {
        Ok(calls) => (calls.by_address, calls.error),
        Err(error) => (HashMap::new(), Some(error)),
    };
    let named = |address: &u64| {
        let calls = calls.get(address).map_or(&[][..], Vec::as_slice);
        (*address, symbols.resolve(*address, calls))
    };
    (addresses.iter().map(named).collect(), error)
}

/// What DWARF says of addresses.
fn calls<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    path: &Path,
    folder: &Path,
    addresses: &[u64],
) -> Result<Calls, DwarfError> {
    if addresses.is_empty() {
        return Ok(Calls::default());
    }
    let Some(sections) = DebugSections::read(elf, DEBUG_BYTES_MAX)? else {
        return Ok(Calls::default());
    };
    let Some(shared) = debug_files::shared(elf, path, folder) else {
        return Ok(sections.find(None, addresses));
    };
    let cache = ReadCache::new(&shared.file);
    let shared = Elf::parse(&cache)?;
    let shared = DebugSections::read(&shared, DEBUG_BYTES_MAX - sections.bytes())?;
    Ok(sections.find(shared.as_ref(), addresses))
}

fn all<'d, R: ReadRef<'d>>(
    module: &Module,
    elf: &Elf<'d, R>,
    addresses: &BTreeSet<u64>,
    edges: Option<&mut Edges>,
) -> Named {
    let symbols = ModuleSymbols::new(elf, None);
    if let Some(edges) = edges {
        edges.check(module.number, elf, &symbols);
    }
    addresses
        .iter()
        .map(|address| (*address, symbols.resolve(*address, &[])))
        .collect()
}

#[cfg(test)]
mod tests;
