//! A child process whose output is read line by line, and which never outlives its owner.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::wait::PATIENCE;

/// A line, and whether it came on stderr.
type Line = (bool, String);

/// A running child. Dropping it kills and reaps it, by its own id.
pub struct Process {
    child: Child,
    /// Refers to this process for ever, where a number may be given to another.
    pidfd: OwnedFd,
    arriving: Receiver<Line>,
    stdout: Vec<String>,
    stderr: Vec<String>,
    shown: String,
}

/// A child that has ended.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: Vec<String>,
    /// What it complained about.
    pub stderr: Vec<String>,
}

impl Process {
    /// Starts a command with its three streams on pipes.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let shown = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{shown} can't be started: {e}"));
        let (sender, arriving) = channel();
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        read_lines(stdout, false, sender.clone());
        read_lines(stderr, true, sender);
        let pidfd = pidfd(child.id());
        Self {
            child,
            pidfd,
            arriving,
            stdout: Vec::new(),
            stderr: Vec::new(),
            shown,
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("process ids are small")
    }

    /// Waits for the first line on stdout that holds something, from those not yet looked at.
    ///
    /// # Panics
    /// When the process ends or takes too long without it.
    pub fn line<T>(&mut self, what: &str, mut look: impl FnMut(&str) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.arriving.recv_timeout(left) {
                Ok((true, line)) => self.stderr.push(line),
                Ok((false, line)) => {
                    let found = look(&line);
                    self.stdout.push(line);
                    if let Some(found) = found {
                        return found;
                    }
                }
                Err(why) => {
                    let why = match why {
                        RecvTimeoutError::Timeout => "is silent",
                        RecvTimeoutError::Disconnected => "has closed its output",
                    };
                    let (out, err) = (self.stdout.join("\n"), self.stderr.join("\n"));
                    panic!("no {what}: {} {why}\n{out}\n{err}", self.shown);
                }
            }
        }
    }

    /// Sends text to its stdin.
    ///
    /// # Panics
    /// When it no longer reads.
    pub fn send(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        let sent = stdin
            .write_all(text.as_bytes())
            .and_then(|()| stdin.flush());
        sent.unwrap_or_else(|e| panic!("{} does not read: {e}", self.shown));
    }

    /// Sends a signal to it.
    ///
    /// # Panics
    /// When it has ended and been reaped.
    pub fn signal(&self, signal: i32) {
        // SAFETY: the descriptor is an open pidfd; no further information is passed.
        let sent = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.pidfd.as_raw_fd(),
                signal,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        let why = std::io::Error::last_os_error();
        assert_eq!(sent, 0, "signal {signal} to {}: {why}", self.shown);
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn runs(&self) -> bool {
        !ends_within(&self.pidfd, Duration::ZERO)
    }

    /// Waits for its end, which leaves a zombie until this is dropped.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn await_end(&self, within: Duration) {
        let ended = ends_within(&self.pidfd, within);
        assert!(ended, "{} has not ended in {within:?}", self.shown);
    }

    /// Waits for its end and takes its output.
    ///
    /// # Panics
    /// When it does not end in time.
    #[must_use]
    pub fn end(mut self, within: Duration) -> Outcome {
        drop(self.child.stdin.take());
        self.await_end(within);
        let status = self.child.wait().expect("it is our child and has ended");
        // Children of its own may still hold the pipes: then take what has come.
        let end = Instant::now() + Duration::from_secs(1);
        while let Ok((error, line)) = self
            .arriving
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            if error {
                self.stderr.push(line);
            } else {
                self.stdout.push(line);
            }
        }
        Outcome {
            status,
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail when it was reaped already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that is not our child, killed on drop.
pub struct Stranger(OwnedFd);

impl Stranger {
    /// Takes charge of a process.
    #[must_use]
    pub fn new(pid: i32) -> Self {
        Self(pidfd(pid as u32))
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn runs(&self) -> bool {
        !ends_within(&self.0, Duration::ZERO)
    }

    /// Whether it ends in time.
    #[must_use]
    pub fn ends_within(&self, within: Duration) -> bool {
        ends_within(&self.0, within)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // SAFETY: the descriptor is an open pidfd; failing means that it has ended.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                libc::SIGKILL,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
    }
}

impl Outcome {
    /// Its exit code; none if a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// All it printed, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        let (out, err) = (self.stdout.join("\n"), self.stderr.join("\n"));
        format!("{}\n── stdout\n{out}\n── stderr\n{err}\n──", self.status)
    }
}

fn read_lines(
    stream: impl Read + Send + 'static,
    error: bool,
    sender: std::sync::mpsc::Sender<Line>,
) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
            let line = String::from_utf8_lossy(&bytes);
            if sender.send((error, line.trim_end().to_owned())).is_err() {
                return;
            }
            bytes.clear();
        }
    });
}

fn pidfd(pid: u32) -> OwnedFd {
    // SAFETY: pidfd_open takes a process id and no flags.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let why = std::io::Error::last_os_error();
    assert!(fd >= 0, "process {pid} can't be watched: {why}");
    // SAFETY: the kernel has just given us this descriptor.
    unsafe { OwnedFd::from_raw_fd(fd as i32) }
}

/// A pidfd becomes readable when its process has ended.
fn ends_within(pidfd: &OwnedFd, time: Duration) -> bool {
    let mut polled = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let milliseconds = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: one valid pollfd.
    unsafe { libc::poll(&raw mut polled, 1, milliseconds) == 1 }
}
