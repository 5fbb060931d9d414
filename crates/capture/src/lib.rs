//! Loads the kernel side, follows processes, delivers samples.
//!
//! The only crate that links libbpf. In: what to record. Out: a [`Recording`] of raw stacks with
//! the mappings that were in force. It gives nothing a name (seam-symbolize does) and writes
//! nothing to the target, and no files but unwind tables in the user's cache folder.

mod bpf;
mod cgroup;
mod command;
mod copied;
mod cost;
pub mod doctor;
mod error;
mod family;
mod form;
mod grade;
mod history;
mod hold;
mod image;
mod kept;
mod kernel;
mod made_names;
mod maps;
mod module;
mod packed;
mod peers;
mod perf;
mod process_map;
mod recording;
mod registers;
mod ring;
mod session;
mod sideband;
mod sockets;
mod system;
mod table_cache;
mod target;
mod threads;
mod tracked;

pub use cgroup::Cgroup;
pub use command::Command;
pub use copied::CopySession;
pub use cost::Cost;
pub use error::Error;
pub use family::Family;
pub use grade::{Grade, Recorder};
pub use history::MapHistory;
pub use hold::Hold;
pub use image::core::CoreImage;
pub use image::{GoData, Image, ImageRuntime};
pub use kept::{Executed, Kept};
pub use kernel::{KernelFacts, kernel_facts};
pub use made_names::MadeNames;
pub use maps::{FileId, MapsEntry, executable_entries};
pub use module::{Module, ModuleKind, Modules};
pub use peers::{PeerPair, PeerStacks};
pub use process_map::{MappedModule, ProcessMap};
pub use recording::{Counters, Labels, RawSample, RawStack, Recording, TargetInfo};
pub use registers::ThreadRegisters;
pub use seam_unwind::GoRuntimeFacts;
pub use session::{Options, Scope, Session, Status};
pub use sockets::Sockets;
pub use table_cache::TableCache;
pub use target::{Target, check_target, find_by_name};
pub use threads::{BlockedIn, ThreadFacts, thread_facts};

/// The result of a capture step.
pub type Result<T> = std::result::Result<T, Error>;
