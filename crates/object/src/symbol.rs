//! Symbols of `.symtab` and `.dynsym`.

use object::read::{Object, ObjectSymbol, ReadRef};
use object::{SymbolSection, elf};

use crate::Elf;

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
    /// Defined, named symbols of both tables, in file order. Malformed entries are left out.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol<'data>> + '_ {
        let symtab = self.file.symbols().map(|s| (SymbolSource::Symtab, s));
        let dynsym = self
            .file
            .dynamic_symbols()
            .map(|s| (SymbolSource::Dynsym, s));
        symtab.chain(dynsym).filter_map(|(source, symbol)| {
            if matches!(
                symbol.section(),
                SymbolSection::Undefined | SymbolSection::None
            ) {
                return None;
            }
            let kind = match symbol.elf_symbol().st_type() {
                elf::STT_FUNC | elf::STT_GNU_IFUNC => SymbolKind::Function,
                elf::STT_TLS => SymbolKind::Tls,
                elf::STT_OBJECT => SymbolKind::Object,
                elf::STT_NOTYPE => SymbolKind::NoType,
                _ => return None,
            };
            let name = symbol.name_bytes().ok()?;
            (!name.is_empty()).then_some(Symbol {
                name,
                address: symbol.address(),
                size: symbol.size(),
                kind,
                source,
                global: symbol.is_global(),
            })
        })
    }

    /// The address of the first symbol with this name.
    #[must_use]
    pub fn symbol_address(&self, name: &str) -> Option<u64> {
        self.symbols()
            .find(|s| s.name == name.as_bytes())
            .map(|s| s.address)
    }
}
