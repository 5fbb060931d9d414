//! What `/proc` says of a process's threads at one moment.

use seam_memory::proc_path;
use seam_wire::Arch;

use crate::{Error, Result};

/// `sysconf(_SC_CLK_TCK)` has been 100 on Linux for user space always:
/// include/uapi/asm-generic/param.h.
const TICK_NS: u64 = 10_000_000;

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadFacts {
    /// Its id, as seam sees it.
    pub tid: i32,
    /// Its id in the innermost PID namespace that it is in, by which its own runtime knows it.
    pub own_tid: u64,
    /// Its name.
    pub name: String,
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I`: proc(5).
    pub state: char,
    /// How often it was switched to and from, if the kernel tells: it has not run where that is
    /// unchanged.
    pub switches: Option<u64>,
    /// CPU time so far.
    pub cpu_ns: u64,
    /// The system call in which it waits.
    pub syscall: Option<BlockedIn>,
    /// The kernel's function in which it waits, empty where the kernel does not tell.
    pub wchan: String,
}

/// A system call in which a thread waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockedIn {
    /// Its number; -1 outside of any, after an exception for example.
    pub number: i64,
    /// Its arguments.
    pub arguments: [u64; 6],
    /// The stack pointer.
    pub sp: u64,
    /// The program counter.
    pub pc: u64,
    /// The file behind the first argument, if that is a descriptor.
    pub file: Option<String>,
}

/// System calls whose first argument is a descriptor: read, write, ioctl, pread64 and so on, by
/// which threads wait (arch/x86/entry/syscalls/syscall_64.tbl).
const ON_DESCRIPTORS: [i64; 22] = [
    0, 1, 16, 17, 18, 19, 20, 42, 43, 44, 45, 46, 47, 72, 73, 74, 75, 232, 281, 288, 299, 307,
];

/// The same of arm64 (include/uapi/asm-generic/unistd.h).
const ON_DESCRIPTORS_ARM64: [i64; 21] = [
    22, 25, 29, 32, 63, 64, 65, 66, 67, 68, 82, 83, 202, 203, 206, 207, 211, 212, 242, 243, 269,
];

/// Reads all threads that live: those that end meanwhile are left out, and a main thread that has
/// ended before the others.
///
/// # Errors
/// When the process is gone or may not be looked at.
pub fn thread_facts(pid: i32) -> Result<Vec<ThreadFacts>> {
    let folder = format!("/proc/{pid}/task");
    let inspect = |source| Error::Inspect { pid, source };
    let entries = std::fs::read_dir(&folder).map_err(inspect)?;
    let tids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let mut threads: Vec<ThreadFacts> = tids.filter_map(|tid| thread(pid, tid)).collect();
    threads.sort_by_key(|thread| thread.tid);
    Ok(threads)
}

fn thread(pid: i32, tid: i32) -> Option<ThreadFacts> {
    let read = |name: &str| std::fs::read(format!("/proc/{pid}/task/{tid}/{name}"));
    let text = |name: &str| Some(String::from_utf8_lossy(&read(name).ok()?).into_owned());
    let (name, state, cpu_ns) = stat(&text("stat")?)?;
    if matches!(state, 'Z' | 'X') {
        return None;
    }
    // Before what must not change while it is unchanged.
    let status = text("status").unwrap_or_default();
    let syscall = text("syscall").and_then(|line| blocked_in(&line));
    let syscall = syscall.map(|syscall| BlockedIn {
        file: file(pid, &syscall),
        ..syscall
    });
    let own_tid = innermost_id(&status);
    Some(ThreadFacts {
        tid,
        own_tid: own_tid.unwrap_or(tid as u64),
        name,
        state,
        switches: switches(&status),
        cpu_ns,
        syscall,
        wchan: text("wchan").filter(|w| w != "0").unwrap_or_default(),
    })
}

/// Name, state and CPU time of a stat line. The name may hold anything.
fn stat(line: &str) -> Option<(String, char, u64)> {
    let (before, after) = line.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok());
    let state = fields.first()?.chars().next()?;
    let ticks = ticks(11)?.saturating_add(ticks(12)?);
    Some((name, state, ticks.saturating_mul(TICK_NS)))
}

/// `NSpid:` has the ids in all namespaces, from seam's to the innermost.
fn innermost_id(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("NSpid:"))?;
    line.split_whitespace().last()?.parse().ok()
}

/// Voluntary and other switches together.
fn switches(status: &str) -> Option<u64> {
    let number = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    number("voluntary_ctxt_switches:")?.checked_add(number("nonvoluntary_ctxt_switches:")?)
}

/// `NUMBER ARG…×6 SP PC`, `-1 SP PC` or `running` (fs/proc/base.c, proc_pid_syscall).
fn blocked_in(line: &str) -> Option<BlockedIn> {
    let mut words = line.split_whitespace();
    let number: i64 = words.next()?.parse().ok()?;
    let mut hex = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let mut arguments = [0; 6];
    if number >= 0 {
        for argument in &mut arguments {
            *argument = hex()?;
        }
    }
    let (sp, pc) = (hex()?, hex()?);
    // A thread of the kernel in a process (io_uring's) has never been in user mode: the call is its
    // maker's.
    let own = sp != 0 || pc != 0;
    Some(BlockedIn {
        number: if own { number } else { -1 },
        arguments: if own { arguments } else { [0; 6] },
        sp,
        pc,
        file: None,
    })
}

fn file(pid: i32, syscall: &BlockedIn) -> Option<String> {
    let numbers = match Arch::HOST {
        Arch::X86_64 => &ON_DESCRIPTORS[..],
        Arch::Arm64 => &ON_DESCRIPTORS_ARM64,
    };
    if !numbers.contains(&syscall.number) {
        return None;
    }
    let path = proc_path(pid, &format!("fd/{}", syscall.arguments[0] as i32));
    let target = std::fs::read_link(path).ok()?;
    Some(target.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc() {
        let line = "7 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0";
        assert_eq!(stat(line), Some(("a (b) c".to_owned(), 'S', 3_000_000_000)));
        assert_eq!(stat("7 (a"), None);
        let status = "voluntary_ctxt_switches:\t4\nnonvoluntary_ctxt_switches:\t3\n";
        assert_eq!(switches(status), Some(7));
        assert_eq!(switches("voluntary_ctxt_switches:\t4\n"), None);
        assert_eq!(innermost_id("Pid:\t7\nNSpid:\t7\t1\n"), Some(1));
        let worker = blocked_in("426 0x3 0x1 0x1 0x1 0x0 0x8 0x0 0x0").expect("it is one");
        assert_eq!((worker.number, worker.arguments[0]), (-1, 0));
        let futex = "202 0x5a 0x80 0x0 0x0 0x0 0x0 0x7ffc10 0x45abc3";
        let read = blocked_in(futex).expect("it is one");
        assert_eq!(
            (read.number, read.arguments[..2].to_vec()),
            (202, vec![0x5a, 0x80])
        );
        assert_eq!((read.sp, read.pc), (0x7ffc10, 0x45abc3));
        assert_eq!(
            blocked_in("-1 0x10 0x20").map(|b| (b.sp, b.pc)),
            Some((16, 32))
        );
        for nothing in ["running", "", "202 0x1", "-1", "x 0x1 0x2"] {
            assert_eq!(blocked_in(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn this_process_has_this_thread() {
        let threads = thread_facts(std::process::id() as i32).expect("it runs");
        assert!(
            threads
                .iter()
                .any(|t| t.state == 'R' && t.own_tid == t.tid as u64)
        );
    }
}
