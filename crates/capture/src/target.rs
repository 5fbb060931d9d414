//! What can be recorded: checking and finding processes, and our own privileges.

use std::collections::HashMap;
use std::io::Read;

use seam_memory::{proc_path, reached_by};

use crate::{Error, Result};

/// Linux `PF_KTHREAD` in field 9 of `/proc/PID/stat`.
const PF_KTHREAD: u64 = 0x0020_0000;

/// A process that can be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Process id.
    pub pid: i32,
    /// The executable's file name, else the kernel's short name.
    pub name: String,
    /// The command line, arguments joined by spaces.
    pub command_line: String,
}

/// Checks that a process exists and has what a recording needs.
///
/// # Errors
/// One error for each kind of process that can't be recorded.
pub fn check_target(pid: i32) -> Result<Target> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let stat = stat.map_err(|_| match std::fs::exists("/proc/self/stat") {
        Ok(true) => Error::NoProcess(pid),
        _ => Error::NoProc,
    })?;
    let leader = thread_group(pid).unwrap_or(pid);
    if leader != pid {
        return Err(Error::NotLeader {
            tid: pid,
            pid: leader,
        });
    }
    // The name in parentheses may hold anything; the fields after the last one are plain.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    // The main thread alone may have ended.
    if matches!(fields.first(), Some(&("Z" | "X"))) && reached_by(pid) == pid {
        return Err(Error::Zombie(pid));
    }
    let flags: u64 = fields.get(6).and_then(|f| f.parse().ok()).unwrap_or(0);
    if flags & PF_KTHREAD != 0 {
        return Err(Error::KernelThread(pid));
    }
    let mut ident = [0; 5];
    std::fs::File::open(proc_path(pid, "exe"))
        .and_then(|mut exe| exe.read_exact(&mut ident))
        .map_err(|source| Error::Inspect { pid, source })?;
    if ident[4] == 1 {
        return Err(Error::ThirtyTwoBit(pid));
    }
    std::fs::read(proc_path(pid, "maps")).map_err(|source| Error::Inspect { pid, source })?;
    Ok(describe(pid))
}

/// The process that a thread belongs to.
fn thread_group(tid: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    status
        .lines()
        .find_map(|l| l.strip_prefix("Tgid:"))?
        .trim()
        .parse()
        .ok()
}

/// Names a process.
pub(crate) fn describe(pid: i32) -> Target {
    let exe = std::fs::read_link(proc_path(pid, "exe")).ok();
    let name = exe
        .as_ref()
        .and_then(|path| path.file_name())
        .map(|name| {
            name.to_string_lossy()
                .trim_end_matches(" (deleted)")
                .to_owned()
        })
        .or_else(|| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok())
        .map_or_else(|| UNKNOWN.to_owned(), |name| name.trim().to_owned());
    let command_line = std::fs::read(proc_path(pid, "cmdline")).unwrap_or_default();
    let command_line = String::from_utf8_lossy(&command_line).replace('\0', " ");
    Target {
        pid,
        name,
        command_line: command_line.trim_end().to_owned(),
    }
}

/// Names a process that may have ended already: then by what else is known of it.
pub(crate) fn describe_or(pid: i32, name: &str) -> Target {
    let mut target = describe(pid);
    if target.name == UNKNOWN {
        target.name = name.to_owned();
    }
    target
}

/// The name of a process of which none is known.
const UNKNOWN: &str = "?";

/// All processes whose name or command line matches; seam itself and its parents never do.
///
/// # Errors
/// When none matches (`pattern` is only for the message).
pub fn find_by_name(pattern: &str, matches: impl Fn(&str) -> bool) -> Result<Vec<i32>> {
    let own = ancestors();
    let entries = std::fs::read_dir("/proc").map_err(Error::io("reading /proc"))?;
    let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let mut found: Vec<i32> = pids
        .filter(|pid| !own.contains(pid))
        .filter(|pid| {
            let target = describe(*pid);
            matches(&target.name) || matches(&target.command_line)
        })
        .filter(|pid| check_target(*pid).is_ok())
        .collect();
    found.sort_unstable();
    if found.is_empty() {
        Err(Error::NoMatch(pattern.to_owned()))
    } else {
        Ok(found)
    }
}

/// This process, its parent (sudo, a shell) and so on up.
fn ancestors() -> Vec<i32> {
    let mut pids = vec![std::process::id() as i32];
    while let Some(parent) = pids.last().and_then(|pid| parent(*pid)).filter(|p| *p > 1) {
        if pids.contains(&parent) {
            break;
        }
        pids.push(parent);
    }
    pids
}

fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// The capabilities of those a recording needs that this process does not have.
pub(crate) fn missing_capabilities() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|l| l.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    // Numbers from include/uapi/linux/capability.h.
    let needed = [(38, "CAP_PERFMON"), (39, "CAP_BPF"), (19, "CAP_SYS_PTRACE")];
    let admin = effective & (1 << 21) != 0;
    needed
        .into_iter()
        .filter(|(bit, name)| effective & (1 << bit) == 0 && !(admin && *name != "CAP_SYS_PTRACE"))
        .map(|(_, name)| name)
        .collect()
}

/// CPU time that a process has used, all threads, ended ones included. Nanoseconds.
pub(crate) fn cpu_time_ns(pid: i32) -> Option<u64> {
    // CPUCLOCK_SCHED of a process: include/linux/posix-timers.h, make_process_cpuclock.
    let clock = (!pid << 3) | 2;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec; a clock of a process that is gone is an error.
    let done = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (done == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// CPU time of a process inside the kernel. Nanoseconds, in the steps of the kernel's accounting.
pub(crate) fn kernel_time_ns(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc_pid_stat(5): stime is the 15th field, in USER_HZ, which is 100 on x86-64.
    let ticks = stat.rsplit_once(')')?.1.split_whitespace().nth(12)?;
    ticks.parse::<u64>().ok()?.checked_mul(10_000_000)
}

/// CPU time of every process of the machine so far.
pub(crate) fn cpu_times() -> HashMap<i32, u64> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((pid, cpu_time_ns(pid)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_recorded() {
        let target = check_target(std::process::id() as i32).expect("it runs");
        assert!(!target.name.is_empty());
        assert!(cpu_time_ns(target.pid).expect("a clock") > 0);
    }

    #[test]
    fn what_can_not_be_recorded() {
        assert!(matches!(check_target(i32::MAX), Err(Error::NoProcess(_))));
        assert!(matches!(
            check_target(2),
            Err(Error::KernelThread(2) | Error::NoProcess(2))
        ));
    }
}
