//! What a process does at one moment: its goroutines and threads with named stacks, groups of those
//! that do the same, and the forms in which that is shown.
//!
//! Values in, text out: nothing here reads a process, a file or a clock.

mod code;
mod forms;
mod groups;
mod model;
mod text;
mod waits;
mod words;

#[cfg(test)]
mod tests;

pub use code::{AFTER, BEFORE, CodeLine, code_lines};
pub use forms::debug2::debug2;
pub use forms::json::{SCHEMA, json};
pub use groups::{Group, Member, groups, thread_groups};
pub use model::{
    Common, Counts, Dump, Frame, Goroutine, Kind, Placed, Stack, StackId, Thread, TimeNs, Timer,
    Trust, Waits,
};
pub use text::{TextOptions, text};
pub use waits::{Waiters, describe, object, waiters};
pub use words::{age, clean, count, file_name, short, syscall_name, thousands, without_types};
