//! Functions: name, home and what part they play in a stack.
//!
//! Owns the table and the two classifications as values. Does not decide them: `seam-analyze`
//! computes kind and role from a name, the caller stores them here.

use crate::ids::{FunctionId, ModuleId, StringId};

/// Whose code a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FunctionKind {
    /// Go code outside the runtime.
    Go,
    /// The Go runtime.
    GoRuntime,
    /// Native code: C, C++, Rust, assembly.
    C,
    /// The kernel.
    Kernel,
    /// Code in memory that belongs to no file.
    Unknown,
}

impl FunctionKind {
    /// All kinds, in the order reports list them.
    pub const ALL: [Self; 5] = [
        Self::Go,
        Self::GoRuntime,
        Self::C,
        Self::Kernel,
        Self::Unknown,
    ];

    /// The word reports use for the kind.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::GoRuntime => "rt",
            Self::C => "c",
            Self::Kernel => "krn",
            Self::Unknown => "?",
        }
    }
}

/// The part a function plays in a stack, by its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// An ordinary function.
    None,
    /// Plumbing of a call from Go into C, such as `runtime.asmcgocall`.
    CgoCall,
    /// Plumbing of a call from C back into Go, such as `crosscall2`.
    CgoCallback,
    /// Where a stack may begin, such as `runtime.goexit` or `_start`.
    Root,
}

/// One function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// Name for people, demangled; `[libfoo.so+0x1234]` when there is no symbol.
    pub name: StringId,
    /// Name as the symbol table has it; empty when there is no symbol.
    pub system_name: StringId,
    /// Where its code lives, if known.
    pub module: Option<ModuleId>,
    /// Source file, empty when unknown.
    pub file: StringId,
    /// First line in `file`, 0 when unknown.
    pub start_line: u32,
    /// Whose code it is.
    pub kind: FunctionKind,
    /// What part it plays.
    pub role: Role,
}

impl Function {
    /// Whether a symbol gave it its name.
    pub fn is_named(&self) -> bool {
        self.system_name != StringId::EMPTY
    }
}

/// All functions of a profile.
#[derive(Clone, Debug, Default)]
pub struct FunctionTable {
    pub(crate) rows: Vec<Function>,
}

impl FunctionTable {
    /// The function with this id.
    ///
    /// # Panics
    /// When the id is not of this profile.
    pub fn get(&self, id: FunctionId) -> &Function {
        &self.rows[id.index()]
    }

    /// The number of functions.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All functions with their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FunctionId, &Function)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(row, function)| (FunctionId::new(row), function))
    }
}
