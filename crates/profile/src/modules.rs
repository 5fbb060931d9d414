//! The files and areas that code was mapped from.
//!
//! Owns modules, their kinds and their mapped ranges. Does not read files or build ids.

use crate::ids::{ModuleId, StringId};

/// What a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModuleKind {
    /// The program itself.
    Executable,
    /// A shared library, linked or loaded with dlopen.
    SharedLibrary,
    /// The kernel's user-space helper page.
    Vdso,
    /// The kernel and its modules.
    Kernel,
    /// Executable memory without a file: generated code.
    Anonymous,
}

/// One mapping of a module into an address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MappedRange {
    /// First address.
    pub start: u64,
    /// Address after the last.
    pub end: u64,
    /// Offset in the file of the byte mapped at `start`.
    pub file_offset: u64,
}

impl MappedRange {
    /// Whether `address` lies in the range.
    pub fn contains(&self, address: u64) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// A file or area that code was mapped from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Path as the target sees it; `[vdso]`, `[kernel]`, `[anon]` where there is none.
    pub path: StringId,
    /// Short name for people: the file's name without folders.
    pub name: StringId,
    /// GNU build id in lower-case hex, empty when there is none.
    pub build_id: StringId,
    /// What it is.
    pub kind: ModuleKind,
    /// Where it was mapped, in the order it was seen, without doubles.
    pub ranges: Vec<MappedRange>,
}

/// All modules of a profile.
#[derive(Clone, Debug, Default)]
pub struct ModuleTable {
    pub(crate) rows: Vec<Module>,
}

impl ModuleTable {
    /// The module with this id.
    ///
    /// # Panics
    /// When the id is not of this profile.
    pub fn get(&self, id: ModuleId) -> &Module {
        &self.rows[id.index()]
    }

    /// The number of modules.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All modules with their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ModuleId, &Module)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(row, module)| (ModuleId::new(row), module))
    }
}
