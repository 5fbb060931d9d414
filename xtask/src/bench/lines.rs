//! Inlined calls and lines from DWARF: time and memory.

use anyhow::{Context, Result};
use serde_json::Value;

use super::page::{Section, row, verdict};
use super::parts::Parts;
use super::tools::number;

const ADDRESSES: &str = "20000";
const BUDGET_MS: f64 = 500.0;
const METHOD: &str = "\
What seam does after a recording for each file whose C, C++ or Rust was sampled: opening it, reading
symbols and DWARF and naming addresses, here 20,000 spread evenly over its functions, far more than
samples ever hit. Times are the median with the fastest and the slowest, from a warm page cache.
*Grown* is by how much the largest resident set rose: the file's debug sections and all frames.";

pub(super) fn measure(parts: &Parts) -> Result<Section> {
    let rounds = parts.pick("11", "3");
    let files = [
        ("seam itself (Rust, C)", parts.seam.clone()),
        ("demo-sqlite (Go, C)", parts.program("demo-sqlite")?),
    ];
    let mut rows = vec![row([
        "file",
        "size, MB",
        "DWARF, MB",
        "addresses",
        "frames",
        "time, ms",
        "budget, ms",
        "grown, MB",
    ])];
    for (name, path) in &files {
        let text = parts
            .bench("lines")
            .args([ADDRESSES, rounds])
            .arg(path)
            .seconds(600)
            .text()?;
        let found: Value = serde_json::from_str(&text).context("the benchmark's answer")?;
        let of = |key: &str| number(&found[key]);
        let ms = |key: &str| of(key) / 1e6;
        rows.push(vec![
            (*name).to_owned(),
            format!("{:.1}", of("file_bytes") / 1e6),
            format!("{:.1}", of("debug_bytes") / 1e6),
            of("addresses").to_string(),
            of("frames").to_string(),
            format!(
                "{:.0} ({:.0}–{:.0})",
                ms("median_ns"),
                ms("fastest_ns"),
                ms("slowest_ns")
            ),
            format!("{BUDGET_MS:.0}: {}", verdict(ms("median_ns"), BUDGET_MS)),
            format!("{:.0}", of("grown_bytes") / 1e6),
        ]);
    }
    let mut section = Section::new("Inlined calls and lines", METHOD);
    section.table(&rows);
    Ok(section)
}
