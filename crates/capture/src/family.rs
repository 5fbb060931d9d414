//! A command and the processes that it starts, as the kernel tells of them: who executes a program.

use std::collections::BTreeSet;
use std::os::fd::RawFd;
use std::time::Duration;

use crate::perf::online_cpus;
use crate::sideband::{Event, Sideband};
use crate::system::{at_ease, hurry};
use crate::{Error, Result};

/// The processes that come from one.
#[derive(Debug)]
pub struct Family {
    sideband: Sideband,
    members: BTreeSet<i32>,
    /// Records that the kernel had no room for: as many things may have been missed.
    pub lost: u64,
}

impl Family {
    /// Follows a process from now on. This thread gets a higher priority: a short program must be
    /// met before it is over.
    ///
    /// # Errors
    /// When perf events are refused.
    pub fn of(pid: i32) -> Result<Self> {
        let sideband = Sideband::open(&online_cpus()?)?;
        hurry();
        Ok(Self {
            sideband,
            members: BTreeSet::from([pid]),
            lost: 0,
        })
    }

    /// Who has executed a program, after waiting for that at most so long.
    ///
    /// # Errors
    /// When the kernel's records can't be waited for.
    pub fn executed(&mut self, patience: Duration) -> Result<Vec<i32>> {
        self.wait(patience)?;
        let mut found = Vec::new();
        for event in self.sideband.drain() {
            match event {
                Event::Forked { parent, pid } => {
                    // A number that is used again is another's. An end is no sign that somebody is
                    // gone: at an exec by another thread the main thread ends, and the process goes
                    // on (de_thread, fs/exec.c, Linux 2.6 to 6.18).
                    if self.members.contains(&parent) {
                        self.members.insert(pid);
                    } else {
                        self.members.remove(&pid);
                    }
                }
                Event::Executed { pid, .. } if self.members.contains(&pid) => found.push(pid),
                Event::Lost { records } => self.lost += records,
                _ => {}
            }
        }
        Ok(found)
    }

    /// Gives a thread that was started from the one that follows its usual priority.
    pub fn at_ease() {
        at_ease();
    }

    fn wait(&self, patience: Duration) -> Result<()> {
        let polled = |fd: RawFd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        };
        let mut all: Vec<libc::pollfd> = self.sideband.descriptors().map(polled).collect();
        let ms = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: `all` is a valid array of as many entries.
        let ready = unsafe { libc::poll(all.as_mut_ptr(), all.len() as libc::nfds_t, ms) };
        let error = std::io::Error::last_os_error();
        if ready < 0 && error.kind() != std::io::ErrorKind::Interrupted {
            return Err(Error::io("waiting for processes")(error));
        }
        Ok(())
    }
}
