//! What the running kernel lets us do, found by doing it: tiny programs and maps are loaded and
//! dropped again, and at last seam's own. Versions are not asked: distributions move features.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libbpf_rs::libbpf_sys as sys;
use libbpf_rs::{MapHandle, MapType};

use super::{Check, State};
use crate::bpf::{BPF_F_INNER_MAP, Kernel};
use crate::form::HELPERS;
use crate::{Error, perf, system};

/// Bytes of ring buffer for the trial: the smallest power of two that is a page.
const RING_BYTES: u32 = 1 << 16;
/// BPF instructions: `r0 = 0`, `exit`.
const RETURN_ZERO: [u8; 2] = [0xb7, 0x95];

/// All checks of features.
pub(super) fn checks() -> Vec<Check> {
    libbpf_rs::set_print(None);
    let mut checks = vec![perf_events()];
    if let Err(e) = load(sys::BPF_PROG_TYPE_RAW_TRACEPOINT) {
        checks.push(no_bpf(&e));
        return checks;
    }
    checks.push(Check::ok("bpf", "programs can be loaded"));
    checks.extend(helpers());
    checks.push(ring_buffer());
    checks.push(tables());
    checks.extend(tracepoints());
    checks.push(run_times());
    checks.push(own_programs());
    checks
}

/// A clock on one CPU, with a program at its overflows.
fn perf_events() -> Check {
    let name = "perf events";
    let cpu = perf::online_cpus().ok().and_then(|c| c.first().copied());
    let clock = match perf::clock(cpu.unwrap_or(0), 99) {
        Ok(clock) => clock,
        Err(e) => {
            return Check::bad(
                name,
                State::Missing,
                plain(&e),
                "no sample can be taken",
                "CAP_PERFMON, see capabilities",
            );
        }
    };
    let Ok(program) = load(sys::BPF_PROG_TYPE_PERF_EVENT) else {
        return Check::ok(name, "the CPU clock opens");
    };
    // SAFETY: both descriptors are open; SET_BPF takes the program's number.
    let done = unsafe {
        perf_event_open_sys::ioctls::SET_BPF(clock.as_raw_fd(), program.as_raw_fd() as u32)
    };
    if done < 0 {
        let error = io::Error::last_os_error();
        return Check::bad(
            name,
            State::Missing,
            format!("no program can be attached to the CPU clock: {error}"),
            "no sample can be taken",
            "use a kernel built with CONFIG_BPF_EVENTS",
        );
    }
    Check::ok(name, "the CPU clock opens and runs a program")
}

fn no_bpf(error: &io::Error) -> Check {
    let name = "bpf";
    let denied = matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES));
    if denied {
        let meaning = "no stack is walked in the kernel; what it offers was not tried";
        return Check::bad(
            name,
            State::Untried,
            format!("refused: {error}"),
            meaning,
            "CAP_BPF and CAP_PERFMON, see capabilities",
        );
    }
    Check::bad(
        name,
        State::Missing,
        error.to_string(),
        "no stack can be walked in the kernel",
        "use a kernel built with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS",
    )
}

/// Helper functions that seam's programs call. Older kernels have a form of the programs without.
fn helpers() -> Vec<Check> {
    HELPERS
        .iter()
        .map(|helper| match helper.probe() {
            0 => Check::ok(helper.name, format!("not there: {}", helper.instead)),
            found => present(helper.name, found),
        })
        .collect()
}

fn ring_buffer() -> Check {
    // SAFETY: no options are given.
    let found =
        unsafe { sys::libbpf_probe_bpf_map_type(sys::BPF_MAP_TYPE_RINGBUF, std::ptr::null()) };
    present("ring buffer", found)
}

/// libbpf's answer: 1 = there, 0 = not there, negative = an error.
fn present(name: &str, found: i32) -> Check {
    if found == 1 {
        return Check::ok(name, "there");
    }
    let found = match found {
        0 => "not there".to_owned(),
        error => io::Error::from_raw_os_error(-error).to_string(),
    };
    let meaning = "seam's programs can't be loaded";
    Check::bad(
        name,
        State::Missing,
        found,
        meaning,
        "use Linux 5.10 or newer",
    )
}

