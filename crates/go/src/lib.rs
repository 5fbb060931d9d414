//! Go builds and runtime structures: which Go made a module, its functions (pclntab), where its
//! runtime keeps g, m and p, and at which instructions the runtime changes stacks.
//!
//! Everything is read from the module's bytes and checked against its instructions; nothing is
//! taken from a version alone without a check. Names and rows are made of this elsewhere
//! (seam-symbolize, seam-unwind).

mod arm64;
mod build_info;
mod code;
mod done_call;
mod error;
mod fixed;
mod globals;
mod module;
mod module_data;
mod offsets;
mod pclntab;
mod pcvalue;
mod stack_maps;
mod switches;
mod tls;
mod version;

pub use build_info::BuildInfo;
pub use error::Error;
pub use globals::Globals;
pub use module::GoModule;
pub use module_data::ModuleData;
pub use offsets::{Field, Offsets, OffsetsSource, Release, Row, RuntimeOffsets};
pub use pclntab::{FuncFlags, Function, InlinedCall, Pclntab};
pub use pcvalue::PcValues;
pub use stack_maps::{Alive, Frame, FrameKind};
pub use switches::{Caller, Switch, SwitchKind, switches};
pub use tls::{TlsOffset, tls_offset};
pub use version::{GoVersion, VersionKind};

/// The result of reading something of a Go module.
pub type Result<T> = std::result::Result<T, Error>;
