//! Rules of the source tree that no compiler checks. Each check takes text and
//! returns findings, so that each is tested without files.

mod docs;
mod edges;
mod rust;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::run::Run;

/// One thing to mend.
#[derive(Debug, PartialEq)]
struct Finding {
    line: usize,
    message: String,
}

/// A file of the repository.
struct File {
    /// From the root, with forward slashes.
    path: String,
    text: String,
}

impl File {
    fn is(&self, extension: &str) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, end)| end == extension)
    }

    /// Lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

fn finding(line: usize, message: impl fmt::Display) -> Finding {
    Finding {
        line,
        message: message.to_string(),
    }
}

/// The task `tidy`.
pub(crate) fn run() -> Result<()> {
    let paths = listed()?;
    let contributing = fs::read_to_string(paths::root().join("CONTRIBUTING.md")).ok();
    let mut count = 0;
    for path in &paths {
        let Some(file) = load(path)? else { continue };
        for found in check(&file, &paths, contributing.as_deref()) {
            println!("{}:{}: {}", file.path, found.line, found.message);
            count += 1;
        }
    }
    if count > 0 {
        bail!("{count} things to mend");
    }
    println!("tidy: {} files are in order", paths.len());
    Ok(())
}

fn check(file: &File, paths: &BTreeSet<String>, contributing: Option<&str>) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(text::check(file));
    if file.is("rs") {
        found.extend(rust::check(file));
    }
    if file.is("md") {
        found.extend(docs::links(file, paths));
    }
    if file.path.ends_with("Cargo.toml") {
        found.extend(edges::check(file));
        found.extend(
            contributing
                .iter()
                .flat_map(|text| docs::unexplained(file, text)),
        );
    }
    found
}

/// What git tracks, and new files that it does not ignore.
fn listed() -> Result<BTreeSet<String>> {
    let text = Run::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .dir(paths::root())
        .text()?;
    let names = text.trim_end().split('\0').filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

/// None for files that are binary, or deleted but still tracked.
fn load(path: &str) -> Result<Option<File>> {
    let full = paths::root().join(path);
    if !full.is_file() {
        return Ok(None);
    }
    let bytes = fs::read(&full).with_context(|| format!("cannot read {path}"))?;
    Ok(String::from_utf8(bytes).ok().map(|text| File {
        path: path.to_owned(),
        text,
    }))
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
fn shown(findings: &[Finding]) -> Vec<String> {
    let show = |found: &Finding| format!("{}: {}", found.line, found.message);
    findings.iter().map(show).collect()
}
