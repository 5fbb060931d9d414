//! Addresses to functions, files and lines.
//!
//! Pure over bytes: the caller opens files and says which addresses it wants. In Go code names come
//! from the pclntab, with inlined calls and lines; elsewhere from sized ELF symbols and from the
//! code of functions without a size, with inlined calls and lines from DWARF; in the kernel from
//! kallsyms. An address that nothing covers stays without a name: the nearest symbol is never taken
//! for it.

mod demangle;
mod dwarf;
mod kernel;
mod module;
mod perf_map;
mod sizeless;
mod symbols;

pub use demangle::demangle;
pub use dwarf::{Call, Calls, DebugSections, DwarfError};
pub use kernel::{KernelSymbol, KernelSymbols};
pub use module::{Frame, ModuleSymbols, Origin};
pub use perf_map::perf_map_names;
