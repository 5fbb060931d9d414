//! Names for the reader of a golden stack or a fault.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;

use seam_capture::{Module, ProcessMap};
use seam_object::{Elf, ReadCache};
use seam_symbolize::ModuleSymbols;

type Symbols = ModuleSymbols<'static, 'static, &'static ReadCache<File>>;

/// Finds names in the files that a process maps, and remembers them. The files' tables stay in
/// memory until the program ends: this is a tool of tests.
#[derive(Default)]
pub struct Namer {
    names: RefCell<HashMap<u64, String>>,
    modules: RefCell<HashMap<u32, Option<&'static Symbols>>>,
}

impl Namer {
    /// The physical function at an address, else module and offset.
    pub fn name(&self, map: &ProcessMap, address: u64) -> String {
        if let Some(name) = self.names.borrow().get(&address) {
            return name.clone();
        }
        let name = self
            .find(map, address)
            .unwrap_or_else(|| format!("{address:#x}"));
        self.names.borrow_mut().insert(address, name.clone());
        name
    }

    fn find(&self, map: &ProcessMap, address: u64) -> Option<String> {
        let mapping = map.find(address)?;
        let linked = address.wrapping_sub(mapping.load_bias);
        let plain = format!("{}+{linked:#x}", mapping.module.name());
        let mut modules = self.modules.borrow_mut();
        let symbols = modules
            .entry(mapping.module.number)
            .or_insert_with(|| symbols(&mapping.module));
        let found = symbols.and_then(|s| s.resolve(linked, &[]).pop());
        Some(found.map_or(plain, |f| f.name.to_string()))
    }
}

fn symbols(module: &Module) -> Option<&'static Symbols> {
    let file = module.file.as_ref()?.try_clone().ok()?;
    let cache: &'static ReadCache<File> = Box::leak(Box::new(ReadCache::new(file)));
    let elf = Box::leak(Box::new(Elf::parse(cache).ok()?));
    Some(Box::leak(Box::new(ModuleSymbols::new(elf, None))))
}
