//! Builds the unwind table of each file given, several times, as seam does when it meets a module,
//! and prints what it took as JSON lines. Usage: `seam-bench-tables ROUNDS FILE…`.

use std::fs::File;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use seam_object::{Elf, ReadCache};
use seam_unwind::ModuleTable;
use serde_json::json;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().context("how many rounds")?.parse()?;
    for path in arguments {
        let mut times = Vec::new();
        let mut built = None;
        for _ in 0..rounds.max(1) {
            let begun = Instant::now();
            built = Some(build(&path).with_context(|| path.clone())?);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let built = built.context("no round")?;
        println!("{}", report(&path, &built, &times)?);
    }
    Ok(())
}

fn build(path: &str) -> Result<ModuleTable> {
    let file = File::open(path)?;
    let cache = ReadCache::new(&file);
    let elf = Elf::parse(&cache)?;
    Ok(seam_unwind::build(&elf)?)
}

fn report(path: &str, built: &ModuleTable, times: &[Duration]) -> Result<serde_json::Value> {
    let table = &built.table;
    Ok(json!({
        "file": path,
        "file_bytes": std::fs::metadata(path)?.len(),
        "functions": built.facts.cfi_functions + built.facts.go_functions,
        "median_ns": times[times.len() / 2].as_nanos() as u64,
        "fastest_ns": times[0].as_nanos() as u64,
        "slowest_ns": times[times.len() - 1].as_nanos() as u64,
        "bytes": table.bytes(),
        "rows": table.rows,
        "rules": built.facts.rules,
    }))
}
