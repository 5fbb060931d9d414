//! A process as it is now: what it maps, its unwind tables ready for the host's walk, and its Go
//! runtimes with the places of their variables. For looks at a process that is not recorded.

use std::sync::Arc;

use seam_go::{Globals, GoModule};
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
    /// Reads what a process maps and builds, or takes from the cache, the tables of it.
    ///
    /// # Errors
    /// When the process is gone or may not be looked at.
    pub fn read(pid: i32) -> Result<Self> {
        let mut modules = Modules::with_tables(TableCache::of_user());
        let map =
            ProcessMap::read(pid, &mut modules).map_err(|source| Error::Inspect { pid, source })?;
        let wire = map.go_runtimes(pid);
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
            Some(ImageRuntime {
                module: Arc::clone(&mapping.module),
                load_bias: mapping.load_bias,
                globals: globals(&mapping.module, mapping.load_bias),
            })
        };
        let runtimes = wire.iter().filter_map(of_module).collect();
        Ok(Self {
            map,
            modules: modules.all().to_vec(),
            tables,
            runtimes,
        })
    }
}

/// Where a runtime's variables are loaded.
fn globals(module: &Module, bias: u64) -> Option<Globals> {
    let cache = ReadCache::new(module.file.as_ref()?);
    let elf = Elf::parse(&cache).ok()?;
    let go = GoModule::find(&elf).ok().flatten()?;
    let linked = Globals::find(&elf, &go)?;
    let place = |address: u64| address.wrapping_add(bias);
    Some(Globals {
        allglen: place(linked.allglen),
        allgptr: place(linked.allgptr),
        wait_reasons: linked.wait_reasons.into_iter().map(place).collect(),
    })
}
