//! Symbols of `.symtab` and `.dynsym`.

use object::read::elf::{Sym, SymbolTable};
use object::read::{Object, ObjectSection, ReadRef};
use object::{LittleEndian, elf};

use crate::Elf;

type Table<'data, R> = SymbolTable<'data, elf::FileHeader64<LittleEndian>, R>;

/// Names that are read one by one rather than with all others of their table.
const NAMES_ONE_BY_ONE: usize = 1000;

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// A function (also an indirect one).
    Function,
    /// A thread-local variable.
    Tls,
    /// Data.
    Object,
    /// A label without a type, as assembly code has them.
    NoType,
}

/// The table that a symbol comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SymbolSource {
    /// `.symtab`
    Symtab,
    /// `.dynsym`
    Dynsym,
}

/// A defined symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol<'data> {
    /// The name as it stands in the file.
    pub name: &'data [u8],
    /// Virtual address (for TLS: offset in the TLS image).
    pub address: u64,
    /// Bytes; 0 when the file does not say.
    pub size: u64,
    /// What it names.
    pub kind: SymbolKind,
    /// Where it stands.
    pub source: SymbolSource,
    /// Visible to other modules or files (global or weak binding).
    pub global: bool,
}

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    /// Defined, named symbols of both tables, in file order; of a file without section headers
    /// those that the loader knows. Malformed entries are left out.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol<'data>> + '_ {
        let tables = self.symbol_tables().into_iter();
        let tables = tables.flat_map(|(source, table)| self.symbols_of(source, table));
        tables.chain(self.loaded())
    }

    /// Those of them at addresses that are `wanted`. Where these are few, only their names are read
    /// and not all, which are many megabytes in a large file.
    pub fn symbols_at(&self, wanted: impl Fn(u64) -> bool) -> Vec<Symbol<'data>> {
        let mut found = Vec::new();
        for (source, table) in self.symbol_tables() {
            let places = || table.iter().filter(|s| wanted(s.st_value(LittleEndian)));
            if places().nth(NAMES_ONE_BY_ONE).is_some() {
                let all = self.symbols_of(source, table);
                found.extend(all.filter(|s| wanted(s.address)));
            } else {
                let name = |at| table.strings().get(at).ok();
                found.extend(places().filter_map(|s| symbol(s, source, name)));
            }
        }
        found.extend(self.loaded().filter(|s| wanted(s.address)));
        found
    }

    fn symbol_tables(&self) -> Vec<(SymbolSource, &Table<'data, R>)> {
        let Some(file) = self.file() else {
            return Vec::new();
        };
        vec![
            (SymbolSource::Symtab, file.elf_symbol_table()),
            (SymbolSource::Dynsym, file.elf_dynamic_symbol_table()),
        ]
    }

    /// Of a file without section headers.
    fn loaded(&self) -> impl Iterator<Item = Symbol<'data>> + use<'data, R> {
        let loaded = (!self.has_sections()).then(|| self.loaded_symbols());
        loaded.flatten().into_iter().flat_map(|loaded| {
            let symbols = object::slice_from_all_bytes::<elf::Sym64<LittleEndian>>(loaded.symbols);
            let symbols = symbols.unwrap_or_default().iter();
            let name = move |at| name_in(loaded.names, at);
            symbols.filter_map(move |s| symbol(s, SymbolSource::Dynsym, name))
        })
    }

    fn symbols_of<'t>(
        &self,
        source: SymbolSource,
        table: &'t Table<'data, R>,
    ) -> impl Iterator<Item = Symbol<'data>> + use<'t, 'data, R> {
        // All names at once: one by one they are half a million reads in a large file.
        let names = self
            .file()
            .and_then(|f| f.section_by_index(table.string_section()).ok()?.data().ok())
            .unwrap_or_default();
        let name = move |at| name_in(names, at);
        table.iter().filter_map(move |s| symbol(s, source, name))
    }

    /// The address of the first symbol with this name.
    #[must_use]
    pub fn symbol_address(&self, name: &str) -> Option<u64> {
        self.symbols()
            .find(|s| s.name == name.as_bytes())
            .map(|s| s.address)
    }
}

/// The name at a place in a table of names.
fn name_in(names: &[u8], at: u32) -> Option<&[u8]> {
    let name = names.get(at as usize..)?;
    Some(&name[..name.iter().position(|b| *b == 0)?])
}

fn symbol<'data>(
    symbol: &elf::Sym64<LittleEndian>,
    source: SymbolSource,
    name: impl Fn(u32) -> Option<&'data [u8]>,
) -> Option<Symbol<'data>> {
    let index = symbol.st_shndx(LittleEndian);
    if index == elf::SHN_UNDEF {
        return None;
    }
    let kind = match symbol.st_type() {
        elf::STT_FUNC | elf::STT_GNU_IFUNC => SymbolKind::Function,
        elf::STT_TLS => SymbolKind::Tls,
        elf::STT_OBJECT => SymbolKind::Object,
        elf::STT_NOTYPE => SymbolKind::NoType,
        _ => return None,
    };
    let name = name(symbol.st_name(LittleEndian))?;
    (!name.is_empty()).then_some(Symbol {
        name,
        address: symbol.st_value(LittleEndian),
        size: symbol.st_size(LittleEndian),
        kind,
        source,
        global: symbol.st_bind() != elf::STB_LOCAL,
    })
}
