//! ELF files as values: segments, sections, symbols, build ids, dynamic entries, relocations.
//!
//! Pure over bytes: the caller gives something that can be read at an offset (a slice, or
//! `object::ReadCache` over a file, so that only what is asked for is read). Any bytes give a value
//! or an error, never a panic, and no allocation follows an unchecked length. Go's own sections
//! are understood in seam-go, unwind information in seam-unwind.

pub mod arm64;
mod code_ranges;
mod debug_link;
mod dynamic;
mod elf;
mod error;
mod loaded_symbols;
mod relocation;
mod section;
mod segment;
mod symbol;

pub use dynamic::Dynamic;
pub use elf::{BuildId, Elf, ElfKind};
pub use error::Error;
pub use object::ReadCache;
pub use object::ReadRef;
pub use relocation::SlotValue;
pub use section::Section;
pub use segment::{Segment, SegmentKind};
pub use symbol::{Symbol, SymbolKind, SymbolSource};

/// The result of reading something of an ELF file.
pub type Result<T> = std::result::Result<T, Error>;
