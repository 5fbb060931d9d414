//! A process that was started: its lines, its end, and that it does have one.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::{TICK, interrupted};

/// Between asking a process to end and ending it.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// A started process. Dropping it ends the process and waits for that.
pub(crate) struct Running {
    pub(super) child: Child,
    pub(super) name: String,
    pub(super) own_group: bool,
}

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, once it has ended.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Writes a line to its stdin, for a process that is talked to.
    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut();
        let stdin = stdin.with_context(|| format!("{} is not talked to", self.name))?;
        writeln!(stdin, "{line}").with_context(|| format!("cannot talk to {}", self.name))
    }

    /// The lines of its stdout, read by a thread so that waiting has a deadline.
    pub(crate) fn lines(&mut self) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel();
        if let Some(stdout) = self.child.stdout.take() {
            thread::spawn(move || send_lines(stdout, &sender));
        }
        receiver
    }

    /// Waits for a line of its stdout that starts with `start`, and returns it.
    pub(crate) fn wait_for(
        &mut self,
        lines: &mpsc::Receiver<String>,
        start: &str,
        limit: Duration,
    ) -> Result<String> {
        let end = Instant::now() + limit;
        loop {
            match lines.recv_timeout(TICK) {
                Ok(line) if line.starts_with(start) => return Ok(line),
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} ended before it printed \"{start}\"", self.name)
                }
                Err(RecvTimeoutError::Timeout) => self.still_allowed(end)?,
            }
        }
    }

    /// An error after the deadline and after Ctrl-C.
    pub(super) fn still_allowed(&self, end: Instant) -> Result<()> {
        if interrupted() {
            bail!("interrupted while {} ran", self.name);
        }
        if Instant::now() > end {
            bail!("{} took too long and was stopped", self.name);
        }
        Ok(())
    }

    /// Ends it: asks first, and after a moment insists.
    pub(crate) fn stop(&mut self) {
        for number in [Signal::SIGTERM, Signal::SIGKILL] {
            if self.has_ended() {
                return;
            }
            self.signal(number);
            let end = Instant::now() + GRACE;
            while Instant::now() < end && !self.has_ended() {
                thread::sleep(TICK);
            }
        }
        if !self.has_ended() {
            // sudo, for one, cannot be signalled by the user who called it.
            eprintln!("cannot end {} (process {})", self.name, self.pid());
        }
    }

    /// Whether it is over.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn signal(&self, number: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        // It may have ended in between: nothing to do then.
        let _ = if self.own_group {
            signal::killpg(pid, number)
        } else {
            signal::kill(pid, number)
        };
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn send_lines(stdout: impl Read, sender: &mpsc::Sender<String>) {
    // Bytes, not `lines()`: a stray byte that is not UTF-8 must not end the reading.
    for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&line).into_owned();
        if sender.send(text).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Run;

    #[test]
    fn waiting_for_a_line_ends_with_the_process() {
        let mut child = Run::new("echo").arg("ready pid=1").start_piped().unwrap();
        let lines = child.lines();
        let wait = Duration::from_secs(5);
        let line = child.wait_for(&lines, "ready", wait).unwrap();
        assert_eq!(line, "ready pid=1");
        assert!(child.wait_for(&lines, "ok", wait).is_err());
    }
}
