//! Names for the reader of a golden stack or a fault.

use std::cell::RefCell;
use std::collections::HashMap;

use seam_capture::ProcessMap;
use seam_object::{Elf, ReadCache};
use seam_symbolize::ModuleSymbols;

/// Finds names in the files that a process maps, and remembers them.
#[derive(Default)]
pub struct Namer {
    cache: RefCell<HashMap<u64, String>>,
}

impl Namer {
    /// The physical function at an address, else module and offset.
    pub fn name(&self, map: &ProcessMap, address: u64) -> String {
        if let Some(name) = self.cache.borrow().get(&address) {
            return name.clone();
        }
        let name = find(map, address).unwrap_or_else(|| format!("{address:#x}"));
        self.cache.borrow_mut().insert(address, name.clone());
        name
    }
}

fn find(map: &ProcessMap, address: u64) -> Option<String> {
    let mapping = map.find(address)?;
    let linked = address.wrapping_sub(mapping.load_bias);
    let plain = format!("{}+{linked:#x}", mapping.module.name());
    let Some(file) = &mapping.module.file else { return Some(plain) };
    let cache = ReadCache::new(file);
    let elf = Elf::parse(&cache).ok()?;
    let found = ModuleSymbols::new(&elf).resolve(linked).pop();
    Some(found.map_or(plain, |f| f.name))
}
