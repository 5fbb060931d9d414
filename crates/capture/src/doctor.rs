//! What `seam doctor` finds out: whether this machine lets seam record, and what a process's
//! modules say about its stacks. Everything is tried or read, nothing is concluded from a version.
//! Owns the facts and the advice; how they are shown is for `cli`.

mod features;
mod go_build;
mod libraries;
mod process;
mod settings;

use std::path::Path;

use crate::{CopySession, TableCache};

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
    let grade = grade(&checks, CopySession::try_on_self());
    if grade.state == State::Degraded {
        // Nothing that only BPF needs keeps seam from working.
        let of_bpf = checks.iter_mut().filter(|c| c.name != "kernel");
        for check in of_bpf.filter(|c| c.state > State::Ok) {
            check.state = State::Degraded;
        }
    }
    checks.insert(0, grade);
    checks
}

/// How recordings would be taken: with BPF unless something stands against it.
fn grade(checks: &[Check], copied: crate::Result<bool>) -> Check {
    let name = "grade";
    let against = |c: &&Check| match c.name.as_str() {
        "perf_event_paranoid" => false,
        // Without the right to look at others, one's own processes are recorded all the same.
        "capabilities" => false,
        _ => matches!(c.state, State::Missing | State::Untried),
    };
    let Some(why) = checks.iter().find(against) else {
        return Check::ok(name, "BPF: stacks are walked in the kernel");
    };
    let fix = format!("see {}", why.name);
    match copied {
        Ok(with_kernel) => {
            let found = match with_kernel {
                true => "without BPF: stacks are copied",
                false => "without BPF: stacks are copied, of user mode only",
            };
            let meaning = "only processes that you may look at; calls from Go into C are whole \
                           only where that is proven";
            Check::bad(name, State::Degraded, found, meaning, fix)
        }
        Err(e) => Check::bad(
            name,
            State::Missing,
            e.to_string(),
            "nothing can be recorded",
            fix,
        ),
    }
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
