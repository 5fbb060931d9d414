//! What is built before anything is recorded.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::peer::Peer;
use super::profiler::Profiler;
use super::samply;
use crate::bench::judge;
use crate::run::{Run, step};
use crate::setup::{self, Go};
use crate::{demo, paths};

/// Executables, the folder for recordings, and how long to record.
pub(super) struct Place {
    pub(super) go: Go,
    pub(super) seam: PathBuf,
    pub(super) samply: Result<PathBuf, String>,
    pub(super) peers: Vec<Peer>,
    pub(super) dir: PathBuf,
    pub(super) quick: bool,
}

impl Place {
    pub(super) fn build(quick: bool, peers: &[Peer]) -> Result<Self> {
        let go = step("set-up", setup::build)?;
        step("set-up of the peers", setup::tests)?;
        let seam = step("building seam (release)", demo::build_seam)?;
        judge::build()?;
        let samply = samply::installed().map_err(|error| format!("{error:#}"));
        let dir = paths::target().join("truth");
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(Place {
            go,
            seam,
            samply,
            peers: peers.to_vec(),
            dir,
            quick,
        })
    }

    /// Seconds that each profiler records a program.
    pub(super) fn seconds(&self) -> u64 {
        if self.quick { 1 } else { 2 }
    }

    /// A file for a recording.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Those that are asked about every program by every Go version.
    pub(super) fn profilers(&self) -> Vec<Profiler> {
        vec![
            Profiler::Seam,
            Profiler::PerfFp,
            Profiler::PerfDwarf,
            Profiler::Go,
            Profiler::Samply,
        ]
    }

    /// These, and the peers of the command line.
    pub(super) fn all_profilers(&self) -> Vec<Profiler> {
        let mut all = self.profilers();
        all.extend(self.peers.iter().cloned().map(Profiler::Peer));
        all
    }

    /// What the judge says of a file.
    pub(super) fn judge(&self, words: &[&str], file: &Path, more: &[String]) -> Result<Value> {
        let judge = judge::path();
        let mut run = Run::new(judge)
            .args(words)
            .arg(file)
            .args(more)
            .dir(paths::root());
        if !words.contains(&"seam") {
            run = run.quiet();
        }
        serde_json::from_str(&run.text()?).context("the judge's answer")
    }
}
