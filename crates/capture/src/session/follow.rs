//! Keeping what the kernel side knows of targets true: mappings, exec, children, and processes
//! first seen by a sample.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{Scope, Session};
use crate::cgroup::members;
use crate::sideband::Event;
use crate::system::has_ended;
use crate::target::{check_target, cpu_times, describe, describe_or};
use crate::{Error, ProcessMap, Result};

/// How often a process is looked at again after a change of its mappings: at most ten times a
/// second, and a loader is not that slow.
const LOADER_LOOKS: u32 = 50;

/// How long processes are watched to tell which are busy.
const BUSY_LOOK: Duration = Duration::from_millis(50);
/// How long reading may delay the first sample, and then the taking in of samples.
const BEFORE_START: Duration = Duration::from_millis(1500);
const AT_ONCE: Duration = Duration::from_millis(100);
/// How long, at most, is spent before the start on processes that run files which are known.
const ALIKE: Duration = Duration::from_millis(500);

impl Session {
    /// Before the clocks start: takes in what is busy right now, where all may be recorded, so that
    /// it is whole from its first sample.
    pub(super) fn adopt_busy(&mut self) -> Result<()> {
        let members = match &self.options.scope {
            Scope::Named => return Ok(()),
            Scope::Machine => None,
            Scope::Cgroup(group) => Some(members(group)),
        };
        let before = cpu_times();
        std::thread::sleep(BUSY_LOOK);
        let own = std::process::id() as i32;
        let wanted = |pid: &i32| *pid != own && members.as_ref().is_none_or(|m| m.contains(pid));
        let all = cpu_times().into_iter().filter(|(pid, _)| wanted(pid));
        let (busy, rest): (Vec<_>, Vec<_>) =
            all.partition(|(pid, time)| before.get(pid) != Some(time));
        // Threads of the kernel have no memory to be read.
        let can_be_read = |pid: &i32| check_target(*pid).is_ok();
        let pids = |all: Vec<(i32, u64)>| all.into_iter().map(|(pid, _)| pid).filter(can_be_read);
        self.adopt(pids(busy).collect(), BEFORE_START)?;
        // Processes that sleep most of the time would lose their first sample, which may be their
        // only one: those that run the same files cost a look at their mappings.
        let alike = pids(rest).filter(|pid| self.modules.bytes_to_read(*pid) == 0);
        let alike = alike.collect();
        self.adopt(alike, ALIKE)?;
        Ok(())
    }

    /// Takes in processes that were sampled without being known. One that is gone already, or has
    /// no memory of its own, stays unknown.
    pub(super) fn adopt_strangers(&mut self) -> Result<()> {
        let strangers = self.collector.take_strangers();
        let waiting = self.adopt(strangers, AT_ONCE)?;
        self.collector.return_strangers(waiting);
        Ok(())
    }

    /// Those with the least to be read first: one large file must not keep many small programs
    /// waiting. Gives those for which there was no time.
    fn adopt(&mut self, pids: HashSet<i32>, time: Duration) -> Result<HashSet<i32>> {
        let begun = Instant::now();
        let known = |pid: &i32| self.processes.get(pid).is_some_and(|t| !t.ended);
        let mut pids: Vec<(u64, i32)> = pids
            .into_iter()
            .filter(|pid| !known(pid))
            .map(|pid| (self.modules.bytes_to_read(pid), pid))
            .collect();
        pids.sort_unstable();
        let mut pids = pids.into_iter().map(|(_, pid)| pid);
        for pid in pids.by_ref() {
            match self.add_target(describe(pid)) {
                Ok(()) => {
                    if let Some(tracked) = self.processes.get_mut(&pid) {
                        // One that is not there began while recording.
                        tracked.cpu_first_ns = self.cpu_before.get(&pid).copied().unwrap_or(0);
                        tracked.cpu_last_ns = tracked.cpu_first_ns;
                    }
                }
                Err(Error::Inspect { .. }) => {}
                Err(e) => return Err(e),
            }
            if begun.elapsed() > time {
                break;
            }
        }
        Ok(pids.collect())
    }

