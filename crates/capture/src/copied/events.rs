//! The events of a recording without BPF: a clock on every thread of a target and every CPU, which
//! copies registers and stack into a ring of that CPU. Opening, and how much memory the rings get.
//! What the records hold is for `record`.

use std::collections::HashSet;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use perf_event_open_sys as sys;
use sys::bindings::{
    PERF_COUNT_SW_CPU_CLOCK, PERF_COUNT_SW_DUMMY, PERF_FLAG_FD_CLOEXEC, PERF_SAMPLE_CALLCHAIN,
    PERF_SAMPLE_CPU, PERF_SAMPLE_REGS_USER, PERF_SAMPLE_STACK_USER, PERF_SAMPLE_TID,
    PERF_SAMPLE_TIME, perf_event_attr,
};

use super::record::{REGISTERS, STACK_BYTES};
use crate::perf::{disable, enable, online_cpus, paranoid, software};
use crate::ring::Ring;
use crate::{Error, Result};

/// Pages of a ring: the most that is tried (16 MiB), and the least with which anything works.
const PAGES_MAX: usize = 4096;
const PAGES_MIN: usize = 32;
/// How often a process's threads are listed until no new one appears.
const LISTINGS_MAX: usize = 20;

/// Clocks on threads, and the rings that they write into.
#[derive(Debug)]
pub(super) struct Events {
    cpus: Vec<i32>,
    rings: Vec<Ring>,
    clocks: Vec<OwnedFd>,
    rate_hz: u32,
    /// The kernel's part of a thread's time is sampled as well.
    pub(super) with_kernel: bool,
}

impl Events {
    /// Rings on every CPU, and no clock yet.
    pub(super) fn new(rate_hz: u32) -> Result<Self> {
        let cpus = online_cpus()?;
        // A quarter of a second of samples.
        let wanted = rate_hz as usize * STACK_BYTES as usize / 4096 / 4;
        let mut pages = wanted.next_power_of_two().clamp(PAGES_MIN, PAGES_MAX);
        let rings = loop {
            let each = cpus.iter().map(|cpu| Ring::open(holder(*cpu)?, pages));
            match each.collect::<Result<Vec<_>>>() {
                // The memory that may be locked is limited (perf_event_mlock_kb, RLIMIT_MEMLOCK).
                Err(Error::Io { .. }) if pages > PAGES_MIN => pages /= 2,
                rings => break rings?,
            }
        };
        Ok(Self {
            cpus,
            rings,
            clocks: Vec::new(),
            rate_hz,
            with_kernel: true,
        })
    }

    /// Clocks on all threads of a process. What these make from here on has them too.
    ///
    /// # Errors
    /// When the kernel refuses, with the least that would do.
    pub(super) fn add(&mut self, pid: i32, from_exec: bool) -> Result<()> {
        let mut known = HashSet::new();
        for _ in 0..LISTINGS_MAX {
            let new: Vec<i32> = threads(pid)
                .into_iter()
                .filter(|t| known.insert(*t))
                .collect();
            if new.is_empty() {
                break;
            }
            for tid in new {
                self.add_thread(pid, tid, from_exec)?;
            }
        }
        Ok(())
    }

    fn add_thread(&mut self, pid: i32, tid: i32, from_exec: bool) -> Result<()> {
        for at in 0..self.cpus.len() {
            let clock = match self.open(tid, self.cpus[at], from_exec) {
                // perf_event_paranoid 2: the user's part only (perf_event_open(2)).
                Err(e) if is_refusal(&e) && self.with_kernel && self.clocks.is_empty() => {
                    self.with_kernel = false;
                    self.open(tid, self.cpus[at], from_exec)
                }
                opened => opened,
            };
            let clock = match clock {
                // It has ended meanwhile.
                Err(e) if e.raw_os_error() == Some(libc::ESRCH) => return Ok(()),
                Err(e) => return Err(refused(pid, e)),
                Ok(clock) => clock,
            };
            // SAFETY: both are open perf events; SET_OUTPUT takes a descriptor by value.
            let done = unsafe {
                sys::ioctls::SET_OUTPUT(clock.as_raw_fd(), self.rings[at].as_raw_fd() as _)
            };
            if done < 0 {
                let source = std::io::Error::last_os_error();
                return Err(Error::io("joining a perf event with its ring")(source));
            }
            if !from_exec {
                enable(&clock)?;
            }
            self.clocks.push(clock);
        }
        Ok(())
    }

    fn open(&self, tid: i32, cpu: i32, from_exec: bool) -> std::io::Result<OwnedFd> {
        let mut attr = software(u64::from(PERF_COUNT_SW_CPU_CLOCK));
        attr.__bindgen_anon_1.sample_period = 1_000_000_000 / u64::from(self.rate_hz);
        let mut parts = PERF_SAMPLE_TID
            | PERF_SAMPLE_TIME
            | PERF_SAMPLE_CPU
            | PERF_SAMPLE_REGS_USER
            | PERF_SAMPLE_STACK_USER;
        if self.with_kernel {
            parts |= PERF_SAMPLE_CALLCHAIN;
        }
        attr.sample_type = u64::from(parts);
        attr.sample_regs_user = REGISTERS;
        attr.sample_stack_user = STACK_BYTES;
        attr.set_exclude_callchain_user(1);
        attr.set_exclude_kernel(u64::from(!self.with_kernel));
        attr.set_exclude_hv(1);
        attr.set_disabled(1);
        attr.set_enable_on_exec(u64::from(from_exec));
        attr.set_inherit(1);
        attr.set_mmap(1);
        attr.set_mmap2(1);
        attr.set_comm(1);
        attr.set_comm_exec(1);
        attr.set_task(1);
        attr.set_sample_id_all(1);
        attr.set_use_clockid(1);
        attr.clockid = libc::CLOCK_MONOTONIC;
        open(&mut attr, tid, cpu)
    }

    /// Takes all records that are there.
    pub(super) fn drain(&mut self, mut each: impl FnMut(&[u8])) {
        for ring in &mut self.rings {
            ring.drain(&mut each);
        }
    }

    /// Stops the clocks.
    pub(super) fn stop(&self) {
        self.clocks.iter().for_each(disable);
    }

    /// Bytes of the rings.
    pub(super) fn bytes(&self) -> usize {
        self.rings.iter().map(Ring::bytes).sum()
    }
}

/// An event of our own that counts nothing: it only holds a ring.
fn holder(cpu: i32) -> Result<OwnedFd> {
    let mut attr = software(u64::from(PERF_COUNT_SW_DUMMY));
    attr.set_exclude_kernel(1);
    attr.set_exclude_hv(1);
    attr.set_use_clockid(1);
    attr.clockid = libc::CLOCK_MONOTONIC;
    open(&mut attr, 0, cpu).map_err(|source| refused(std::process::id() as i32, source))
}

fn open(attr: &mut perf_event_attr, tid: i32, cpu: i32) -> std::io::Result<OwnedFd> {
    // SAFETY: `attr` is a valid attribute structure of the size it names.
    let fd =
        unsafe { sys::perf_event_open(attr, tid, cpu, -1, u64::from(PERF_FLAG_FD_CLOEXEC) as _) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn is_refusal(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EACCES | libc::EPERM))
}

fn refused(pid: i32, source: std::io::Error) -> Error {
    match source.raw_os_error() {
        Some(libc::EMFILE) => Error::TooManyThreads { pid },
        _ => Error::Perf {
            paranoid: paranoid(),
            source,
        },
    }
}

fn threads(pid: i32) -> Vec<i32> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/task"));
    let entries = entries.into_iter().flatten().flatten();
    entries
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .collect()
}
