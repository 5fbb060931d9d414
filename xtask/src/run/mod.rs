//! Running other programs: each has a name for errors and a deadline, and none
//! outlives this process, neither at the deadline nor on Ctrl-C.

mod running;

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{self, SigHandler, Signal};

pub(crate) use running::Running;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
const TICK: Duration = Duration::from_millis(20);

extern "C" fn on_signal(_: i32) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From here on Ctrl-C and termination end every wait with an error, so that
/// what was started is stopped on the way out.
pub(crate) fn watch_for_interrupts() {
    for number in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler only stores to an atomic, which is async-signal-safe.
        let installed = unsafe { signal::signal(number, SigHandler::Handler(on_signal)) };
        debug_assert!(installed.is_ok());
    }
}

/// True after Ctrl-C.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// For tasks that record other processes.
pub(crate) fn need_root(task: &str) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("{task} needs root\nhint: sudo -E cargo xtask {task}");
    }
    Ok(())
}

/// A command to be run to its end.
pub(crate) struct Run {
    command: Command,
    name: String,
    limit: Duration,
    own_group: bool,
}

impl Run {
    /// A command that may take five minutes.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(&program);
        command.stdin(Stdio::null());
        let name = program.as_ref().to_string_lossy().into_owned();
        Run {
            command,
            name,
            limit: Duration::from_secs(300),
            own_group: true,
        }
    }

    /// The same, as root: through sudo unless this process is root already.
    pub(crate) fn as_root(program: &str) -> Self {
        if nix::unistd::geteuid().is_root() {
            return Run::new(program);
        }
        let mut run = Run::new("sudo").arg(program);
        // sudo asks for a password on the terminal, which only the foreground
        // process group may read.
        run.own_group = false;
        run.name = program.to_owned();
        run
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Sets the folder it runs in.
    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets how long it may take.
    pub(crate) fn seconds(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Drops what it writes to stderr.
    pub(crate) fn quiet(mut self) -> Self {
        self.command.stderr(Stdio::null());
        self
    }

    /// Writes what it writes to stderr to a file.
    pub(crate) fn errors_to(mut self, path: &Path) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        self.command.stderr(file);
        Ok(self)
    }

    /// Runs it with our own output; an exit code other than 0 is an error.
    pub(crate) fn ok(self) -> Result<()> {
        let name = self.name.clone();
        let status = self.each_line(None)?;
        succeeded(&name, status)
    }

    /// Runs it and returns what it wrote to stdout; stderr goes to ours.
    pub(crate) fn text(self) -> Result<String> {
        let name = self.name.clone();
        let mut text = String::new();
        let mut keep = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        let status = self.each_line(Some(&mut keep))?;
        succeeded(&name, status)?;
        Ok(text)
    }

    /// Runs it, shows its stdout and hands each line of that to `look`.
    pub(crate) fn watch(self, mut look: impl FnMut(&str)) -> Result<ExitStatus> {
        self.each_line(Some(&mut |line| {
            println!("{line}");
            look(line);
        }))
    }

    fn each_line(mut self, mut look: Option<&mut dyn FnMut(&str)>) -> Result<ExitStatus> {
        if look.is_some() {
            self.command.stdout(Stdio::piped());
        }
        let end = Instant::now() + self.limit;
        let mut child = self.start()?;
        let lines = child.lines();
        let mut open = look.is_some();
        loop {
            if open {
                match lines.recv_timeout(TICK) {
                    Ok(line) => {
                        if let Some(look) = look.as_mut() {
                            look(&line);
                        }
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => open = false,
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
            let ended = child.ended()?;
            if let (Some(status), false) = (ended, open) {
                return Ok(status);
            }
            // A pipe can stay open after its process: someone else inherited it.
            child.still_allowed(end)?;
            if !open {
                thread::sleep(TICK);
            }
        }
    }

    /// Starts it without waiting; it is stopped when the value is dropped.
    pub(crate) fn start(mut self) -> Result<Running> {
        if self.own_group {
            self.command.process_group(0);
        }
        let child = self
            .command
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        Ok(Running {
            child,
            name: self.name,
            own_group: self.own_group,
        })
    }

    /// Lets [`Running::say`] talk to it.
    pub(crate) fn talked_to(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// Starts it with its stdout kept for [`Running::wait_for`].
    pub(crate) fn start_piped(mut self) -> Result<Running> {
        self.command.stdout(Stdio::piped());
        self.start()
    }
}

fn succeeded(name: &str, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{name} failed: {status}");
    }
    Ok(())
}

/// A heading before a piece of work, and its time after it.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("── {title}");
    let begun = Instant::now();
    let outcome = work();
    let word = if outcome.is_ok() { "done" } else { "failed" };
    println!("   {word} in {:.1} s", begun.elapsed().as_secs_f64());
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_stdout() {
        let text = Run::new("printf").arg("a\\nb").text().unwrap();
        assert_eq!(text, "a\nb\n");
    }

    #[test]
    fn failing_commands_are_named() {
        let error = Run::new("false").ok().unwrap_err().to_string();
        assert!(error.starts_with("false failed"), "{error}");
        let error = Run::new("no-such-program-here").ok().unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"));
    }

    #[test]
    fn a_deadline_stops_a_command_and_what_it_started() {
        let begun = Instant::now();
        let run = Run::new("sh").args(["-c", "sleep 60 & sleep 60"]);
        let error = run.seconds(0).ok().unwrap_err().to_string();
        assert!(error.contains("took too long"), "{error}");
        assert!(begun.elapsed() < running::GRACE * 2);
    }
}
