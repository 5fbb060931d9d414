//! Running seam and programs as nobody, with chosen capabilities.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::places;
use crate::process::Process;
use crate::program::Program;
use crate::seam::Bench;

const NOBODY: u32 = 65534;

/// A folder in which anybody may write, and a seam that anybody may run.
///
/// # Panics
/// When seam can't be copied.
#[must_use]
pub fn open_bench() -> (Bench, Bench, PathBuf) {
    let (bench, tools) = (Bench::new(), Bench::new());
    set_mode(&bench, 0o777);
    set_mode(&tools, 0o755);
    let seam = tools.file("seam");
    std::fs::copy(places::seam(), &seam).expect("the folder is ours");
    (bench, tools, seam)
}

fn set_mode(folder: &Bench, mode: u32) {
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(folder.path(), mode).expect("the folder is ours");
}

/// A copy of a file in a folder of its own: the repository may be closed to others.
///
/// # Panics
/// When it can't be copied.
#[must_use]
pub fn open_copy(file: &Path) -> (Bench, PathBuf) {
    let home = Bench::new();
    set_mode(&home, 0o755);
    let name = file.file_name().expect("a file");
    let copy = home.path().join(name);
    std::fs::copy(file, &copy).expect("the folder is ours");
    (home, copy)
}

/// A test program that nobody runs, between its marks.
#[must_use]
pub fn program_of_nobody(name: &str, seconds: u32) -> (Bench, Program) {
    let (home, file) = open_copy(&places::program(name));
    let mut command = Command::new(file);
    command.arg(seconds.to_string()).uid(NOBODY).gid(NOBODY);
    (home, Program::start_command(&mut command))
}

/// A program that nobody runs.
#[must_use]
pub fn process_of_nobody(file: &Path) -> (Bench, Process) {
    let (home, file) = open_copy(file);
    let mut command = Command::new(file);
    (home, Process::start(command.uid(NOBODY).gid(NOBODY)))
}

/// A command as nobody, with capabilities.
#[must_use]
pub fn as_nobody(bench: &Bench, capabilities: &str, program: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    if !capabilities.is_empty() {
        command.arg(format!("--inh-caps={capabilities}"));
        command.arg(format!("--ambient-caps={capabilities}"));
    }
    command.arg(program).args(words);
    bench.at_home(&mut command);
    command
}
