//! samply, installed by cargo into the target folder for this comparison only.

use std::path::PathBuf;

use anyhow::Result;

use crate::run::{Run, step};
use crate::{paths, test};

pub(super) const VERSION: &str = "0.13.1";

/// The executable; built when it is not there.
pub(super) fn installed() -> Result<PathBuf> {
    let root = paths::target().join("peers");
    let file = root.join("bin/samply");
    if file.is_file() {
        return Ok(file);
    }
    step("installing samply (some minutes)", || {
        Run::new(test::cargo())
            .args(["install", "samply", "--locked", "--version", VERSION])
            .arg("--root")
            .arg(&root)
            .env("CARGO_TARGET_DIR", root.join("build"))
            .seconds(2400)
            .ok()
    })?;
    Ok(file)
}
