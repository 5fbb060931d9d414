//! One target while it is followed: what it has mapped, which sets stand for it in the kernel, and
//! the CPU time it used. `Session` decides what happens to it.

use std::os::fd::OwnedFd;

use crate::made_names::NamePlace;
use crate::packed::packed;
use crate::system::pidfd;
use crate::{MadeNames, ModuleKind, ProcessMap, Target, TargetInfo};

/// A target that is followed.
pub(crate) struct Tracked {
    pub(crate) target: Target,
    pub(crate) started_here: bool,
    /// A target has made it.
    pub(crate) is_child: bool,
    pub(crate) pidfd: Option<OwnedFd>,
    pub(crate) map: ProcessMap,
    pub(crate) set: u32,
    /// The set that the kernel side puts in force at the next exec.
    pub(crate) exec_set: u32,
    pub(crate) cpu_first_ns: u64,
    pub(crate) cpu_last_ns: u64,
    pub(crate) ended: bool,
    /// How often more to look whether the loader has told where a Go runtime's g lies.
    pub(crate) looks_left: u32,
    /// Where names of run-time code are, once there is such code.
    pub(crate) names: Option<NamePlace>,
    /// Why its code has no file, once there is such code.
    packed: Option<String>,
}

impl Tracked {
    /// A process from now on, with what it has mapped.
    pub(crate) fn new(target: Target, map: ProcessMap, started_here: bool) -> Self {
        Self {
            pidfd: pidfd(target.pid),
            target,
            started_here,
            is_child: false,
            map,
            set: 0,
            exec_set: 0,
            cpu_first_ns: 0,
            cpu_last_ns: 0,
            ended: false,
            looks_left: 0,
            names: None,
            packed: None,
        }
    }

    /// Keeps the place of names, if the process makes code.
    pub(crate) fn note_made_code(&mut self) {
        let pid = self.target.pid;
        let made = |m: &&crate::MappedModule| {
            m.module.kind == ModuleKind::Anonymous && m.module.maker == Some(pid)
        };
        if self.names.is_none() && self.map.mappings.iter().any(|m| made(&m)) {
            self.names = NamePlace::of(pid);
            self.packed = packed(pid);
        }
    }

    /// The file with the names of its run-time code, if there is one.
    pub(crate) fn made_names(&self) -> Option<MadeNames> {
        let file = self.names.as_ref()?.open()?;
        let pid = self.target.pid;
        Some(MadeNames { pid, file })
    }

    pub(crate) fn into_info(self) -> TargetInfo {
        let exe = self
            .map
            .mappings
            .iter()
            .find(|m| m.module.name() == self.target.name);
        let executable = exe
            .or_else(|| self.map.mappings.first())
            .map(|m| m.module.number);
        TargetInfo {
            target: self.target,
            started_here: self.started_here,
            is_child: self.is_child,
            ended: self.ended,
            cpu_time_ns: self.cpu_last_ns.saturating_sub(self.cpu_first_ns),
            executable,
            packed: self.packed,
        }
    }
}
