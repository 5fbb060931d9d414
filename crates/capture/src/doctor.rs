//! What `seam doctor` finds out: whether this machine lets seam record, and what a process's
//! modules say about its stacks. Everything is tried or read, nothing is concluded from a version.
//! Owns the facts and the advice; how they are shown is for `cli`.

mod features;
mod go_build;
mod libraries;
mod process;
mod settings;

use std::path::Path;

use crate::TableCache;

pub use go_build::{BuildFlag, GoBuild};
pub use libraries::{Allocator, Libc};
pub use process::{ModuleSections, ProcessReport, process_report};

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// Could not be tried: a capability is missing for that.
    Untried,
    /// seam works, but shows less.
    Degraded,
    /// seam does not work.
    Missing,
}

impl State {
    /// The word for it, in text and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Untried => "untried",
            Self::Degraded => "degraded",
            Self::Missing => "missing",
        }
    }
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What, in a few words; stable.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What that means for recordings; empty where all is well.
    pub meaning: String,
    /// What to do about it; empty where there is nothing to do.
    pub fix: String,
    /// A command that does it, may be empty.
    pub command: String,
}

impl Check {
    pub(crate) fn ok(name: &str, found: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Ok,
            found: found.into(),
            meaning: String::new(),
            fix: String::new(),
            command: String::new(),
        }
    }

    pub(crate) fn bad(
        name: &str,
        state: State,
        found: impl Into<String>,
        meaning: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            state,
            found: found.into(),
            meaning: meaning.into(),
            fix: fix.into(),
            command: String::new(),
        }
    }

    pub(crate) fn with_command(self, command: &str) -> Self {
        Self {
            command: command.to_owned(),
            ..self
        }
    }
}

/// Looks at the machine: its settings first, then what the kernel lets us do.
#[must_use]
pub fn host_checks() -> Vec<Check> {
    let mut checks = settings::checks(Path::new("/"));
    checks.push(table_cache());
    checks.extend(features::checks());
    checks
}

/// Where tables are kept between recordings.
fn table_cache() -> Check {
    let cache = TableCache::of_user();
    let (files, bytes) = cache.size();
    match cache.folder() {
        Ok(folder) => Check::ok(
            "table cache",
            format!("{}, {files} files, {} KiB", folder.display(), bytes >> 10),
        ),
        Err(why) => Check::bad(
            "table cache",
            State::Degraded,
            why,
            "tables of large files are built anew in every recording",
            "a folder of your own that others may not write to, or XDG_CACHE_HOME elsewhere",
        ),
    }
}
