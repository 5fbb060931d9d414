//! The profilers that are compared, and the programs that they are run on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;

use super::parts::Parts;
use crate::paths;
use crate::run::{Run, Running};

/// Seconds to record; none: until the target ends.
pub(super) type Time = Option<u64>;

/// A profiler that attaches from outside.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Tool {
    Seam,
    PerfFp,
    PerfDwarf,
}

impl Tool {
    pub(super) const ALL: [Tool; 3] = [Tool::Seam, Tool::PerfFp, Tool::PerfDwarf];

    pub(super) fn name(self) -> &'static str {
        match self {
            Tool::Seam => "seam",
            Tool::PerfFp => "`perf record -g`",
            Tool::PerfDwarf => "`perf record --call-graph dwarf`",
        }
    }

    /// What it writes in the folder of recordings.
    pub(super) fn output(self, parts: &Parts) -> PathBuf {
        parts.file(match self {
            Tool::Seam => "x.pb.gz",
            Tool::PerfFp => "fp.data",
            Tool::PerfDwarf => "dwarf.data",
        })
    }

    /// The command, for some seconds, or until the process ends.
    pub(super) fn command(self, parts: &Parts, pid: &str, rate: u32, time: Time) -> Vec<String> {
        let rate = rate.to_string();
        let mut words: Vec<String> = Vec::new();
        let mut add = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
        let output = self.output(parts).display().to_string();
        if self == Tool::Seam {
            add(&[
                &parts.seam.display().to_string(),
                "record",
                "-q",
                "-p",
                pid,
                "-r",
                &rate,
            ]);
            add(&[
                "-o",
                &output,
                "-o",
                &parts.file("x.json").display().to_string(),
            ]);
            if let Some(seconds) = time {
                add(&["-d", &format!("{seconds}s")]);
            }
            return words;
        }
        add(&["perf", "record", "-q", "-e", "cpu-clock", "-F", &rate]);
        match self {
            Tool::PerfDwarf => add(&["--call-graph", "dwarf"]),
            _ => add(&["-g"]),
        }
        add(&["-o", &output, "-p", pid]);
        if let Some(seconds) = time {
            add(&["--", "sleep", &seconds.to_string()]);
        }
        words
    }

    /// Runs it, and gives its CPU time.
    pub(super) fn record(self, parts: &Parts, pid: &str, rate: u32, time: Time) -> Result<f64> {
        let words = self.command(parts, pid, rate, time);
        let before = children_cpu()?;
        let limit = time.unwrap_or(60) + 120;
        let run = Run::new(&words[0]).args(&words[1..]).seconds(limit);
        // perf says on stdout what it wrote.
        run.text().with_context(|| self.name())?;
        Ok(children_cpu()? - before)
    }
}

/// The command as it is shown: without the folders of this machine.
pub(crate) fn shown(words: &[String]) -> String {
    let target = format!("{}/", paths::target().display());
    let short = |word: &String| {
        let word = word.replace(&format!("{target}release/"), "");
        let word = word.replace(&format!("{target}bench/"), "");
        let word = word.replace(&format!("{target}truth/"), "");
        let word = word.replace(&format!("{target}peers/bin/"), "");
        word.replace(&target, "")
    };
    words.iter().map(short).collect::<Vec<_>>().join(" ")
}

/// Runs perf script on a recording, into a file.
pub(crate) fn perf_script(data: &Path, to: &Path) -> Result<()> {
    let text = Run::new("perf")
        .args([
            "script",
            "--no-inline",
            "-F",
            "comm,pid,tid,time,event,ip,sym,dso",
            "-i",
        ])
        .arg(data)
        .seconds(600)
        .text()?;
    fs::write(to, text).with_context(|| format!("cannot write {}", to.display()))
}

/// CPU seconds of all children that have ended.
pub(crate) fn children_cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// The summary that seam wrote beside its pprof file.
pub(super) fn summary(parts: &Parts) -> Result<Value> {
    json_file(&parts.file("x.json"))
}

pub(crate) fn json_file(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| path.display().to_string())
}

/// A number of a JSON value.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

/// A running target, its lines, and its process id as a word.
pub(crate) struct Target {
    pub(crate) running: Running,
    pub(crate) lines: std::sync::mpsc::Receiver<String>,
    pub(crate) pid: String,
}

impl Target {
    /// Starts a program and waits for a line.
    pub(crate) fn start(run: Run, until: &str) -> Result<Self> {
        let mut target = Self::start_now(run)?;
        let limit = Duration::from_secs(60);
        target.running.wait_for(&target.lines, until, limit)?;
        Ok(target)
    }

    /// Starts a program without waiting for anything.
    pub(crate) fn start_now(run: Run) -> Result<Self> {
        let mut running = run.start_piped()?;
        let lines = running.lines();
        let pid = running.pid().to_string();
        Ok(Target {
            running,
            lines,
            pid,
        })
    }

    /// Waits for the line that it ends with.
    pub(crate) fn end(mut self, with: &str) -> Result<String> {
        let limit = Duration::from_secs(120);
        let line = self.running.wait_for(&self.lines, with, limit)?;
        // Reaped here, so that its CPU time is not taken for another child's.
        for _ in self.lines.iter() {}
        self.running.stop();
        Ok(line)
    }
}

/// Values of `key=number` in a line.
pub(crate) fn field(line: &str, key: &str) -> Result<f64> {
    let start = format!("{key}=");
    let Some(text) = line.split(' ').find_map(|word| word.strip_prefix(&start)) else {
        bail!("no {key} in {line:?}");
    };
    text.parse().with_context(|| format!("{key} in {line:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let line = "done cpu_ns=12 gap_ns=3.5";
        assert_eq!(field(line, "gap_ns").unwrap(), 3.5);
        assert!(field(line, "wall_ns").is_err());
    }
}
