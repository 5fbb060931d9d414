//! A running test program and what it says about itself; see tests/programs/README.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::places;
use crate::process::{Outcome, Process};

/// A test program between its `start` and its `stop`.
pub struct Program {
    /// The process.
    pub process: Process,
    /// What it has said so far.
    pub said: Said,
}

/// What a program printed: the ids of its goroutines and threads by name, and its marks.
#[derive(Debug, Default)]
pub struct Said {
    /// Goids by the name of the root function.
    pub goroutines: BTreeMap<String, BTreeSet<i64>>,
    /// Thread ids by the name of the root function.
    pub threads: BTreeMap<String, BTreeSet<i64>>,
    /// When the work began.
    pub start_ns: Option<u64>,
    /// When it was over.
    pub stop_ns: Option<u64>,
    /// The runtime's own dump of its goroutines.
    pub dump: String,
    /// It ended with `ok`.
    pub ok: bool,
}

impl Program {
    /// Starts a program by the machine's Go and waits until its work begins.
    #[must_use]
    pub fn start(name: &str, seconds: u32) -> Self {
        Self::start_file(&places::program(name), seconds)
    }

    /// Starts a program's file and waits until its work begins.
    #[must_use]
    pub fn start_file(file: &Path, seconds: u32) -> Self {
        Self::start_command(Command::new(file).arg(seconds.to_string()))
    }

    /// Starts a program with all its arguments and waits until its work begins.
    #[must_use]
    pub fn start_command(command: &mut Command) -> Self {
        let mut process = Process::start(command);
        let mut said = Said::default();
        process.line("start mark", |line| {
            said.hear(line);
            said.start_ns
        });
        Self { process, said }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Sends a signal to it.
    pub fn signal(&self, signal: i32) {
        self.process.signal(signal);
    }

    /// Waits for its end and gives everything that it said.
    #[must_use]
    pub fn end(self, within: Duration) -> (Said, Outcome) {
        let outcome = self.process.end(within);
        let mut said = self.said;
        for line in &outcome.stdout {
            said.hear(line);
        }
        (said, outcome)
    }
}

impl Said {
    fn hear(&mut self, line: &str) {
        if let Some(dumped) = line.strip_prefix("dump") {
            self.dump += dumped.strip_prefix(' ').unwrap_or(dumped);
            self.dump.push('\n');
            return;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["goroutine", name, id] => note(&mut self.goroutines, name, id, "goid="),
            ["thread", name, id] => note(&mut self.threads, name, id, "tid="),
            ["start", at] => self.start_ns = at.strip_prefix("ns=").and_then(|n| n.parse().ok()),
            ["stop", at] => self.stop_ns = at.strip_prefix("ns=").and_then(|n| n.parse().ok()),
            ["ok"] => self.ok = true,
            _ => {}
        }
    }
}

fn note(ids: &mut BTreeMap<String, BTreeSet<i64>>, name: &str, id: &str, key: &str) {
    let id = id.strip_prefix(key).and_then(|n| n.parse().ok());
    let id = id.unwrap_or_else(|| panic!("{name} has no {key} number"));
    ids.entry(name.to_owned()).or_default().insert(id);
}
