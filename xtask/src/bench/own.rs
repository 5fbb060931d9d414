//! What seam itself needs while it records an ordinary service, and afterwards for names and
//! the page.

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::Value;

use super::page::{Section, median, percent, row, verdict, with_range};
use super::parts::Parts;
use super::tools::{Target, children_cpu, json_file, number, shown};
use crate::run::Run;

const SERVICE: &str = "demo-sqlite";
const MIB: f64 = 1024.0 * 1024.0;
const METHOD: &str = "\
The application of `cargo xtask demo` (Go, cgo, SQLite) is recorded at 99 Hz. *CPU while recording*
is what seam says of itself; *CPU in all* is the kernel's account of the process from its start to
its end. Memory is the largest resident set, shortly before the recording ends, and the memory of
the BPF maps it holds (`memlock` in its fdinfo), read from outside.";

/// Records the service.
struct Recorded {
    cpu_recording: f64,
    cpu_all: f64,
    rss: f64,
    maps: f64,
    after: f64,
    summary: Value,
    page: f64,
}

pub(super) fn measure(parts: &Parts) -> Result<Section> {
    let (rounds, seconds) = parts.pick((3, 20), (1, 5));
    let runs = record(parts, rounds, seconds)?;
    let all = |pick: fn(&Recorded) -> f64| runs.iter().map(pick).collect::<Vec<f64>>();
    let cpu: Vec<f64> = all(|r| r.cpu_recording);
    let memory = median(&all(|r| r.rss)) + median(&all(|r| r.maps));
    let mut section = Section::new("seam's own needs", METHOD);
    section.table(&[
        row(["what", "measured", "budget"]),
        row([
            "CPU while recording, % of a core".to_owned(),
            with_range(&cpu, 2),
            format!("0.5: {}", verdict(median(&cpu), 0.5)),
        ]),
        row([
            format!("CPU in all, seconds, for {seconds} s recorded"),
            with_range(&all(|r| r.cpu_all), 2),
            String::new(),
        ]),
        row([
            "resident, MiB".to_owned(),
            with_range(&all(|r| r.rss), 1),
            String::new(),
        ]),
        row([
            "BPF maps, MiB".to_owned(),
            with_range(&all(|r| r.maps), 1),
            String::new(),
        ]),
        row([
            "resident + maps, MiB".to_owned(),
            format!("{memory:.1}"),
            format!("40: {}", verdict(memory, 40.0)),
        ]),
    ]);
    section.commands(&[shown(&command(parts, "PID", seconds))]);
    Ok(section)
}

/// Names and the page.
pub(super) fn names(parts: &Parts) -> Result<Section> {
    let (rounds, seconds) = parts.pick((3, 30), (1, 5));
    let runs = record(parts, rounds, seconds)?;
    let all = |pick: fn(&Recorded) -> f64| runs.iter().map(pick).collect::<Vec<f64>>();
    let method = format!(
        "From the end of a recording of {seconds} s to the end of seam: finding names, building \
         the profile,\nwriting the page and the JSON summary. The end of the recording is start + \
         duration in the summary."
    );
    let mut section = Section::new("Names and page", &method);
    section.table(&[
        row(["what", "measured"]),
        row(["milliseconds".to_owned(), with_range(&all(|r| r.after), 0)]),
        row([
            "samples".to_owned(),
            with_range(&all(|r| number(&r.summary["samples"])), 0),
        ]),
        row(["page, kB".to_owned(), with_range(&all(|r| r.page), 0)]),
    ]);
    Ok(section)
}

fn command(parts: &Parts, pid: &str, seconds: u64) -> Vec<String> {
    let file = |name: &str| parts.file(name).display().to_string();
    let seam = parts.seam.display().to_string();
    let (page, summary) = (file("own.html"), file("own.json"));
    let time = format!("{seconds}s");
    let words = [
        &seam, "record", "-q", "-p", pid, "-d", &time, "-o", &page, "-o", &summary,
    ];
    words.map(str::to_owned).into()
}

fn record(parts: &Parts, rounds: usize, seconds: u64) -> Result<Vec<Recorded>> {
    let service = parts.program(SERVICE)?;
    let life = (rounds as u64 * (seconds + 20) + 60).to_string();
    // "ready" comes before "start", its work.
    let target = Target::start(Run::new(service).arg(life), "start")?;
    // Let its caches and its heap become what they are.
    thread::sleep(Duration::from_secs(2));
    let runs = (0..rounds).map(|_| one(parts, &target.pid, seconds));
    runs.collect()
}

fn one(parts: &Parts, pid: &str, seconds: u64) -> Result<Recorded> {
    let words = command(parts, pid, seconds);
    let before = children_cpu()?;
    let seam = Target::start_now(Run::new(&words[0]).args(&words[1..]))?;
    thread::sleep(Duration::from_secs_f64(seconds as f64 * 0.9));
    let (rss, maps) = (resident(&seam.pid)?, map_memory(&seam.pid)?);
    for _ in seam.lines.iter() {}
    let ended = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    drop(seam);
    let cpu_all = children_cpu()? - before;
    let summary = json_file(&parts.file("own.json"))?;
    let recording = &summary["recording"];
    let duration = number(&recording["duration_ns"]);
    let over = number(&recording["start_unix_ns"]) + duration;
    Ok(Recorded {
        cpu_recording: percent(number(&summary["cost"]["seam_cpu_ns"]), duration),
        cpu_all,
        rss,
        maps,
        after: (ended.as_nanos() as f64 - over) / 1e6,
        page: fs::metadata(parts.file("own.html"))?.len() as f64 / 1000.0,
        summary,
    })
}

/// The largest resident set so far, in MiB.
fn resident(pid: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("seam has ended")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    let kib: f64 = kib.context("no VmHWM")?.parse()?;
    Ok(kib / 1024.0)
}

/// The memory of the maps that a process holds, in MiB; a map held twice counts once.
fn map_memory(pid: &str) -> Result<f64> {
    let mut maps = std::collections::BTreeMap::new();
    for file in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        let text = fs::read_to_string(file?.path()).unwrap_or_default();
        let value = |key: &str| -> Option<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(key))?;
            line.trim().parse().ok()
        };
        if let (Some(id), Some(bytes)) = (value("map_id:"), value("memlock:")) {
            maps.insert(id as u64, bytes);
        }
    }
    Ok(maps.values().sum::<f64>() / MIB)
}
