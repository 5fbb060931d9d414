//! A process as it is now: what it maps, its unwind tables ready for the host's walk, and its Go
//! runtimes with the places of their variables. For looks at a process that is not recorded.

pub(crate) mod core;

use std::ops::Range;
use std::sync::Arc;

use seam_go::{Globals, GoModule, ModuleData};
use seam_memory::{Live, Memory};
use seam_object::{Elf, ReadCache};
use seam_unwind::{GoRuntimeFacts, TableSet};

use crate::{Error, Module, Modules, ProcessMap, Result, TableCache};

/// All that walking and naming needs.
#[derive(Debug)]
pub struct Image {
    /// Its executable mappings.
    pub map: ProcessMap,
    /// The modules by number.
    pub modules: Vec<Arc<Module>>,
    /// Tables and mappings in the walk's form.
    pub tables: TableSet,
    /// Its Go runtimes, in the order of `tables.runtimes`.
    pub runtimes: Vec<ImageRuntime>,
}

/// A Go runtime of the process.
#[derive(Debug)]
pub struct ImageRuntime {
    /// Its module.
    pub module: Arc<Module>,
    /// Where the module's address 0 is loaded.
    pub load_bias: u64,
    /// The runtime's variables at the addresses of this process; `None` where the code does not
    /// show them.
    pub globals: Option<Globals>,
    /// Its variables that hold pointers, and where its types lie, at the addresses of this process.
    pub data: GoData,
    /// It is a plugin's, which is never begun: the program's own runtime runs what is in a plugin.
    pub of_plugin: bool,
}

/// Ranges of addresses, empty where they are not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoData {
    /// Variables with pointers.
    pub variables: Vec<Range<u64>>,
    /// Variables without pointers.
    pub plain: Vec<Range<u64>>,
    /// The module's types and their names.
    pub types: Range<u64>,
}

impl ImageRuntime {
    /// What is known of the build.
    #[must_use]
    pub fn facts(&self) -> Option<&GoRuntimeFacts> {
        let table = self.module.table.as_ref().ok();
        table.and_then(|table| table.go.as_ref())
    }
}

impl Image {
    /// The runtimes that run, with their numbers: those of plugins do not.
    pub fn own_runtimes(&self) -> impl Iterator<Item = (usize, &ImageRuntime)> {
        let all = self.runtimes.iter().enumerate();
        all.filter(|(_, runtime)| !runtime.of_plugin)
    }

    /// Reads what a process maps and builds, or takes from the cache, the tables of it.
    ///
    /// # Errors
    /// When the process is gone or may not be looked at.
    pub fn read(pid: i32) -> Result<Self> {
        let mut modules = Modules::with_tables(TableCache::of_user());
        let map =
            ProcessMap::read(pid, &mut modules).map_err(|source| Error::Inspect { pid, source })?;
        Ok(Self::new(map, &modules, &Live::new(pid)))
    }

    /// Puts together what is known of a process's mappings and memory.
    pub(crate) fn new(map: ProcessMap, modules: &Modules, memory: &dyn Memory) -> Self {
        let wire = map.go_runtimes(memory);
        let mut tables = TableSet::default();
        let mut slots = vec![0; modules.all().len()];
        let mappings = map.wire(&wire, |module| {
            let slot = &mut slots[module.number as usize];
            if let (0, Ok(built)) = (*slot, &module.table) {
                *slot = tables.add_table(&built.table.words);
            }
            *slot
        });
        tables.set_mappings(&mappings);
        tables.runtimes = wire.iter().map(|(_, runtime)| *runtime).collect();
        let of_module = |(number, _): &(u32, _)| {
            let mapping = map.mappings.iter().find(|m| m.module.number == *number)?;
            let (globals, data, of_plugin) = variables(&mapping.module, mapping.load_bias);
            Some(ImageRuntime {
                module: Arc::clone(&mapping.module),
                load_bias: mapping.load_bias,
                globals,
                data,
                of_plugin,
            })
        };
        let runtimes = wire.iter().filter_map(of_module).collect();
        Self {
            map,
            modules: modules.all().to_vec(),
            tables,
            runtimes,
        }
    }
}

/// Where a runtime's variables are loaded.
fn variables(module: &Module, bias: u64) -> (Option<Globals>, GoData, bool) {
    let found = || {
        let cache = ReadCache::new(module.file.as_ref()?);
        let elf = Elf::parse(&cache).ok()?;
        let go = GoModule::find(&elf).ok().flatten()?;
        let globals = Globals::find(&elf, &go).map(|linked| placed(linked, bias));
        let mode = go.build.as_ref().and_then(|b| b.setting("-buildmode"));
        let data = go.data.map(|data| data_of(&data, bias));
        Some((globals, data, mode == Some("plugin")))
    };
    let (globals, data, of_plugin) = found().unwrap_or_default();
    (globals, data.unwrap_or_default(), of_plugin)
}

fn placed(linked: Globals, bias: u64) -> Globals {
    let place = |address: u64| address.wrapping_add(bias);
    Globals {
        allglen: place(linked.allglen),
        allgptr: place(linked.allgptr),
        wait_reasons: linked.wait_reasons.into_iter().map(place).collect(),
        mheap: linked.mheap.map(place),
        allp: linked.allp.map(place),
    }
}

fn data_of(data: &ModuleData, bias: u64) -> GoData {
    let range = |(start, end): (u64, u64)| {
        let sound = start != 0 && start <= end;
        if sound {
            start.wrapping_add(bias)..end.wrapping_add(bias)
        } else {
            0..0
        }
    };
    let variables = [range(data.data), range(data.bss)];
    GoData {
        variables: variables.into_iter().filter(|r| !r.is_empty()).collect(),
        plain: data
            .plain
            .into_iter()
            .map(range)
            .filter(|r| !r.is_empty())
            .collect(),
        types: range(data.types),
    }
}
