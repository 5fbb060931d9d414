//! Dynamic relocations that give words their load-time values: in a PIE the runtime's tables hold
//! addends, not addresses, and a word's value must be looked up here.

use std::collections::HashMap;
use std::ops::Range;

use object::read::{Object, ObjectSection, ObjectSymbol, ObjectSymbolTable, ReadRef};
use object::{RelocationFlags, RelocationTarget};

use crate::{Elf, Result};

/// `R_X86_64_RELATIVE` and `R_AARCH64_RELATIVE`.
const RELATIVE: [u32; 2] = [8, 1027];
/// `R_X86_64_GLOB_DAT`, `R_X86_64_JUMP_SLOT` and their like of AArch64.
const IMPORTS: [u32; 4] = [6, 7, 1025, 1026];
/// Bytes of an `Elf64_Rela` entry.
const RELA_BYTES: usize = 24;

/// What the loader puts into a word of the global offset table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotValue<'data> {
    /// The address of the symbol with this name, wherever it is found.
    Symbol(&'data [u8]),
    /// An address in the file itself, as linked.
    Address(u64),
}

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    /// The global offset table: what code calls and jumps through. Words whose value another kind
    /// of relocation gives (indirect functions) are left out.
    #[must_use]
    pub fn slot_values(&self) -> HashMap<u64, SlotValue<'data>> {
        let Some(file) = self.file() else {
            return HashMap::new();
        };
        let tables: Vec<Range<u64>> = file
            .sections()
            .filter(|s| s.name().is_ok_and(|name| name.starts_with(".got")))
            .map(|s| s.address()..s.address().saturating_add(s.size()))
            .collect();
        let mut values = HashMap::new();
        let Some(relocations) = file.dynamic_relocations() else {
            return values;
        };
        let symbols = file.dynamic_symbol_table();
        for (address, relocation) in relocations {
            if !tables.iter().any(|t| t.contains(&address)) {
                continue;
            }
            let RelocationFlags::Elf { r_type } = relocation.flags() else {
                continue;
            };
            let value = match relocation.target() {
                RelocationTarget::Symbol(index) if IMPORTS.contains(&r_type.0) => symbols
                    .as_ref()
                    .and_then(|s| s.symbol_by_index(index).ok()?.name_bytes().ok())
                    .map(SlotValue::Symbol),
                _ if RELATIVE.contains(&r_type.0) => {
                    Some(SlotValue::Address(relocation.addend() as u64))
                }
                _ => None,
            };
            if let Some(value) = value {
                values.insert(address, value);
            }
        }
        values
    }

    /// The values that RELATIVE relocations put at addresses (as linked, bias 0), for the
    /// `(address, value)` pairs that are wanted: a large file has millions.
    ///
    /// # Errors
    /// When the relocation section lies outside of the file.
    pub fn relative_words(&self, wanted: impl Fn(u64, u64) -> bool) -> Result<HashMap<u64, u64>> {
        let mut words = HashMap::new();
        let Some(data) = self.section_data(".rela.dyn")? else {
            return Ok(words);
        };
        for entry in data.as_chunks::<RELA_BYTES>().0 {
            let word = |i: usize| {
                u64::from_le_bytes(entry[8 * i..8 * i + 8].try_into().expect("8 bytes of 24"))
            };
            let (address, info, addend) = (word(0), word(1), word(2));
            if RELATIVE.contains(&(info as u32)) && wanted(address, addend) {
                words.insert(address, addend);
            }
        }
        Ok(words)
    }

    /// Whether the file has sections at all (some packers and `sstrip` leave none).
    #[must_use]
    pub fn has_sections(&self) -> bool {
        let mut files = self.file().into_iter();
        files.any(|f| f.sections().any(|s| s.size() > 0))
    }
}
