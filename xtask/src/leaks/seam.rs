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

#[derive(Deserialize)]
struct Group {
    verdict: String,
    cause: Option<String>,
    count: u64,
    stack: Vec<Place>,
    created_by: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    function: String,
}

/// A group that seam calls leaked.
pub(super) struct Leak {
    pub(super) key: Key,
    pub(super) cause: String,
    pub(super) count: u64,
    /// All functions of its stack.
    pub(super) functions: Vec<String>,
}

/// The groups that it calls leaked.
pub(super) fn leaks(seam: &Path, pid: u32, options: &[&str]) -> Result<Vec<Leak>> {
    let run = Run::new(seam).args(["goroutines", "--json"]).args(options);
    let text = run.arg(pid.to_string()).seconds(120).text()?;
    let report: Report = serde_json::from_str(&text).context("what seam printed")?;
    let leaked = report
        .groups
        .into_iter()
        .filter(|g| g.verdict == "goroutine-leak");
    Ok(leaked.map(leak).collect())
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
        count: group.count,
        functions,
    }
}
