//! Single-steps one thread of a process that this program started, and walks its stack from outside
//! before every instruction.
//!
//! The check needs no knowledge of the program: an instruction that is neither call, return nor a
//! switch of goroutines changes no frame but the innermost. So each walk is compared with the one
//! before, and by induction every frame is checked at every instruction.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use seam_capture::{Modules, ProcessMap};
use seam_memory::Live;
use seam_unwind::{TableSet, Walked, walk};
use seam_wire::*;

use crate::registers::{self, Registers, start};

/// A traced thread.
pub struct Stepper {
    pid: i32,
    tid: i32,
    memory: Live,
    modules: Modules,
    /// What is mapped, for names.
    pub map: ProcessMap,
    set: TableSet,
}

/// One stop: registers and the walk from them.
pub struct Stop {
    /// Registers.
    pub regs: Registers,
    /// The walk.
    pub walked: Walked,
    /// A signal arrived instead of the next instruction.
    pub signal: Option<i32>,
}

impl Stepper {
    /// Stops one thread of our own child.
    ///
    /// # Errors
    /// When the kernel refuses, or the process can't be read.
    pub fn attach(pid: i32, tid: i32) -> Result<Self> {
        let mut modules = Modules::default();
        let map = ProcessMap::read(pid, &mut modules).context("reading maps")?;
        let mut stepper = Self {
            pid,
            tid,
            memory: Live::new(pid),
            modules,
            map,
            set: TableSet::default(),
        };
        stepper.load_tables();
        ptrace(libc::PTRACE_SEIZE, tid, 0).context("seizing")?;
        ptrace(libc::PTRACE_INTERRUPT, tid, 0).context("interrupting")?;
        stepper.wait()?;
        Ok(stepper)
    }

    fn load_tables(&mut self) {
        let mut set = TableSet::default();
        let runtimes = self.map.go_runtimes(&self.memory);
        let mut slots = std::collections::HashMap::new();
        let mappings = self.map.wire(&runtimes, |module| {
            let Ok(built) = &module.table else { return 0 };
            *slots
                .entry(module.number)
                .or_insert_with(|| set.add_table(&built.table.words))
        });
        set.set_mappings(&mappings);
        set.runtimes = runtimes.iter().map(|(_, r)| *r).collect();
        self.set = set;
    }

