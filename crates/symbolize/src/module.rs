//! One module's names, from everything it carries.

use std::ops::Range;
use std::rc::Rc;

use seam_go::GoModule;
use seam_object::{Elf, ReadRef};
use seam_wire::Arch;

use crate::dwarf::Call;

use crate::symbols::SymbolTable;
use crate::{demangle, sizeless};

/// Code that is looked at of a function without a size.
const SIZELESS_BYTES_MAX: u64 = 16 << 10;
/// The longest call.
const CALL_BYTES: u64 = 8;

/// Where a name was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Go's own function table.
    GoTable,
    /// An ELF symbol.
    Symbol,
    /// DWARF: an inlined call, or a function without a symbol.
    Dwarf,
    /// What the process itself calls code that it has made.
    Process,
}

/// A function at a line. Several for one address where calls were inlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The name for people.
    pub name: Rc<str>,
    /// The name as the file has it.
    pub raw_name: Rc<str>,
    /// The source file, empty when unknown.
    pub file: Rc<str>,
    /// The line, 0 when unknown.
    pub line: u32,
    /// The function's first line, 0 when unknown.
    pub start_line: u32,
    /// Where the name was found.
    pub origin: Origin,
    /// The compiler made it to wrap another function (Go).
    pub wrapper: bool,
}

/// What names a module's addresses.
pub struct ModuleSymbols<'d, 'e, R: ReadRef<'d>> {
    elf: &'e Elf<'d, R>,
    go: Option<GoModule<'d>>,
    go_wrapper: Option<u8>,
    symbols: SymbolTable<'d>,
}

impl<'d, 'e, R: ReadRef<'d>> ModuleSymbols<'d, 'e, R> {
    /// Reads a module's tables, and the symbols of the file that has its debug information if that
    /// is another one. Parts that are malformed are as if they were absent.
    #[must_use]
    pub fn new(elf: &'e Elf<'d, R>, separate: Option<&'e Elf<'d, R>>) -> Self {
        let go = GoModule::find(elf).ok().flatten();
        Self {
            elf,
            go_wrapper: go.as_ref().and_then(|go| go.pclntab.wrapper_id()),
            go,
            symbols: SymbolTable::read(std::iter::once(elf).chain(separate)),
        }
    }

    /// Whether Go's own table describes an address, so that DWARF is not asked.
    #[must_use]
    pub fn is_go(&self, address: u64) -> bool {
        let go = self.go.as_ref();
        go.is_some_and(|go| go.pclntab.find(address).is_some())
    }

    /// The frames at an address as linked, innermost first; empty when nothing names it. For a
    /// return address, ask for the byte before it. `calls` is what DWARF says of the address.
    #[must_use]
    pub fn resolve(&self, address: u64, calls: &[Call]) -> Vec<Frame> {
        let go = self.go_frames(address);
        if !go.is_empty() {
            return go;
        }
        let mut frames: Vec<Frame> = calls.iter().filter_map(dwarf_frame).collect();
        let sized = self.symbols.find(address).map(|(name, _)| name);
        let Some(name) = sized.or_else(|| self.sizeless(address)) else {
            return frames;
        };
        let raw_name = String::from_utf8_lossy(name);
        // Versioned symbols: the version says nothing about the code.
        let plain = raw_name
            .split_once('@')
            .map_or(&*raw_name, |(name, _)| name);
        // The function that is not inlined is the symbol's: it keeps the name that it has without
        // DWARF, where C++ names of local functions, for example, are not complete.
        let line = calls.last();
        if line.is_some_and(|call| call.name.is_some()) {
            frames.pop();
        }
        frames.push(Frame {
            name: demangle(plain).map_or_else(|| plain.into(), Rc::from),
            raw_name: (&*raw_name).into(),
            file: line.map(|l| Rc::clone(&l.file)).unwrap_or_default(),
            line: line.map_or(0, |l| l.line),
            start_line: line.map_or(0, |l| l.start_line),
            origin: Origin::Symbol,
            wrapper: false,
        });
        frames
    }

    /// The name of a function without a size whose code covers an address. Where no call leads to
    /// the byte behind it and a function begins there, that address was not pushed by a call but
    /// put there: the C library's `__restore_rt`, to which the kernel lets signal handlers return.
    fn sizeless(&self, address: u64) -> Option<&'d [u8]> {
        let arch = Arch::of_machine(self.elf.machine())?;
        if let Some((name, range)) = self.symbols.sizeless(address) {
            let len = (range.end - range.start).min(SIZELESS_BYTES_MAX);
            let code = self.elf.bytes_up_to(range.start, len)?;
            let offset = usize::try_from(address - range.start).ok()?;
            if sizeless::covers(arch, code, offset) {
                return Some(name);
            }
        }
        let behind = address.checked_add(1)?;
        let name = self.symbols.beginning_at(behind)?;
        let before = behind.checked_sub(CALL_BYTES)?;
        let before = self.elf.bytes_at(before, CALL_BYTES)?;
        (!sizeless::is_behind_call(arch, before)).then_some(name)
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
                name: name.into(),
                raw_name: name.into(),
                file: file.into(),
                line,
                start_line,
                origin: Origin::GoTable,
                wrapper: false,
            }
        };
        let mut frames: Vec<Frame> = names.into_iter().zip(pcs).map(frame).collect();
        if let Some(last) = frames.last_mut() {
            last.wrapper = Some(function.id) == self.go_wrapper;
        }
        frames
    }
}

/// Lines without a function name nothing.
fn dwarf_frame(call: &Call) -> Option<Frame> {
    Some(Frame {
        name: Rc::clone(call.name.as_ref()?),
        raw_name: Rc::clone(call.raw_name.as_ref()?),
        file: Rc::clone(&call.file),
        line: call.line,
        start_line: call.start_line,
        origin: Origin::Dwarf,
        wrapper: false,
    })
}
