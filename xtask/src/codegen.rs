//! Generated files that are committed: written anew, or checked to be fresh.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{Run, step};
use crate::setup::Node;
use crate::{paths, setup, test};

/// Writes all generated files; with `check` it only compares them.
pub(crate) fn run(check: bool) -> Result<()> {
    setup::build()?;
    let node = setup::tests()?;
    let wire = step("crates/wire, from bpf/wire.h and bpf/failures.def", || {
        wire(check)
    });
    let page = step("the page, from ui/", || page(&node, check));
    wire.and(page)
}

/// The Rust mirror of what the kernel side sends.
fn wire(check: bool) -> Result<()> {
    let text = Run::new(test::cargo())
        .args(["run", "--quiet", "--package", "seam-codegen"])
        .dir(paths::root())
        .seconds(900)
        .text()?;
    let fresh = paths::target().join("codegen/wire.rs");
    write(&fresh, text.as_bytes())?;
    Run::new("rustfmt")
        .args(["--edition", "2024"])
        .arg(&fresh)
        .ok()?;
    settle(
        &committed("crates/wire/src/generated.rs"),
        &read(&fresh)?,
        check,
    )
}

/// The page that seam embeds, so that building seam needs no Node.
fn page(node: &Node, check: bool) -> Result<()> {
    let ui = paths::root().join("ui");
    let npm = |args: &[&str]| node.run("npm").args(args).dir(&ui).seconds(600);
    npm(&["ci", "--no-audit", "--no-fund"]).ok()?;
    let page = committed("ui/dist/flame.html");
    // The build writes in place: what was there comes back unless it is wanted.
    let before = fs::read(&page);
    let built = npm(&["run", "build"]).ok();
    let fresh = read(&page);
    if let Ok(before) = before {
        write(&page, &before)?;
    } else if check {
        bail!(
            "{} is not there\nhint: cargo xtask codegen",
            paths::shown(&page)
        );
    }
    built?;
    settle(&page, &fresh?, check)
}

/// Compares the fresh contents with the committed ones, or puts them in place.
pub(crate) fn settle(path: &Path, fresh: &[u8], check: bool) -> Result<()> {
    let same = fs::read(path).is_ok_and(|old| old == fresh);
    match (same, check) {
        (true, _) => Ok(()),
        (false, false) => write(path, fresh),
        (false, true) => bail!(
            "{} is out of date\nhint: run `cargo xtask codegen` and commit the result",
            paths::shown(path)
        ),
    }
}

fn committed(path: &str) -> PathBuf {
    paths::root().join(path)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = path.parent().context("a file needs a folder")?;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checking_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sub/generated");
        settle(&file, b"1", false).unwrap();
        settle(&file, b"1", true).unwrap();
        let error = settle(&file, b"2", true).unwrap_err().to_string();
        assert!(error.contains("out of date"), "{error}");
        assert_eq!(read(&file).unwrap(), b"1");
        settle(&file, b"2", false).unwrap();
        assert_eq!(read(&file).unwrap(), b"2");
    }
}
