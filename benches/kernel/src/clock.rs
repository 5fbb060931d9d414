//! The sampling clock: the kind that seam uses, with our own period.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use anyhow::{Result, ensure};
use perf_event_open_sys as sys;
use sys::bindings::{
    PERF_COUNT_SW_CPU_CLOCK, PERF_FLAG_FD_CLOEXEC, PERF_TYPE_SOFTWARE, perf_event_attr,
};

/// A clock on each online CPU, not yet running. `shift_ns` makes its period a little longer than
/// the rate says, so that clocks of the same rate drift through every distance from each other.
pub(crate) fn on_each_cpu(rate: u32, shift_ns: u64) -> Result<Vec<OwnedFd>> {
    let cpus = std::thread::available_parallelism()?.get();
    (0..cpus as i32)
        .map(|cpu| open(cpu, 1_000_000_000 / u64::from(rate) + shift_ns))
        .collect()
}

fn open(cpu: i32, period_ns: u64) -> Result<OwnedFd> {
    let mut attr = perf_event_attr {
        type_: PERF_TYPE_SOFTWARE,
        size: size_of::<perf_event_attr>() as u32,
        config: u64::from(PERF_COUNT_SW_CPU_CLOCK),
        ..perf_event_attr::default()
    };
    attr.__bindgen_anon_1.sample_period = period_ns;
    attr.set_disabled(1);
    let flags = u64::from(PERF_FLAG_FD_CLOEXEC);
    // SAFETY: `attr` is a valid attribute structure of the size it names.
    let fd = unsafe { sys::perf_event_open(&raw mut attr, -1, cpu, -1, flags as _) };
    ensure!(
        fd >= 0,
        "perf_event_open: {}",
        std::io::Error::last_os_error()
    );
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Starts clocks.
pub(crate) fn start(clocks: &[OwnedFd]) -> Result<()> {
    for clock in clocks {
        // SAFETY: the descriptor is an open perf event; ENABLE takes no pointer.
        let done = unsafe { sys::ioctls::ENABLE(clock.as_raw_fd(), 0) };
        ensure!(done >= 0, "{}", std::io::Error::last_os_error());
    }
    Ok(())
}

/// Asks the kernel to count the run time of BPF programs while the descriptor is open.
pub(crate) fn statistics() -> Result<OwnedFd> {
    // SAFETY: a plain system call; BPF_STATS_RUN_TIME is 0.
    let fd = unsafe { libbpf_rs::libbpf_sys::bpf_enable_stats(0) };
    ensure!(fd >= 0, "the kernel does not count run times");
    // SAFETY: a non-negative result is a descriptor that is ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
