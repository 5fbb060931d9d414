//! How much of the truth a recording can have with the privileges there are, and the choice
//! between the ways of recording. Each gives the same outputs; what it can't see is told.

use std::path::PathBuf;
use std::time::Duration;

use seam_wire::Arch;

use crate::{CopySession, Options, Recording, Result, Session, Status, Target};

/// How samples are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Grade {
    /// Walked in the kernel at the sample.
    #[default]
    Bpf,
    /// Registers and stack copied by perf events, walked a moment later.
    Copied {
        /// Why not in the kernel.
        why: String,
        /// CPU time in the kernel, of which nothing was seen; `None` where it was sampled too.
        unseen_kernel_ns: Option<u64>,
    },
}

/// A recording in progress, of whatever grade.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one in a process, and it is not moved around"
)]
pub enum Recorder {
    /// With the kernel side.
    Bpf(Session),
    /// Without it.
    Copied(CopySession),
}

impl Recorder {
    /// The best way there is.
    ///
    /// # Errors
    /// When neither BPF nor perf events may be used; the error is of the better way.
    pub fn new(options: Options) -> Result<Self> {
        let why = match Session::new(options.clone()) {
            Ok(session) => return Ok(Self::Bpf(session)),
            Err(why) => why,
        };
        // The registers that perf events copy are read for x86-64 alone.
        if Arch::HOST != Arch::X86_64 {
            return Err(why);
        }
        match CopySession::new(options, why.to_string()) {
            Ok(session) => Ok(Self::Copied(session)),
            Err(_) => Err(why),
        }
    }

    /// Reads files' tables before anything maps them.
    ///
    /// # Errors
    /// As [`Session::prepare`].
    pub fn prepare(&mut self, files: &[PathBuf]) -> Result<()> {
        match self {
            Self::Bpf(session) => session.prepare(files),
            Self::Copied(session) => {
                session.prepare(files);
                Ok(())
            }
        }
    }

    /// Adds a running process.
    ///
    /// # Errors
    /// As [`Session::add_target`].
    pub fn add_target(&mut self, target: Target) -> Result<()> {
        match self {
            Self::Bpf(session) => session.add_target(target),
            Self::Copied(session) => session.add_target(target),
        }
    }

    /// Adds a process that will execute a program.
    ///
    /// # Errors
    /// As [`Session::add_before_exec`].
    pub fn add_before_exec(&mut self, target: Target) -> Result<()> {
        match self {
            Self::Bpf(session) => session.add_before_exec(target),
            Self::Copied(session) => session.add_before_exec(target),
        }
    }

    /// Starts the clocks.
    ///
    /// # Errors
    /// As [`Session::start`].
    pub fn start(&mut self) -> Result<()> {
        match self {
            Self::Bpf(session) => session.start(),
            Self::Copied(session) => {
                session.start();
                Ok(())
            }
        }
    }

    /// Waits for something to happen, at most `timeout`, and takes it in.
    ///
    /// # Errors
    /// As [`Session::poll`].
    pub fn poll(&mut self, timeout: Duration) -> Result<Status> {
        match self {
            Self::Bpf(session) => session.poll(timeout),
            Self::Copied(session) => session.poll(timeout),
        }
    }

    /// Stops and gives what was recorded.
    ///
    /// # Errors
    /// As [`Session::finish`].
    pub fn finish(self) -> Result<Recording> {
        match self {
            Self::Bpf(session) => session.finish(),
            Self::Copied(session) => session.finish(),
        }
    }
}
