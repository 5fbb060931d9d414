//! Names addresses of the file given, with inlined calls and lines from DWARF, as seam does after a
//! recording, and prints what it took as JSON. Usage: `seam-bench-lines ADDRESSES ROUNDS FILE`.
//! One file for each process: what its growth is measured from is a fresh heap.

use std::fs::File;
use std::time::Instant;

use anyhow::{Context, Result};
use seam_object::{Elf, ReadCache, SymbolKind};
use seam_symbolize::{DebugSections, ModuleSymbols};
use serde_json::json;

const BYTES_MAX: u64 = 1 << 30;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || -> Result<usize> {
        let word = arguments.next().context("how many addresses and rounds")?;
        Ok(word.parse()?)
    };
    let (count, rounds) = (number()?, number()?);
    let path = arguments.next().context("which file")?;
    let before = status_kib("VmRSS:")?;
    let addresses = addresses(&path, count).with_context(|| path.clone())?;
    let mut times = Vec::new();
    let mut named = Named::default();
    for _ in 0..rounds.max(1) {
        let begun = Instant::now();
        named = name(&path, &addresses).with_context(|| path.clone())?;
        times.push(begun.elapsed().as_nanos() as u64);
    }
    times.sort_unstable();
    let found = json!({
        "file": path,
        "file_bytes": std::fs::metadata(&path)?.len(),
        "debug_bytes": named.debug_bytes,
        "addresses": addresses.len(),
        "frames": named.frames,
        "median_ns": times[times.len() / 2],
        "fastest_ns": times[0],
        "slowest_ns": times[times.len() - 1],
        "grown_bytes": status_kib("VmHWM:")?.saturating_sub(before) * 1024,
    });
    println!("{found}");
    Ok(())
}

/// Addresses of functions that are not Go's, spread evenly.
fn addresses(path: &str, count: usize) -> Result<Vec<u64>> {
    let file = File::open(path)?;
    let cache = ReadCache::new(&file);
    let elf = Elf::parse(&cache)?;
    let symbols = ModuleSymbols::new(&elf, None);
    let mut all: Vec<u64> = elf
        .symbols()
        .filter(|s| s.kind == SymbolKind::Function && !symbols.is_go(s.address))
        .flat_map(|s| (s.address..s.address.saturating_add(s.size)).step_by(4))
        .collect();
    all.sort_unstable();
    all.dedup();
    let step = (all.len() / count.max(1)).max(1);
    Ok(all.into_iter().step_by(step).take(count).collect())
}

#[derive(Default)]
struct Named {
    debug_bytes: u64,
    frames: usize,
}

fn name(path: &str, addresses: &[u64]) -> Result<Named> {
    let file = File::open(path)?;
    let cache = ReadCache::new(&file);
    let elf = Elf::parse(&cache)?;
    let symbols = ModuleSymbols::new(&elf, None);
    let sections = DebugSections::read(&elf, BYTES_MAX)?.context("no debug information")?;
    let calls = sections.find(None, addresses);
    let frames = addresses.iter().map(|address| {
        let calls = calls.by_address.get(address);
        symbols.resolve(*address, calls.map_or(&[][..], Vec::as_slice))
    });
    // Held together, as seam does until the profile is built.
    let frames: Vec<_> = frames.collect();
    Ok(Named {
        debug_bytes: sections.bytes(),
        frames: frames.iter().map(Vec::len).sum(),
    })
}

fn status_kib(key: &str) -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text
        .lines()
        .find(|l| l.starts_with(key))
        .context("no such line")?;
    let value = line.split_whitespace().nth(1).context("no value")?;
    Ok(value.parse()?)
}
