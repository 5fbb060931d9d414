//! One module's names, from everything it carries.

use std::ops::Range;

use seam_go::GoModule;
use seam_object::{Elf, ReadRef};

use crate::demangle;
use crate::symbols::SymbolTable;

/// Where a name was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Go's own function table.
    GoTable,
    /// An ELF symbol.
    Symbol,
}

/// A function at a line. Several for one address where calls were inlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The name for people.
    pub name: String,
    /// The name as the file has it.
    pub raw_name: String,
    /// The source file, empty when unknown.
    pub file: String,
    /// The line, 0 when unknown.
    pub line: u32,
    /// The function's first line, 0 when unknown.
    pub start_line: u32,
    /// Where the name was found.
    pub origin: Origin,
}

/// What names a module's addresses.
pub struct ModuleSymbols<'d, 'e, R: ReadRef<'d>> {
    elf: &'e Elf<'d, R>,
    go: Option<GoModule<'d>>,
    symbols: SymbolTable<'d>,
}

impl<'d, 'e, R: ReadRef<'d>> ModuleSymbols<'d, 'e, R> {
    /// Reads a module's tables. Parts that are malformed are as if they were absent.
    #[must_use]
    pub fn new(elf: &'e Elf<'d, R>) -> Self {
        let go = GoModule::find(elf).ok().flatten();
        Self {
            elf,
            go,
            symbols: SymbolTable::read(elf),
        }
    }

    /// The frames at an address as linked, innermost first; empty when nothing names it. For a
    /// return address, ask for the byte before it.
    #[must_use]
    pub fn resolve(&self, address: u64) -> Vec<Frame> {
        let go = self.go_frames(address);
        if !go.is_empty() {
            return go;
        }
        let Some((name, _)) = self.symbols.find(address) else {
            return Vec::new();
        };
        let raw_name = String::from_utf8_lossy(name).into_owned();
        // Versioned symbols: the version says nothing about the code.
        let plain = raw_name
            .split_once('@')
            .map_or(raw_name.as_str(), |(name, _)| name);
        vec![Frame {
            name: demangle(plain).unwrap_or_else(|| plain.to_owned()),
            file: String::new(),
            line: 0,
            start_line: 0,
            origin: Origin::Symbol,
            raw_name,
        }]
    }

    /// The function that covers an address, as Go's table or a sized symbol says.
    #[must_use]
    pub fn extent(&self, address: u64) -> Option<Range<u64>> {
        let go = self.go.as_ref().and_then(|go| go.pclntab.find(address));
        go.map(|f| f.entry..f.end)
            .or_else(|| self.symbols.extent(address))
    }

    /// The name of the Go function that covers an address, without what was inlined into it.
    #[must_use]
    pub fn go_function(&self, address: u64) -> Option<&'d str> {
        Some(self.go.as_ref()?.pclntab.find(address)?.name)
    }

    fn go_frames(&self, address: u64) -> Vec<Frame> {
        let Some(go) = &self.go else {
            return Vec::new();
        };
        let Some(function) = go.pclntab.find(address) else {
            return Vec::new();
        };
        let calls = go.inlined(self.elf, &function, address);
        let mut names: Vec<(&str, u32)> = calls.iter().map(|c| (c.name, c.start_line)).collect();
        names.push((function.name, function.start_line));
        let pcs = std::iter::once(address).chain(calls.iter().map(|c| c.parent_pc));
        let frame = |((name, start_line), pc): ((&str, u32), u64)| {
            let (file, line) = go.pclntab.file_line(&function, pc).unwrap_or(("", 0));
            Frame {
                name: name.to_owned(),
                raw_name: name.to_owned(),
                file: file.to_owned(),
                line,
                start_line,
                origin: Origin::GoTable,
            }
        };
        names.into_iter().zip(pcs).map(frame).collect()
    }
}
