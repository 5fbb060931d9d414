//! What `seam goroutines` says of a process.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::dumped::Key;
use crate::run::Run;

#[derive(Deserialize)]
struct Report {
    groups: Vec<Group>,
}

/// A group with its verdict.
#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) verdict: String,
    /// The id of its cluster.
    pub(super) cluster: String,
    pub(super) stack: Vec<Place>,
    cause: Option<String>,
    count: u64,
    unreachable: u64,
    created_by: Option<Place>,
}

/// A frame.
#[derive(Deserialize)]
pub(super) struct Place {
    function: String,
    pub(super) file: String,
}

/// A group that seam calls leaked.
pub(super) struct Leak {
    pub(super) key: Key,
    pub(super) cause: String,
    pub(super) count: u64,
    /// All functions of its stack.
    pub(super) functions: Vec<String>,
}

/// All groups.
pub(super) fn groups(seam: &Path, pid: u32, options: &[&str]) -> Result<Vec<Group>> {
    let run = Run::new(seam).args(["goroutines", "--json"]).args(options);
    let text = run.arg(pid.to_string()).seconds(120).text()?;
    let report: Report = serde_json::from_str(&text).context("what seam printed")?;
    Ok(report.groups)
}

/// Those that it calls leaked.
pub(super) fn leaks(groups: Vec<Group>) -> Vec<Leak> {
    let leaked = groups.into_iter().filter(|g| g.verdict == "goroutine-leak");
    leaked.map(leak).collect()
}

fn leak(group: Group) -> Leak {
    let functions: Vec<String> = group
        .stack
        .into_iter()
        .map(|place| place.function)
        .collect();
    let own = functions.iter().find(|f| f.starts_with("main."));
    let creator = group
        .created_by
        .map_or(String::new(), |place| place.function);
    Leak {
        key: (own.cloned().unwrap_or_default(), creator),
        cause: group.cause.unwrap_or_default(),
        // A group that only growth shows has none of them.
        count: match group.unreachable {
            0 => group.count,
            some => some,
        },
        functions,
    }
}
