//! What one look at a process has brought, and what all of them are judged to be.

use std::collections::BTreeMap;

use seam_dump::{Dump, TimeNs};

use crate::Judged;

/// One look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// When, on any clock that is the same for all looks.
    pub at_ns: TimeNs,
    /// The goroutines.
    pub dump: Dump,
    /// What the mark says of them.
    pub reach: Reach,
}

/// What can wake parked goroutines, as far as a mark over the memory tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// For each goroutine of the dump: nothing that can run leads to what it waits on, memory of C
    /// aside. Empty where there was no mark.
    pub unreachable: Vec<bool>,
    /// For each of these: a word in memory of C leads there.
    pub only_through_c: Vec<bool>,
    /// Why the mark is not complete, so that nothing is certain.
    pub incomplete: Option<String>,
    /// Bytes that were read.
    pub bytes: u64,
    /// The contexts whose end some goroutines wait for, by the goroutine's place in the dump.
    pub contexts: BTreeMap<u32, Context>,
    /// Locks and channels that others wait for and to which a goroutine's stack points, by its
    /// place.
    pub holds: BTreeMap<u32, Vec<String>>,
}

/// A context and those that it was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Type names, from the context itself to its root.
    pub chain: Vec<String>,
}

/// All that is told of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The process.
    pub pid: i32,
    /// Its name.
    pub name: String,
    /// Its Go runtimes.
    pub go: Vec<String>,
    /// Goroutines at the last look.
    pub goroutines: u64,
    /// It was read from a core file.
    pub core: bool,
    /// Looks.
    pub looks: u32,
    /// The time from the first look to the last.
    pub span_ns: TimeNs,
    /// Worst first.
    pub groups: Vec<Judged>,
    /// Goroutines that --ignore options leave out.
    pub ignored: u64,
    /// Why nothing could be shown to be unreachable.
    pub incomplete: Option<String>,
    /// What could not be seen.
    pub notes: Vec<String>,
}
