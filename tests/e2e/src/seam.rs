//! Running `seam record` and reading what it wrote.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::page::Page;
use crate::pprof::Pprof;
use crate::process::{Outcome, Process};
use crate::{bpf, places, wait};

/// How long seam may take beyond the time it records.
pub const SLACK: Duration = Duration::from_secs(60);

/// A folder in which seam is run.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

impl Bench {
    /// A new empty folder.
    ///
    /// # Panics
    /// When there is no room for one.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("seam-e2e-").tempdir();
        Self {
            folder: folder.expect("the folder for temporary files is writable"),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names in the folder, sorted.
    ///
    /// # Panics
    /// When the folder is gone.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).expect("the folder exists");
        let name = |e: std::io::Result<std::fs::DirEntry>| {
            let entry = e.expect("the folder can be read");
            entry.file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// `seam` with arguments, in this folder, not under sudo.
    #[must_use]
    pub fn seam(&self, words: &[&str]) -> Command {
        let mut command = Command::new(places::seam());
        command.args(words);
        self.at_home(&mut command);
        command
    }

    /// `seam record -p PID` with options, separated by blanks.
    #[must_use]
    pub fn record(&self, pid: i32, options: &str) -> Command {
        let mut command = self.seam(&["record", "-p", &pid.to_string()]);
        command.args(options.split_whitespace());
        command
    }

    /// `seam record` with options that say what to record.
    #[must_use]
    pub fn record_all(&self, options: &str) -> Command {
        let mut command = self.seam(&["record"]);
        command.args(options.split_whitespace());
        command
    }

    /// `seam record` with options, separated by blanks, of a command.
    #[must_use]
    pub fn record_command(&self, options: &str, program: &Path, arguments: &[&str]) -> Command {
        let mut command = self.seam(&["record"]);
        command.args(options.split_whitespace()).arg("--");
        command.arg(program).args(arguments);
        command
    }

    /// Gives any command this folder and an environment that does not depend on the caller's.
    pub fn at_home(&self, command: &mut Command) {
        command.current_dir(self.path()).env("TMPDIR", self.path());
        for name in ["SUDO_UID", "SUDO_GID", "SUDO_USER", "NO_COLOR", "SEAM_LOG"] {
            command.env_remove(name);
        }
    }

    /// Runs `seam` with arguments to its end.
    #[must_use]
    pub fn run(&self, words: &[&str]) -> Outcome {
        run(&mut self.seam(words))
    }

    /// The pprof file of a name.
    #[must_use]
    pub fn pprof(&self, name: &str) -> Pprof {
        Pprof::read(&self.file(name))
    }

    /// The JSON file of a name.
    #[must_use]
    pub fn json(&self, name: &str) -> Value {
        parse_json(&self.text(name))
    }

    /// The page of a name.
    #[must_use]
    pub fn page(&self, name: &str) -> Page {
        Page::of(&self.text(name))
    }

    /// A text file.
    ///
    /// # Panics
    /// When it can't be read.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let path = self.file(name);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }
}

/// Runs a command to its end.
#[must_use]
pub fn run(command: &mut Command) -> Outcome {
    Process::start(command).end(SLACK)
}

/// Runs a command to its end; it must succeed.
///
/// # Panics
/// When it does not.
pub fn run_well(command: &mut Command) -> Outcome {
    let outcome = run(command);
    assert_eq!(outcome.code(), Some(0), "{command:?}: {}", outcome.text());
    outcome
}

/// Starts seam and waits until it has seen its first sample of a target.
///
/// # Panics
/// When it ends before.
#[must_use]
pub fn sampling(command: &mut Command) -> Process {
    let seam = Process::start(command);
    wait::until("seam's first sample", || {
        assert!(seam.runs(), "seam ended early: {command:?}");
        (bpf::runs(seam.pid()) > 0).then_some(())
    });
    seam
}

/// A process id as an argument.
#[must_use]
pub fn arg(pid: i32) -> String {
    pid.to_string()
}

/// A path as an argument.
///
/// # Panics
/// When it is not UTF-8, which no path of these tests is.
#[must_use]
pub fn path_arg(path: &(impl AsRef<OsStr> + ?Sized)) -> &str {
    path.as_ref().to_str().expect("paths of tests are UTF-8")
}

/// Reads JSON.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn parse_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("no JSON: {e}\n{text}"))
}

/// Samples that ended somewhere else than at a root, as `reason: count`.
#[must_use]
pub fn not_rooted(summary: &Value) -> Vec<String> {
    let reasons = summary["quality"]["end_reasons"].as_array();
    let reasons = reasons.expect("a summary counts how stacks ended");
    let broken = reasons.iter().filter(|row| row["root"] != true);
    broken
        .map(|row| format!("{}: {}", row["name"], row["samples"]))
        .collect()
}
