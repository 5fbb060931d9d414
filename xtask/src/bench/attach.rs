//! From starting seam to its first sample.

use anyhow::{Context, Result};
use serde_json::Value;

use super::page::{Section, median, row, verdict, with_range};
use super::parts::Parts;
use super::tools::{Target, number};
use crate::run::Run;

const METHOD: &str = "\
From the start of `seam record -p PID` (99 Hz) to the first sample of the target in the kernel
side's counters, which are looked at from outside every half millisecond. The target works on one
thread. *Loaded*: until the kernel side is there, before tables are installed. The small program
is that of the sections above. *Tables*: built, with an empty cache folder each time, or kept from
a recording before. The big program (benches/programs/big) is generated: much of Go's
library, and 450,000 functions in assembly with unwind information, linked through cgo.";

pub(super) fn measure(parts: &Parts) -> Result<Section> {
    let rounds = parts.pick(9, 3);
    let mut section = Section::new("Attaching", METHOD);
    let mut rows = vec![row([
        "target",
        "size, MB",
        "tables",
        "loaded, ms",
        "first sample, ms",
        "budget",
    ])];
    for (name, program, budget) in [("small", &parts.depth, 200.0), ("big", &parts.big, 500.0)] {
        let life = ["400"];
        let run = match name {
            "small" => Run::new(program).args(["-seconds", life[0]]),
            _ => Run::new(program).args(life),
        };
        let target = Target::start(run, "ready")?;
        let size = std::fs::metadata(program)?.len() as f64 / 1e6;
        for kept in [false, true] {
            let (mut loaded, mut sampled) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let report = once(parts, &target.pid, kept)?;
                loaded.push(number(&report["loaded_ns"]) / 1e6);
                sampled.push(number(&report["sampled_ns"]) / 1e6);
            }
            rows.push(vec![
                name.to_owned(),
                format!("{size:.0}"),
                if kept { "kept" } else { "built" }.to_owned(),
                with_range(&loaded, 0),
                with_range(&sampled, 0),
                format!("{budget}: {}", verdict(median(&sampled), budget)),
            ]);
        }
    }
    section.table(&rows);
    Ok(section)
}

fn once(parts: &Parts, pid: &str, kept: bool) -> Result<Value> {
    let cache = parts.file("attach-cache");
    if !kept && cache.exists() {
        std::fs::remove_dir_all(&cache)?;
    }
    let text = parts
        .bench("kernel")
        .args(["attach", "--"])
        .arg(&parts.seam)
        .args(["record", "-q", "-p", pid, "-d", "1s", "-o"])
        .arg(parts.file("attach.json"))
        .env("XDG_CACHE_HOME", &cache)
        .text()?;
    serde_json::from_str(&text).context("the benchmark's answer")
}
