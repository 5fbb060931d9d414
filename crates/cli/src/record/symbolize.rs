//! Drives seam-symbolize over a recording: which addresses are wanted, and reading the files that
//! name them, one after the other so that only one is in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use seam_capture::{MappedModule, Module, Recording};
use seam_object::{Elf, ReadCache};
use seam_symbolize::{Frame, KernelSymbols, ModuleSymbols};
use seam_wire::{SEAM_FRAME_EXACT, frame_address, frame_flags};

use super::edges::Edges;

/// Frames by module number and address as linked.
#[derive(Default)]
pub(crate) struct Names {
    frames: HashMap<(u32, u64), Vec<Frame>>,
    pub(crate) kernel: KernelSymbols,
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
        for stack in &recording.stacks {
            for frame in &stack.user {
                if let Some(place) = place(recording, stack.mapping_set, *frame) {
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
        for (number, addresses) in wanted {
            let Some(module) = recording.modules.get(number as usize) else {
                continue;
            };
            for (address, found) in resolve(module, &addresses, edges) {
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
                    ambiguous.insert(frame.raw_name.as_str());
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

fn resolve(
    module: &Module,
    addresses: &BTreeSet<u64>,
    edges: &mut Edges,
) -> Vec<(u64, Vec<Frame>)> {
    if !module.image.is_empty() {
        return Elf::parse(module.image.as_slice())
            .map_or_else(|_| Vec::new(), |e| all(module, &e, addresses, edges));
    }
    let Some(file) = &module.file else {
        return Vec::new();
    };
    let cache = ReadCache::new(file);
    Elf::parse(&cache).map_or_else(|_| Vec::new(), |e| all(module, &e, addresses, edges))
}

fn all<'d, R: seam_object::ReadRef<'d>>(
    module: &Module,
    elf: &Elf<'d, R>,
    addresses: &BTreeSet<u64>,
    edges: &mut Edges,
) -> Vec<(u64, Vec<Frame>)> {
    let symbols = ModuleSymbols::new(elf);
    edges.check(module.number, elf, &symbols);
    addresses
        .iter()
        .map(|address| (*address, symbols.resolve(*address)))
        .collect()
}