    /// Reads the mappings again, after a dlopen.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn refresh(&mut self) -> Result<()> {
        self.map = ProcessMap::read(self.pid, &mut self.modules)?;
        self.load_tables();
        Ok(())
    }

    /// The tables and mappings that walks use.
    #[must_use]
    pub fn tables(&self) -> &TableSet {
        &self.set
    }

    /// The process's memory.
    #[must_use]
    pub fn memory(&self) -> &dyn seam_memory::Memory {
        &self.memory
    }

    /// Which rules a walk took, as text: the leaf's kind, then all kinds crossed.
    #[must_use]
    pub fn rules(&self, stop: &Stop) -> String {
        let kind = |frame: &u64| {
            let exact = frame_flags(*frame) & SEAM_FRAME_EXACT != 0;
            let address = frame_address(*frame) - u64::from(!exact);
            self.set.rule_at(address).map_or(255, |r| r.kind)
        };
        let mut kinds: Vec<u8> = stop.walked.user.iter().map(kind).collect();
        let leaf = kinds.first().copied().unwrap_or(255);
        kinds.sort_unstable();
        kinds.dedup();
        let names: Vec<&str> = kinds.into_iter().map(rule_name).collect();
        format!("{}: {}", rule_name(leaf), names.join(" "))
    }

    /// The state before the next instruction.
    ///
    /// # Errors
    /// When the thread is gone.
    pub fn now(&self) -> Result<Stop> {
        let regs = self.regs()?;
        Ok(Stop {
            walked: walk(&self.memory, &self.set, &start(&regs)),
            regs,
            signal: None,
        })
    }

    /// Executes one instruction; a pending signal is delivered instead when there is one.
    ///
    /// # Errors
    /// When the thread is gone.
    pub fn step(&mut self, deliver: Option<i32>) -> Result<Stop> {
        ptrace(
            libc::PTRACE_SINGLESTEP,
            self.tid,
            deliver.unwrap_or(0) as usize,
        )
        .context("stepping")?;
        let signal = self.wait()?;
        Ok(Stop {
            signal,
            ..self.now()?
        })
    }

    /// Lets the thread run for a while: where it waits for others, stepping gets nowhere.
    ///
    /// # Errors
    /// When the thread is gone.
    pub fn run(&mut self, deliver: Option<i32>, time: Duration) -> Result<Stop> {
        ptrace(libc::PTRACE_CONT, self.tid, deliver.unwrap_or(0) as usize).context("running")?;
        let end = Instant::now() + time;
        while Instant::now() < end {
            std::thread::yield_now();
        }
        ptrace(libc::PTRACE_INTERRUPT, self.tid, 0).context("interrupting")?;
        let signal = self.wait()?;
        Ok(Stop {
            signal,
            ..self.now()?
        })
    }

    /// The bytes at an address, for decoding the instruction that comes next.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn bytes(&self, address: u64) -> Result<[u8; 15]> {
        // No instruction is longer.
        let mut bytes = [0; 15];
        seam_memory::Memory::read(&self.memory, address, &mut bytes)?;
        Ok(bytes)
    }

    fn regs(&self) -> Result<Registers> {
        registers::read(self.tid)
    }

    fn wait(&self) -> Result<Option<i32>> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut status = 0;
            // SAFETY: a wait for a thread that we trace.
            let got =
                unsafe { libc::waitpid(self.tid, &raw mut status, libc::__WALL | libc::WNOHANG) };
            if got == self.tid {
                if libc::WIFSTOPPED(status) {
                    let signal = libc::WSTOPSIG(status);
                    return Ok((signal != libc::SIGTRAP).then_some(signal));
                }
                bail!("the traced thread ended");
            }
            if Instant::now() > deadline {
                bail!("the traced thread did not stop");
            }
            if got == 0 {
                std::thread::yield_now();
            }
        }
    }
}

impl Stop {
    /// The signal to deliver with the next step. Stepping is so slow that the runtime would send
    /// its preemption signal all the time; one in sixteen gets through.
    #[must_use]
    pub fn deliver(&self, step: u64) -> Option<i32> {
        self.signal
            .filter(|signal| *signal != libc::SIGURG || step.is_multiple_of(16))
    }
}

pub(crate) fn ptrace(request: u32, tid: i32, data: usize) -> Result<()> {
    // SAFETY: the requests used take no address, and `data` is a signal number or a pointer to a
    // structure of the right type.
    let done = unsafe { libc::ptrace(request, tid, 0usize, data) };
    if done < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(())
}

fn rule_name(kind: u8) -> &'static str {
    match u32::from(kind) {
        SEAM_RULE_NONE => "none",
        SEAM_RULE_CFA => "cfa",
        SEAM_RULE_DEREF => "deref",
        SEAM_RULE_DEREF_INDEXED => "deref-indexed",
        SEAM_RULE_ROOT => "root",
        SEAM_RULE_SIGNAL => "signal",
        SEAM_RULE_PLT => "plt",
        SEAM_RULE_UNSUPPORTED => "unsupported",
        SEAM_RULE_ASMCGOCALL => "asmcgocall",
        SEAM_RULE_SYSTEMSTACK => "systemstack",
        SEAM_RULE_CGOCALLBACK => "cgocallback",
        SEAM_RULE_CGOCALLBACK_ON_G0 => "cgocallback-on-g0",
        SEAM_RULE_MCALL => "mcall",
        SEAM_RULE_MORESTACK => "morestack",
        SEAM_RULE_GOGO => "gogo",
        SEAM_RULE_CLONE => "clone",
        SEAM_RULE_FRAME_POINTER => "frame-pointer",
        SEAM_RULE_RETURN_APART => "return-apart",
        SEAM_RULE_LINK_KEPT => "link-kept",
        _ => "no-mapping",
    }
}
