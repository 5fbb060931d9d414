//! The program that holds recorded stacks against the known calls of a test program: benches/whole.

use std::path::PathBuf;

use anyhow::Result;

use crate::run::{Run, step};
use crate::{paths, test};

/// Builds it.
pub(crate) fn build() -> Result<PathBuf> {
    step("building the judge", || {
        Run::new(test::cargo())
            .args(["build", "--release", "-p", "seam-bench-whole"])
            .dir(paths::root())
            .seconds(2400)
            .ok()
    })?;
    Ok(path())
}

/// Where it is when it is built.
pub(crate) fn path() -> PathBuf {
    paths::target().join("release/seam-bench-whole")
}
