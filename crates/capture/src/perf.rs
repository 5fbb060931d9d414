//! Opening perf events: the sampling clock and the stream of side-band records.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use perf_event_open_sys as sys;
use sys::bindings::{
    PERF_COUNT_SW_CPU_CLOCK, PERF_COUNT_SW_DUMMY, PERF_FLAG_FD_CLOEXEC, PERF_SAMPLE_TIME,
    PERF_TYPE_SOFTWARE, perf_event_attr,
};

use crate::{Error, Result};

/// The online CPUs' numbers.
pub(crate) fn online_cpus() -> Result<Vec<i32>> {
    let path = "/sys/devices/system/cpu/online";
    let text = std::fs::read_to_string(path).map_err(Error::io(format!("reading {path}")))?;
    Ok(parse_cpus(&text))
}

/// `0-3,7` as numbers.
fn parse_cpus(text: &str) -> Vec<i32> {
    let ranges = text.trim().split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<i32>().ok()?..=last.parse::<i32>().ok()?)
    });
    ranges.flatten().collect()
}

/// A clock that runs its BPF program `rate_hz` times a second on one CPU.
pub(crate) fn clock(cpu: i32, rate_hz: u32) -> Result<OwnedFd> {
    let mut attr = software(u64::from(PERF_COUNT_SW_CPU_CLOCK));
    attr.__bindgen_anon_1.sample_period = 1_000_000_000 / u64::from(rate_hz);
    attr.set_disabled(1);
    open(&mut attr, cpu)
}

/// mmap, comm, exec, fork and exit records of every process on one CPU.
pub(crate) fn sideband(cpu: i32) -> Result<OwnedFd> {
    let mut attr = software(u64::from(PERF_COUNT_SW_DUMMY));
    attr.set_mmap(1);
    attr.set_mmap2(1);
    attr.set_comm(1);
    attr.set_comm_exec(1);
    attr.set_task(1);
    attr.set_sample_id_all(1);
    attr.sample_type = u64::from(PERF_SAMPLE_TIME);
    attr.set_use_clockid(1);
    attr.clockid = libc::CLOCK_MONOTONIC;
    // Wake the reader for every record: a new mapping's tables are wanted at once. Without a
    // watermark only samples would wake it (perf_output_begin, Linux 5.10 to 6.18).
    attr.set_watermark(1);
    attr.__bindgen_anon_2.wakeup_watermark = 1;
    open(&mut attr, cpu)
}

/// Starts a disabled event.
pub(crate) fn enable(event: &OwnedFd) -> Result<()> {
    // SAFETY: the descriptor is an open perf event; ENABLE takes no pointer.
    let done = unsafe { sys::ioctls::ENABLE(event.as_raw_fd(), 0) };
    if done < 0 {
        return Err(Error::io("starting a perf event")(
            std::io::Error::last_os_error(),
        ));
    }
    Ok(())
}

/// Stops an event. Closing its descriptor would not: a BPF link holds the event too.
pub(crate) fn disable(event: &OwnedFd) {
    // SAFETY: as in `enable`. An event of ours can always be stopped.
    unsafe { sys::ioctls::DISABLE(event.as_raw_fd(), 0) };
}

/// The value of `perf_event_paranoid`, for messages.
pub(crate) fn paranoid() -> String {
    std::fs::read_to_string("/proc/sys/kernel/perf_event_paranoid")
        .map_or_else(|_| "unknown".to_owned(), |s| s.trim().to_owned())
}

pub(crate) fn software(config: u64) -> perf_event_attr {
    perf_event_attr {
        type_: PERF_TYPE_SOFTWARE,
        size: size_of::<perf_event_attr>() as u32,
        config,
        ..perf_event_attr::default()
    }
}

fn open(attr: &mut perf_event_attr, cpu: i32) -> Result<OwnedFd> {
    // SAFETY: `attr` is a valid attribute structure of the size it names.
    let fd =
        unsafe { sys::perf_event_open(attr, -1, cpu, -1, u64::from(PERF_FLAG_FD_CLOEXEC) as _) };
    if fd < 0 {
        let source = std::io::Error::last_os_error();
        return Err(Error::Perf {
            paranoid: paranoid(),
            source,
        });
    }
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        assert_eq!(parse_cpus("0-3,7\n"), [0, 1, 2, 3, 7]);
        assert_eq!(parse_cpus("0"), [0]);
        assert_eq!(parse_cpus(""), [] as [i32; 0]);
    }
}
