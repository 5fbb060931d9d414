//! The columnar profile model every view, exporter and analysis works on.
//!
//! Owns: the tables (strings, modules, functions, frames, locations, stacks, threads), the sample
//! columns, what is known about the recording, its quality and its cost, and the builder that
//! interns all of it. A [`Profile`] is a plain value and never changes once finished.
//!
//! Does not: open files, read clocks, name addresses, decide what a function *is* (the caller
//! passes kind and role in; `seam-analyze` computes them) or know any output format.

mod builder;
mod cost;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
mod frames;
mod functions;
mod ids;
mod index;
mod labels;
mod locations;
mod modules;
mod peers;
mod profile;
mod quality;
mod recording;
mod samples;
mod stacks;
mod strings;
mod threads;

#[cfg(test)]
mod tests;

pub use builder::{FunctionSpec, ModuleSpec, ProfileBuilder};
pub use cost::Cost;
pub use frames::{Frame, FrameTable};
pub use functions::{Function, FunctionKind, FunctionTable, Role};
pub use ids::{
    FrameId, FunctionId, LabelsId, LocationId, ModuleId, StackId, StateId, StringId, ThreadId,
};
pub use labels::LabelTable;
pub use locations::{Location, LocationFlags, LocationTable};
pub use modules::{MappedRange, Module, ModuleKind, ModuleTable};
pub use peers::{PeerStacks, PeerTable};
pub use profile::{Profile, StackFrame};
pub use quality::{
    CpuTime, EdgeCounts, EndReason, EndReasonCount, ModuleMisses, Quality, QualityInput,
    Unsymbolized,
};
pub use recording::{Counted, Grade, Host, Recording, Sampling, Target, Tier};
pub use samples::{GoContext, SampleFlags, SampleRow, SampleTable, StackEnd};
pub use stacks::{LeafToRoot, StackTable};
pub use strings::StringTable;
pub use threads::{Thread, ThreadTable};