    /// Brings every target's mappings up to date.
    pub(super) fn follow(&mut self) -> Result<()> {
        let mut changed = Vec::new();
        for event in self.sideband.drain() {
            match event {
                Event::Mapped { pid, entry } => {
                    if let Some(tracked) = self.processes.get_mut(&pid) {
                        tracked.map.insert(pid, &entry, &mut self.modules);
                        changed.push(pid);
                    }
                }
                Event::Executed { pid, name } => {
                    if let Some(tracked) = self.processes.get_mut(&pid) {
                        tracked.map = ProcessMap::read(pid, &mut self.modules).unwrap_or_default();
                        // What the kernel side has put in force at the exec is part of this.
                        let prepared = std::mem::take(&mut tracked.exec_set);
                        // The record comes before the tracepoint has run (begin_new_exec and
                        // exec_binprm, Linux 5.17 to 6.18): then the old set is still in force.
                        let in_force = self.kernel.set_of_process(pid);
                        let set = match in_force == 0 || in_force == tracked.set {
                            true => prepared,
                            false => in_force,
                        };
                        self.history.insert(set, tracked.map.clone());
                        let old = std::mem::replace(&mut tracked.set, set);
                        self.retired_sets.push((Instant::now(), old));
                        let started_here = tracked.started_here;
                        tracked.target = describe_or(pid, &name);
                        tracked.started_here = started_here;
                        changed.push(pid);
                    }
                }
                Event::Forked { parent, pid } => self.follow_child(parent, pid),
                Event::Exited { .. } => {}
                Event::Lost { records } => {
                    self.sideband_lost += records;
                    changed.extend(self.reread());
                }
            }
        }
        for pid in &changed {
            if let Some(tracked) = self.processes.get_mut(pid) {
                tracked.looks_left = LOADER_LOOKS;
            }
        }
        changed.extend(self.awaiting_loader());
        changed.sort_unstable();
        changed.dedup();
        for pid in changed {
            self.publish(pid)?;
        }
        for tracked in self.processes.values_mut().filter(|t| !t.ended) {
            tracked.ended = tracked.pidfd.as_ref().is_none_or(has_ended);
            if tracked.ended {
                self.kernel.remove_process(tracked.target.pid);
            }
        }
        Ok(())
    }

    /// Processes in which a Go runtime was mapped and not yet linked, to be looked at again.
    fn awaiting_loader(&mut self) -> Vec<i32> {
        let waiting = self.processes.values_mut().filter(|t| !t.ended);
        let waiting = waiting.filter(|t| t.looks_left > 0);
        waiting
            .map(|t| {
                t.looks_left -= 1;
                t.target.pid
            })
            .collect()
    }

    /// A child runs with its parent's mappings until it executes something.
    fn follow_child(&mut self, parent: i32, pid: i32) {
        // Decided by the parent: the side-band record may come before the tracepoint has run.
        if !self.options.follow_children {
            return;
        }
        let Some(from) = self.processes.get(&parent) else {
            return;
        };
        let (map, child) = (from.map.clone(), describe_or(pid, &from.target.name));
        let set = self.processes.get(&parent).map_or(0, |t| t.set);
        self.history.share(set);
        self.track(child, map, false);
        if let Some(tracked) = self.processes.get_mut(&pid) {
            tracked.is_child = true;
            tracked.set = set;
        }
    }

    fn reread(&mut self) -> Vec<i32> {
        let pids: Vec<i32> = self
            .processes
            .values()
            .filter(|t| !t.ended)
            .map(|t| t.target.pid)
            .collect();
        for pid in &pids {
            if let Ok(map) = ProcessMap::read(*pid, &mut self.modules)
                && let Some(tracked) = self.processes.get_mut(pid)
            {
                tracked.map = map;
            }
        }
        pids
    }
}
