//! Machines made of files.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A machine on which all is well, seen by root.
fn machine() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (path, text) in [
        ("proc/sys/kernel/osrelease", "6.18.0\n"),
        ("proc/sys/kernel/arch", "x86_64\n"),
        ("proc/sys/kernel/perf_event_paranoid", "2\n"),
        ("proc/sys/kernel/kptr_restrict", "0\n"),
        (
            "proc/kallsyms",
            "0000000000000000 A fixed\nffffffff81000000 T _text\n",
        ),
        (
            "proc/self/status",
            "Name:\tseam\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n",
        ),
        ("proc/self/cgroup", "0::/user.slice\n"),
        (
            "proc/self/mounts",
            "tracefs /sys/kernel/tracing tracefs rw 0 0\n",
        ),
        ("proc/1/stat", "1 (init) S\n"),
        ("sys/kernel/btf/vmlinux", ""),
        (
            "sys/kernel/security/lockdown",
            "[none] integrity confidentiality\n",
        ),
        ("sys/fs/cgroup/cgroup.controllers", "cpu\n"),
    ] {
        write(root, path, text);
    }
    std::fs::create_dir_all(root.join("proc/self/ns")).unwrap();
    symlink(FIRST_USER_NAMESPACE, root.join("proc/self/ns/user")).unwrap();
    symlink(FIRST_PID_NAMESPACE, root.join("proc/self/ns/pid")).unwrap();
    folder
}

fn check(root: &Path, name: &str) -> Check {
    let mut all = checks(root).into_iter();
    all.find(|c| c.name == name).expect("there is such a check")
}

#[test]
fn a_good_machine_has_no_problem() {
    let folder = machine();
    for check in checks(folder.path()) {
        assert_eq!(check.state, State::Ok, "{check:?}");
        assert!(!check.found.is_empty() && check.fix.is_empty(), "{check:?}");
    }
}

#[test]
fn each_setting_is_told() {
    let cases = [
        ("proc/sys/kernel/arch", "riscv64", "kernel", State::Missing),
        (
            "proc/kallsyms",
            "0000000000000000 T _text\n",
            "kernel names",
            State::Degraded,
        ),
        (
            "sys/kernel/security/lockdown",
            "none integrity [confidentiality]",
            "lockdown",
            State::Missing,
        ),
        (
            "proc/self/status",
            "CapEff:\t0000000000000000\n",
            "capabilities",
            State::Missing,
        ),
        (
            "proc/self/status",
            "CapEff:\t0000000000000000\n",
            "perf_event_paranoid",
            State::Degraded,
        ),
        // CAP_BPF and CAP_PERFMON alone.
        (
            "proc/self/status",
            "CapEff:\t000000c000000000\n",
            "capabilities",
            State::Degraded,
        ),
    ];
    for (path, text, name, state) in cases {
        let folder = machine();
        write(folder.path(), path, text);
        let check = check(folder.path(), name);
        assert_eq!(check.state, state, "{path}: {check:?}");
        assert!(!check.meaning.is_empty(), "{check:?}");
    }
}

#[test]
fn perf_events_may_be_refused_altogether() {
    for (value, state) in [
        ("-1", State::Degraded),
        ("1", State::Degraded),
        ("2", State::Degraded),
        ("3", State::Missing),
        ("4", State::Missing),
        ("", State::Missing),
    ] {
        let folder = machine();
        write(
            folder.path(),
            "proc/self/status",
            "CapEff:\t0000000000000000\n",
        );
        write(folder.path(), "proc/sys/kernel/perf_event_paranoid", value);
        let found = check(folder.path(), "perf_event_paranoid");
        assert_eq!(found.state, state, "{value}: {found:?}");
        let sysctl = found.command.contains("perf_event_paranoid=2");
        assert_eq!(sysctl, state == State::Missing, "{value}: {found:?}");
    }
}

#[test]
fn capabilities_are_named() {
    let folder = machine();
    // CAP_SYS_ADMIN stands for all but CAP_SYS_PTRACE.
    write(
        folder.path(),
        "proc/self/status",
        "CapEff:\t0000000000200000\n",
    );
    let found = check(folder.path(), "capabilities");
    assert_eq!(found.found, "missing: CAP_SYS_PTRACE");
    assert!(found.command.contains("setcap"), "{found:?}");
}

#[test]
fn namespaces_of_their_own() {
    for (name, state) in [("user", State::Missing), ("pid", State::Ok)] {
        let folder = machine();
        let link = folder.path().join("proc/self/ns").join(name);
        std::fs::remove_file(&link).unwrap();
        symlink(format!("{name}:[4026539999]"), &link).unwrap();
        let found = check(folder.path(), "namespaces");
        assert_eq!(found.state, state, "{found:?}");
    }
}

#[test]
fn containers_are_told() {
    let folder = machine();
    write(
        folder.path(),
        "proc/self/cgroup",
        "0::/kubepods/besteffort/x\n",
    );
    write(
        folder.path(),
        "proc/self/status",
        "CapEff:\t0\nSeccomp:\t2\n",
    );
    let found = check(folder.path(), "container").found;
    assert_eq!(
        found,
        "in a container (kubepods), cgroup 2, system calls filtered (seccomp)"
    );
}

#[test]
fn an_empty_machine_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(checks(folder.path()).len(), 10);
}
