//! Installs what is missing. Looking costs a few milliseconds, so every other
//! task starts with it.

mod apt;
mod arm64;
mod go;
mod node;

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::processor::Processor;
pub(crate) use go::{Go, MODULE, unpack};
pub(crate) use node::Node;

/// Everything any task needs.
pub(crate) fn everything() -> Result<()> {
    build()?;
    tests()?;
    Ok(())
}

/// What compiling the workspace and the test programs needs.
pub(crate) fn build() -> Result<Go> {
    let begun = Instant::now();
    apt::install_missing("building", apt::BUILD)?;
    let go = go::find_or_install()?;
    report(
        "building",
        &format!("clang-19, gcc, {}", go.version()),
        begun,
    );
    Ok(go)
}

/// What the tests need on top of it.
pub(crate) fn tests() -> Result<Node> {
    let begun = Instant::now();
    apt::install_missing("the tests", apt::TESTS)?;
    virtual_machines()?;
    let node = node::find_or_install()?;
    report("the tests", "a browser, perf, Node", begun);
    Ok(node)
}

/// What booting other kernels needs.
pub(crate) fn virtual_machines() -> Result<()> {
    apt::install_missing("virtual machines", apt::VIRTUAL_MACHINES)
}

/// What building for a processor needs, and running what was built.
pub(crate) fn cross(processor: Processor) -> Result<()> {
    match processor {
        Processor::X86_64 => Ok(()),
        Processor::Arm64 => arm64::install_missing(),
    }
}

fn report(purpose: &str, what: &str, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("   set up for {purpose}: {what} ({seconds:.1} s)");
}

/// Where what is fetched stays from one run to the next.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    Ok(base
        .context("neither HOME nor XDG_CACHE_HOME is set")?
        .join("seam"))
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}
