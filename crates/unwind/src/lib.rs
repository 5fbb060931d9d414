//! Unwind tables and the host build of the stack walk.
//!
//! One row format for everything: pc to rule, built from `.eh_frame` and `.debug_frame` for C, from
//! the pclntab for Go, with rows of their own where Go's runtime changes stacks. The walk itself is
//! `bpf/unwind.h`. This crate opens no files and loads nothing into the kernel.

mod arm64;
mod build;
mod cfi;
mod copied_stack;
mod derive;
mod eh_return;
mod error;
mod go_rows;
mod host;
mod plt;
mod program_start;
mod range_list;
mod rules;
mod sigreturn;
mod stored;
mod table;

pub use build::{GoRuntimeFacts, ModuleTable, Rows, TableFacts, build, build_vdso, rows};
pub use copied_stack::{CopiedStack, EhFrames, walk_copied};
pub use error::Error;
pub use host::{
    ParkedGoroutine, Start, TableSet, Walked, mapping_blocks, walk, walk_by_sp, walk_knowing,
    walk_parked,
};
pub use rules::RuleSet;
pub use stored::StoredError;
pub use table::Table;

/// The result of building something.
pub type Result<T> = std::result::Result<T, Error>;
