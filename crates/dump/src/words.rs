//! Numbers and names as people read them.

use seam_wire::Arch;

/// The system calls in which threads of servers wait, x86-64
/// (arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.18).
const SYSCALLS: [(i64, &str); 44] = [
    (0, "read"),
    (1, "write"),
    (7, "poll"),
    (16, "ioctl"),
    (17, "pread64"),
    (18, "pwrite64"),
    (19, "readv"),
    (20, "writev"),
    (23, "select"),
    (34, "pause"),
    (35, "nanosleep"),
    (42, "connect"),
    (43, "accept"),
    (44, "sendto"),
    (45, "recvfrom"),
    (46, "sendmsg"),
    (47, "recvmsg"),
    (56, "clone"),
    (57, "fork"),
    (58, "vfork"),
    (59, "execve"),
    (61, "wait4"),
    (72, "fcntl"),
    (73, "flock"),
    (74, "fsync"),
    (75, "fdatasync"),
    (127, "rt_sigpending"),
    (128, "rt_sigtimedwait"),
    (130, "rt_sigsuspend"),
    (202, "futex"),
    (208, "io_getevents"),
    (219, "restart_syscall"),
    (230, "clock_nanosleep"),
    (232, "epoll_wait"),
    (247, "waitid"),
    (270, "pselect6"),
    (271, "ppoll"),
    (281, "epoll_pwait"),
    (288, "accept4"),
    (299, "recvmmsg"),
    (307, "sendmmsg"),
    (426, "io_uring_enter"),
    (435, "clone3"),
    (441, "epoll_pwait2"),
];

/// The same of arm64 (include/uapi/asm-generic/unistd.h, Linux 6.18).
const SYSCALLS_ARM64: [(i64, &str); 39] = [
    (4, "io_getevents"),
    (22, "epoll_pwait"),
    (25, "fcntl"),
    (29, "ioctl"),
    (32, "flock"),
    (63, "read"),
    (64, "write"),
    (65, "readv"),
    (66, "writev"),
    (67, "pread64"),
    (68, "pwrite64"),
    (72, "pselect6"),
    (73, "ppoll"),
    (82, "fsync"),
    (83, "fdatasync"),
    (95, "waitid"),
    (98, "futex"),
    (101, "nanosleep"),
    (115, "clock_nanosleep"),
    (128, "restart_syscall"),
    (133, "rt_sigsuspend"),
    (136, "rt_sigpending"),
    (137, "rt_sigtimedwait"),
    (202, "accept"),
    (203, "connect"),
    (206, "sendto"),
    (207, "recvfrom"),
    (211, "sendmsg"),
    (212, "recvmsg"),
    (220, "clone"),
    (221, "execve"),
    (242, "accept4"),
    (243, "recvmmsg"),
    (260, "wait4"),
    (269, "sendmmsg"),
    (281, "execveat"),
    (426, "io_uring_enter"),
    (435, "clone3"),
    (441, "epoll_pwait2"),
];

/// The name of a system call of this machine, if it is one in which threads wait.
#[must_use]
pub fn syscall_name(number: i64) -> Option<&'static str> {
    syscall_of(Arch::HOST, number)
}

fn syscall_of(arch: Arch, number: i64) -> Option<&'static str> {
    let table = match arch {
        Arch::X86_64 => &SYSCALLS[..],
        Arch::Arm64 => &SYSCALLS_ARM64,
    };
    let found = table.iter().find(|(known, _)| *known == number);
    found.map(|(_, name)| *name)
}

/// A time as `31m`, `11m02s`, `4.2s`, `120ms`.
#[must_use]
pub fn age(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match seconds {
        0 => format!("{}ms", ns / 1_000_000),
        1..=9 => format!("{}.{}s", seconds, ns / 100_000_000 % 10),
        10..=59 => format!("{seconds}s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 thread`, `2,000 threads`.
#[must_use]
pub fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(number))
}

/// A function without its package's path: `http.(*Server).Serve`.
#[must_use]
pub fn short(function: &str) -> &str {
    // A path may also stand between brackets of a generic type.
    let end = function.find(['[', '(']).unwrap_or(function.len());
    function[..end]
        .rfind('/')
        .map_or(function, |slash| &function[slash + 1..])
}

/// A generic Go function's name as the runtime prints it: `f[...]` (`funcNameForPrint`,
/// runtime/traceback.go, Go 1.21 to 1.27). Other names keep their brackets: `[libx.so+0x42]`,
/// `A::operator[](int)`.
#[must_use]
pub fn without_types(function: &str) -> String {
    // Those of Go begin with their package.
    let is_go = |name: &str| name.contains('.') && !name.contains("::");
    match (function.find('['), function.rfind(']')) {
        (Some(open), Some(close)) if open < close && is_go(&function[..open]) => {
            format!("{}...{}", &function[..=open], &function[close..])
        }
        _ => function.to_owned(),
    }
}

/// A file without its folder.
#[must_use]
pub fn file_name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// Text as one line without control characters: names come from the target.
#[must_use]
pub fn clean(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let all = [
            (5_000_000, "5ms"),
            (4_250_000_000, "4.2s"),
            (59_000_000_000, "59s"),
            (662_000_000_000, "11m02s"),
            (7_260_000_000_000, "2h01m"),
            (180_000_000_000_000, "2d02h"),
        ];
        for (ns, shown) in all {
            assert_eq!(age(ns), shown);
        }
    }

    #[test]
    fn names() {
        assert_eq!(syscall_of(Arch::Arm64, 98), Some("futex"));
        assert_eq!(short("net/http.(*conn).serve"), "http.(*conn).serve");
        assert_eq!(short("a.f[b/c.T]"), "a.f[b/c.T]");
        assert_eq!(short("example.com/x.(*T[y/z.U]).m"), "x.(*T[y/z.U]).m");
        assert_eq!(short("pause"), "pause");
        assert_eq!(without_types("m.(*B[go.shape.[]int]).w"), "m.(*B[...]).w");
        assert_eq!(without_types("main.f]["), "main.f][");
        for other in ["[libx.so+0x42]", "A::operator[](int)", "f<char[2]>"] {
            assert_eq!(without_types(other), other);
        }
        assert_eq!(file_name("/a/b.go"), "b.go");
        assert_eq!(clean("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(syscall_of(Arch::X86_64, 202), Some("futex"));
        assert_eq!(syscall_of(Arch::X86_64, -1), None);
        assert!(SYSCALLS.is_sorted_by_key(|(number, _)| number));
    }
}
