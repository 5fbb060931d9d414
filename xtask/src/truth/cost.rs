//! What the profilers themselves took for one recording.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::matrix::{Cell, Notes};
use super::place::Place;
use super::profiler::{Profiler, RATE};
use super::words;
use crate::bench::page::{Section, row};
use crate::bench::tools::{Target, children_cpu};
use crate::programs::{self, Variant, Wanted};
use crate::run::Run;

const PROGRAM: &str = "n";
const LOOK: Duration = Duration::from_millis(50);
const STATISTICS: &str = "/proc/sys/kernel/bpf_stats_enabled";
const MIB: f64 = 1024.0 * 1024.0;

/// Largest values seen of a process and what it started.
#[derive(Default)]
struct Seen {
    /// Largest resident set by process.
    resident: BTreeMap<u32, u64>,
    /// Time of BPF programs by their id.
    bpf: BTreeMap<u64, u64>,
}

pub(super) fn section(place: &Place) -> Result<Section> {
    let seconds = if place.quick { 2 } else { 10 };
    let wanted = Wanted {
        version: place.go.version().to_owned(),
        name: PROGRAM.to_owned(),
    };
    let program = programs::build(&place.go, &wanted, Variant::default())?;
    let mut notes = Notes::default();
    let mut rows = vec![row([
        "profiler",
        "CPU, s",
        "resident, MiB",
        "BPF programs, ms",
        "from start to end, s",
    ])];
    let _statistics = Statistics::switched_on()?;
    for profiler in place.all_profilers() {
        if profiler == Profiler::Go {
            continue;
        }
        let target = Target::start(Run::new(&program).arg("120"), "start ns=")?;
        let mut cells = vec![profiler.name()];
        match watched(place, &profiler, &target.pid, seconds) {
            Ok(measured) => cells.extend(measured),
            Err(error) => {
                let failed = Cell::Failed(format!("{}: {error:#}", profiler.name()));
                cells.extend([failed.text(&mut notes)]);
                cells.resize(5, "–".to_owned());
            }
        }
        println!("   {}", cells.join("   "));
        rows.push(cells);
    }
    let mut section = Section::new("What a recording took", words::COST);
    section.say(&format!("Program {PROGRAM}, {seconds} s, {RATE} Hz."));
    section.table(&rows);
    notes.tell(&mut section);
    Ok(section)
}

fn watched(place: &Place, profiler: &Profiler, pid: &str, seconds: u64) -> Result<Vec<String>> {
    fs::create_dir_all(place.file("peer"))?;
    let words = profiler.command(place, pid, seconds)?;
    let (before, begun) = (children_cpu()?, Instant::now());
    let mut running = Run::new(&words[0])
        .args(&words[1..])
        .quiet()
        .start_piped()?;
    let lines = running.lines();
    let mut seen = Seen::default();
    while !running.has_ended() {
        if crate::run::interrupted() || begun.elapsed().as_secs() > seconds + 60 {
            bail!("it did not end");
        }
        seen.look(running.pid());
        thread::sleep(LOOK);
    }
    drop(lines);
    let wall = begun.elapsed().as_secs_f64();
    let resident: u64 = seen.resident.values().sum();
    let bpf: u64 = seen.bpf.values().sum();
    let bpf = match seen.bpf.is_empty() {
        true => "–".to_owned(),
        false => format!("{:.0}", bpf as f64 / 1e6),
    };
    Ok(vec![
        format!("{:.2}", children_cpu()? - before),
        format!("{:.0}", resident as f64 / MIB),
        bpf,
        format!("{wall:.1}"),
    ])
}

impl Seen {
    /// Looks at a process and at all below it.
    fn look(&mut self, pid: u32) {
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}"));
        let status = read("status").unwrap_or_default();
        if let Some(kib) = value(&status, "VmHWM:") {
            let most = self.resident.entry(pid).or_default();
            *most = (*most).max(kib * 1024);
        }
        for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let info = fs::read_to_string(entry.path()).unwrap_or_default();
            let program = value(&info, "prog_id:").zip(value(&info, "run_time_ns:"));
            if let Some((id, time)) = program {
                self.bpf.insert(id, time);
            }
        }
        for entry in fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let children = fs::read_to_string(entry.path().join("children")).unwrap_or_default();
            for child in children
                .split_whitespace()
                .filter_map(|word| word.parse().ok())
            {
                self.look(child);
            }
        }
    }
}

/// The number behind a key.
fn value(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The kernel's account of BPF programs, as it was before when this goes away.
struct Statistics(String);

impl Statistics {
    fn switched_on() -> Result<Self> {
        let before = fs::read_to_string(STATISTICS)?;
        fs::write(STATISTICS, "1\n")?;
        Ok(Statistics(before))
    }
}

impl Drop for Statistics {
    fn drop(&mut self) {
        let _ = fs::write(STATISTICS, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let text = "prog_type:\t7\nprog_id:\t12\nrun_time_ns:\t345\n";
        assert_eq!(value(text, "run_time_ns:"), Some(345));
        assert_eq!(value("VmHWM:\t  17 kB\n", "VmHWM:"), Some(17));
        assert_eq!(value(text, "memlock:"), None);
    }
}