/// An array of arrays of different lengths: unwind tables.
fn tables() -> Check {
    let name = "array of maps";
    let options = |inner: Option<&MapHandle>| sys::bpf_map_create_opts {
        sz: size_of::<sys::bpf_map_create_opts>() as _,
        map_flags: if inner.is_none() { BPF_F_INNER_MAP } else { 0 },
        inner_map_fd: inner.map_or(0, |map| std::os::fd::AsFd::as_fd(map).as_raw_fd() as u32),
        ..Default::default()
    };
    let made = MapHandle::create(MapType::Array, Some("seam_try"), 4, 8, 1, &options(None))
        .and_then(|inner| {
            let outer = options(Some(&inner));
            MapHandle::create(MapType::ArrayOfMaps, Some("seam_try"), 4, 4, 1, &outer)
        });
    match made {
        Ok(_) => Check::ok(name, "there, for inner maps of different lengths"),
        Err(e) => Check::bad(
            name,
            State::Missing,
            format!("{e:#}"),
            "unwind tables have no place",
            "use Linux 5.10 or newer",
        ),
    }
}

/// Tracepoints by which processes are followed.
fn tracepoints() -> Vec<Check> {
    let needed = "programs that are executed or forked can't be followed";
    let wanted = "code that is mapped while recording has its table some milliseconds later";
    let newer = "use Linux 6.1 or newer";
    [
        (
            "sched_process_exec",
            State::Missing,
            needed,
            "use a kernel built with CONFIG_TRACEPOINTS",
        ),
        (
            "sched_process_fork",
            State::Missing,
            needed,
            "use a kernel built with CONFIG_TRACEPOINTS",
        ),
        ("ma_write", State::Degraded, wanted, newer),
    ]
    .map(|(name, state, meaning, fix)| match attach(name) {
        Ok(()) => Check::ok(name, "the tracepoint can be attached"),
        Err(e) => Check::bad(name, state, e.to_string(), meaning, fix),
    })
    .to_vec()
}

fn run_times() -> Check {
    let name = "run times";
    if system::enable_stats().is_some() {
        return Check::ok(name, "counted while recording");
    }
    Check::bad(
        name,
        State::Degraded,
        "not counted",
        "the time for each sample is not known",
        "needs CAP_SYS_ADMIN: run seam with sudo",
    )
}

/// What decides in the end.
fn own_programs() -> Check {
    let name = "seam's programs";
    let tried = Kernel::load(RING_BYTES, None).and_then(|mut kernel| {
        kernel.attach_tracepoints()?;
        Ok(kernel.form())
    });
    match tried {
        Ok(form) => {
            let found = format!("loaded and attached, walk by {}", form.word());
            Check::ok(name, found)
        }
        Err(e) => Check::bad(
            name,
            State::Missing,
            plain(&e),
            "nothing can be recorded",
            "seam record -v prints what the kernel's verifier said; please report it",
        ),
    }
}

/// Loads a program that does nothing.
fn load(kind: sys::bpf_prog_type) -> io::Result<OwnedFd> {
    let code = RETURN_ZERO.map(|code| sys::bpf_insn {
        code,
        ..Default::default()
    });
    // SAFETY: the instructions and the strings outlive the call; no options are given.
    let fd = unsafe {
        sys::bpf_prog_load(
            kind,
            c"seam_try".as_ptr(),
            c"GPL".as_ptr(),
            code.as_ptr(),
            code.len() as _,
            std::ptr::null_mut(),
        )
    };
    owned(fd)
}

fn attach(tracepoint: &str) -> io::Result<()> {
    let program = load(sys::BPF_PROG_TYPE_RAW_TRACEPOINT)?;
    let name = CString::new(tracepoint)?;
    // SAFETY: the name outlives the call, and the program is open.
    let fd = unsafe { sys::bpf_raw_tracepoint_open(name.as_ptr(), program.as_raw_fd()) };
    owned(fd).map(drop)
}

fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        // libbpf 1.0 and newer gives the error as the negative result, too.
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: a non-negative result is a descriptor that is ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn plain(error: &Error) -> String {
    error.to_string().replace('\n', " ")
}
