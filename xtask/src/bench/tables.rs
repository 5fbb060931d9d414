//! Building unwind tables: time and size.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use super::page::{Section, row};
use super::parts::Parts;
use super::tools::number;
use crate::run::Run;

const METHOD: &str = "\
What seam does once for each file that its targets map: reading it and building its unwind table, by
seam's own code, several times, from a warm page cache. Times are the median with the fastest and
the slowest. Bytes are what lies in the kernel.";

pub(super) fn measure(parts: &Parts) -> Result<Section> {
    let rounds = parts.pick("21", "5");
    let compiler = parts
        .go
        .run(parts.go.version())
        .args(["tool", "-n", "compile"])
        .text()?;
    let files = [
        ("libc", library("libc.so.6")?),
        ("libcrypto", library("libcrypto.so.3")?),
        ("Go's compiler", PathBuf::from(compiler.trim())),
        ("the big program", parts.big.clone()),
    ];
    let mut rows = vec![row([
        "file",
        "size, MB",
        "functions",
        "time, ms",
        "table, kB",
        "rows",
        "rules",
        "bytes per row",
    ])];
    let text = parts
        .bench("tables")
        .arg(rounds)
        .args(files.iter().map(|(_, path)| path))
        .seconds(600)
        .text()?;
    for ((name, _), line) in files.iter().zip(text.lines()) {
        let built: Value = serde_json::from_str(line).context("the benchmark's answer")?;
        let of = |key: &str| number(&built[key]);
        let ms = |key: &str| of(key) / 1e6;
        rows.push(vec![
            (*name).to_owned(),
            format!("{:.1}", of("file_bytes") / 1e6),
            of("functions").to_string(),
            format!(
                "{:.1} ({:.1}–{:.1})",
                ms("median_ns"),
                ms("fastest_ns"),
                ms("slowest_ns")
            ),
            format!("{:.0}", of("bytes") / 1e3),
            of("rows").to_string(),
            of("rules").to_string(),
            format!("{:.1}", of("bytes") / of("rows")),
        ]);
    }
    let mut section = Section::new("Unwind tables", METHOD);
    section.table(&rows);
    Ok(section)
}

/// Where the dynamic linker finds a library.
fn library(name: &str) -> Result<PathBuf> {
    let text = Run::new("ldconfig").arg("-p").text()?;
    let mut lines = text.lines();
    let line = lines.find(|line| line.trim_start().starts_with(name) && line.contains("x86-64"));
    let path = line.and_then(|line| line.rsplit_once("=> "));
    let (_, path) = path.with_context(|| format!("there is no {name}"))?;
    Ok(PathBuf::from(path))
}
