//! Programs around libraries that nobody here wrote: tests/programs/real/NAME →
//! target/programs/real. What they must show when they are recorded is the end-to-end test's
//! business.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{home, output};
use crate::run::{Run, step};
use crate::setup::Go;

/// Builds those asked for, or all.
pub(super) fn build(go: &Go, only: &[String]) -> Result<()> {
    let names = match only {
        [] => all()?,
        only => only.to_vec(),
    };
    let folder = output().join("real");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for name in &names {
        let source = home().join("real").join(name);
        let to = folder.join(if is_library(&source)? {
            format!("{name}.so")
        } else {
            name.clone()
        });
        step(&format!("building {name}"), || one(go, &source, &to))?;
    }
    Ok(())
}

fn one(go: &Go, source: &Path, to: &Path) -> Result<()> {
    let mode = if is_library(source)? {
        "c-shared"
    } else {
        "exe"
    };
    Run::new(go.command())
        .args(["build", "-buildvcs=false", "-buildmode", mode, "-o"])
        .arg(to)
        .arg(".")
        .dir(source)
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "1")
        .env("CC", "gcc")
        .seconds(1200)
        .ok()
        .with_context(|| source.display().to_string())
}

fn is_library(source: &Path) -> Result<bool> {
    let path = source.join("real.json");
    let Ok(text) = fs::read(&path) else {
        bail!(
            "there is no program {}\nhint: see tests/programs/real",
            source.display()
        );
    };
    let real: Value = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
    Ok(real["library"] == true)
}

fn all() -> Result<Vec<String>> {
    let home: PathBuf = home().join("real");
    let mut names = Vec::new();
    for entry in fs::read_dir(&home).with_context(|| format!("cannot read {}", home.display()))? {
        let path = entry?.path();
        if path.join("real.json").exists() {
            names.extend(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    Ok(names)
}
