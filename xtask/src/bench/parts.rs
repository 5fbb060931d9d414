//! Everything that is built before anything is measured.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::programs::{Variant, Wanted};
use crate::run::{Run, step};
use crate::setup::{self, Go};
use crate::{demo, paths, programs, test};

/// Executables and folders, and how long to measure.
pub(super) struct Parts {
    pub(super) go: Go,
    pub(super) seam: PathBuf,
    /// Go frames, a cgo call, C frames, as many as asked for.
    pub(super) depth: PathBuf,
    /// More than 100 MB.
    pub(super) big: PathBuf,
    pub(super) quick: bool,
    /// For recordings.
    pub(super) dir: PathBuf,
}

impl Parts {
    pub(super) fn build(quick: bool) -> Result<Self> {
        let go = step("set-up", setup::build)?;
        step("set-up of the peers", setup::tests)?;
        let seam = step("building seam (release)", demo::build_seam)?;
        step("building the benchmarks", || {
            Run::new(test::cargo())
                .args(["build", "--release"])
                .args(["-p", "seam-bench-kernel"])
                .args(["-p", "seam-bench-tables"])
                .args(["-p", "seam-bench-whole"])
                .dir(paths::root())
                .seconds(2400)
                .ok()
        })?;
        let dir = paths::target().join("bench");
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let depth = program(&go, "depth", &dir)?;
        let big = step("building the big program (a minute)", || {
            program(&go, "big", &dir)
        })?;
        Ok(Parts {
            go,
            seam,
            depth,
            big,
            quick,
            dir,
        })
    }

    /// One of two numbers: the first in a full run, the second in a quick one.
    pub(super) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// A file for a recording.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A bench executable.
    pub(super) fn bench(&self, name: &str) -> Run {
        Run::new(paths::target().join(format!("release/seam-bench-{name}")))
    }

    /// A program of tests/programs.
    pub(super) fn program(&self, name: &str) -> Result<PathBuf> {
        let wanted = Wanted {
            version: self.go.version().to_owned(),
            name: name.to_owned(),
        };
        programs::build(&self.go, &wanted, Variant::default())
    }

    /// The same, built so that Go's own profiler can be switched on.
    pub(super) fn profiled_program(&self, name: &str) -> Result<PathBuf> {
        let source = paths::root().join("tests/programs").join(name);
        let to = self.file(&format!("{name}-profiled"));
        go_build(&self.go, &source, &to, &["-tags", "cpuprofile"])?;
        Ok(to)
    }
}

fn program(go: &Go, name: &str, dir: &Path) -> Result<PathBuf> {
    let to = dir.join(name);
    go_build(
        go,
        &paths::root().join("benches/programs").join(name),
        &to,
        &[],
    )?;
    Ok(to)
}

/// Go's own cache makes this quick when nothing has changed.
fn go_build(go: &Go, source: &Path, to: &Path, extra: &[&str]) -> Result<()> {
    go.run(go.version())
        .args(["build", "-buildvcs=false"])
        .args(extra)
        .arg("-o")
        .arg(to)
        .arg(".")
        .dir(source)
        .env("CGO_ENABLED", "1")
        .env("CC", "gcc")
        .seconds(900)
        .ok()
        .with_context(|| format!("cannot build {}", source.display()))
}
