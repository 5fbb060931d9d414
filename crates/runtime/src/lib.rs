//! The structures of a live Go runtime, read from outside over a memory: the list of goroutines,
//! what each is doing, what it waits for, its labels.
//!
//! The program runs on meanwhile. So everything is read, used and read again, and what changed in
//! between is told as such. All sizes that come from the target are bounded, and bytes that make no
//! sense give an error or are counted. Stacks are walked and named elsewhere (seam-unwind,
//! seam-symbolize).

mod census;
mod contexts;
mod coro;
mod error;
mod goroutine;
mod heap;
mod labels;
mod layout;
mod list;
mod look;
mod machine;
mod mark;
mod reasons;
mod specials;
mod test_names;
mod timers;
mod waits;

pub use census::{Census, Known, Origin};
pub use contexts::{chain, contexts, interfaces};
pub use coro::coro;
pub use error::Error;
pub use goroutine::{Goroutine, Place, Status};
pub use heap::{Heap, HeapLayout, Object, Span};
pub use labels::{Labels, labels};
pub use layout::Layout;
pub use list::GoroutineList;
pub use look::{Buffers, Look, Seen, look};
pub use machine::{Machine, machines};
pub use mark::{Budget, Candidate, Frames, From, Hidden, Marked, mark};
pub use reasons::WaitReasons;
pub use specials::{Kept, specials};
pub use test_names::{TestNames, is_test_name};
pub use timers::{Timer, timers};
pub use waits::{
    Channel, Deadline, Direction, Found, Parked, TOP_WORDS, WaitKind, WaitLayout, Waits, WaitsOn,
    select_tables,
};

/// The result of reading something of a runtime.
pub type Result<T> = std::result::Result<T, Error>;
