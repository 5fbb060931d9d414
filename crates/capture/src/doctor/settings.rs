//! What files under /proc and /sys say of the machine. Takes the root folder, so that a folder of
//! fixtures can stand for it. Nothing is tried here: `features` does that.

use std::path::Path;

use super::{Check, State};
use crate::error::SETCAP;

/// Capabilities of a recording by number (include/uapi/linux/capability.h), with what each is for.
const CAPABILITIES: [(u32, &str, &str); 4] = [
    (39, "CAP_BPF", "load BPF programs"),
    (38, "CAP_PERFMON", "open perf events and read stacks"),
    (19, "CAP_SYS_PTRACE", "look at other users' processes"),
    (
        40,
        "CAP_CHECKPOINT_RESTORE",
        "read files that were replaced",
    ),
];
const CAP_SYS_ADMIN: u32 = 21;
const CAP_SYS_PTRACE: u32 = 19;
/// `PROC_USER_INIT_INO` and `PROC_PID_INIT_INO` in include/linux/proc_ns.h, Linux 3.8 to 6.18.
const FIRST_USER_NAMESPACE: &str = "user:[4026531837]";
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// All checks of settings.
pub(super) fn checks(root: &Path) -> Vec<Check> {
    let files = Files { root };
    vec![
        files.kernel(),
        files.btf(),
        files.capabilities(),
        files.namespaces(),
        files.lockdown(),
        files.paranoid(),
        files.kernel_names(),
        files.tracefs(),
        files.other_processes(),
        files.container(),
    ]
}

struct Files<'a> {
    root: &'a Path,
}

impl Files<'_> {
    fn text(&self, path: &str) -> Option<String> {
        let bytes = std::fs::read(self.root.join(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn exists(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    fn link(&self, path: &str) -> Option<String> {
        let target = std::fs::read_link(self.root.join(path)).ok()?;
        Some(target.to_string_lossy().into_owned())
    }

    fn kernel(&self) -> Check {
        let release = self.text("proc/sys/kernel/osrelease");
        let arch = self.text("proc/sys/kernel/arch");
        let arch = arch.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        let found = format!("Linux {} {arch}", release.as_deref().unwrap_or("?"));
        if matches!(arch.as_str(), "x86_64" | "aarch64") {
            return Check::ok("kernel", found);
        }
        let meaning = "seam walks stacks of x86-64 and arm64 programs only";
        Check::bad("kernel", State::Missing, found, meaning, "")
    }

    fn btf(&self) -> Check {
        if self.exists("sys/kernel/btf/vmlinux") {
            return Check::ok("BTF", "/sys/kernel/btf/vmlinux");
        }
        Check::bad(
            "BTF",
            State::Missing,
            "no /sys/kernel/btf/vmlinux",
            "seam's programs can't be fitted to this kernel",
            "use a kernel built with CONFIG_DEBUG_INFO_BTF (all current distributions have it); in \
             a container, mount /sys",
        )
    }

    fn capabilities(&self) -> Check {
        let effective = self.effective();
        let has = |bit: u32| {
            let admin = bit != CAP_SYS_PTRACE && effective & (1 << CAP_SYS_ADMIN) != 0;
            effective & (1 << bit) != 0 || admin
        };
        let missing: Vec<_> = CAPABILITIES.iter().filter(|(bit, ..)| !has(*bit)).collect();
        if missing.is_empty() {
            return Check::ok("capabilities", "all that a recording needs");
        }
        let names: Vec<_> = missing.iter().map(|(_, name, _)| *name).collect();
        let uses: Vec<_> = missing
            .iter()
            .map(|(_, _, use_of)| format!("can't {use_of}"))
            .collect();
        // Without the first two there is no BPF.
        let state = if has(38) && has(39) {
            State::Degraded
        } else {
            State::Missing
        };
        let fix = "run seam with sudo, or once:";
        let found = format!("missing: {}", names.join(", "));
        Check::bad("capabilities", state, found, uses.join("; "), fix).with_command(SETCAP)
    }

    fn paranoia(&self) -> Option<i32> {
        let value = self.text("proc/sys/kernel/perf_event_paranoid")?;
        value.parse().ok()
    }

    fn effective(&self) -> u64 {
        let status = self.text("proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("CapEff:"));
        line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
            .unwrap_or(0)
    }

    /// In BPF, process ids are those of the first namespace; capabilities count only there.
    fn namespaces(&self) -> Check {
        let user = self.link("proc/self/ns/user");
        let pid = self.link("proc/self/ns/pid");
        let foreign = |link: Option<String>, first| link.is_some_and(|link| link != first);
        if foreign(user, FIRST_USER_NAMESPACE) {
            let meaning = "capabilities count only in the first user namespace";
            let found = "in a user namespace of its own";
            let fix = "run seam on the host, or in a container without a user namespace of its own \
                       (for docker: --privileged)";
            return Check::bad("namespaces", State::Missing, found, meaning, fix);
        }
        if foreign(pid, FIRST_PID_NAMESPACE) {
            let found = "in a PID namespace of its own, whose processes can be recorded";
            return Check::ok("namespaces", found);
        }
        Check::ok("namespaces", "the host's")
    }

    fn lockdown(&self) -> Check {
        let Some(text) = self.text("sys/kernel/security/lockdown") else {
            return Check::ok("lockdown", "not enabled, or securityfs is not mounted");
        };
        let mode = text
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'))
            .map_or(text.as_str(), |(mode, _)| mode);
        if mode != "confidentiality" {
            return Check::ok("lockdown", mode);
        }
        Check::bad(
            "lockdown",
            State::Missing,
            mode,
            "BPF programs may not read memory: no stack can be walked",
            "boot with lockdown=integrity, or without lockdown",
        )
    }

    /// Only without CAP_PERFMON does it matter.
    fn paranoid(&self) -> Check {
        let value = self.text("proc/sys/kernel/perf_event_paranoid");
        let value = value.unwrap_or_else(|| "unknown".to_owned());
        if self.effective() & ((1 << 38) | (1 << CAP_SYS_ADMIN)) != 0 {
            let found = format!("{value}, which CAP_PERFMON overrides");
            return Check::ok("perf_event_paranoid", found);
        }
        // Above 2 (Debian 12's own kernel has 3) perf events are refused altogether.
        let (state, meaning, fix) = match self.paranoia() {
            Some(..=1) => (
                State::Degraded,
                "of your own processes stacks can be recorded, the kernel's part too",
                "more: CAP_PERFMON, see capabilities",
            ),
            Some(2) => (
                State::Degraded,
                "of your own processes user mode can be recorded, nothing of the kernel",
                "more: CAP_PERFMON, see capabilities",
            ),
            _ => (
                State::Missing,
                "without CAP_PERFMON nothing can be recorded",
                "CAP_PERFMON, see capabilities; or, for your own processes:",
            ),
        };
        let check = Check::bad("perf_event_paranoid", state, value, meaning, fix);
        match state {
            State::Missing => check.with_command("sudo sysctl kernel.perf_event_paranoid=2"),
            _ => check,
        }
    }

    fn kernel_names(&self) -> Check {
        let restrict = self.text("proc/sys/kernel/kptr_restrict");
        let restrict = restrict.unwrap_or_else(|| "unknown".to_owned());
        let symbols = self.text("proc/kallsyms").unwrap_or_default();
        let visible = symbols.lines().take(1000).any(|line| {
            let address = line.split_whitespace().next().unwrap_or_default();
            address.bytes().any(|digit| digit != b'0')
        });
        if visible {
            return Check::ok(
                "kernel names",
                format!("shown (kptr_restrict is {restrict})"),
            );
        }
        let hidden = |fix| {
            let found = format!("hidden (kptr_restrict is {restrict})");
            let meaning = "kernel functions show as addresses";
            Check::bad("kernel names", State::Degraded, found, meaning, fix)
        };
        // 2 hides them from everybody, 0 and 1 from those without CAP_SYSLOG (kallsyms_show_value).
        if restrict == "2" {
            hidden("as root:").with_command("sudo sysctl kernel.kptr_restrict=1")
        } else {
            hidden("run seam with sudo, or give it CAP_SYSLOG")
        }
    }

    fn tracefs(&self) -> Check {
        let places = ["sys/kernel/tracing", "sys/kernel/debug/tracing"];
        let mounts = self.text("proc/self/mounts").unwrap_or_default();
        let mounted = mounts.lines().any(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            words.get(2) == Some(&"tracefs")
        });
        let found = if mounted || places.iter().any(|p| self.exists(&format!("{p}/events"))) {
            "mounted"
        } else {
            "not mounted; seam attaches without it"
        };
        Check::ok("tracefs", found)
    }

    /// `hidepid` of the proc file system hides what others run.
    fn other_processes(&self) -> Check {
        if self.exists("proc/1/stat") {
            return Check::ok("/proc", "shows all processes");
        }
        Check::bad(
            "/proc",
            State::Degraded,
            "hides other users' processes (hidepid)",
            "--name and -p see only this user's processes",
            "run seam with sudo",
        )
    }

    fn container(&self) -> Check {
        let cgroups = self.text("proc/self/cgroup").unwrap_or_default();
        let known = ["docker", "kubepods", "libpod", "lxc", "containerd"];
        let name = known.iter().find(|name| cgroups.contains(**name)).copied();
        let marked = self.exists(".dockerenv") || self.exists("run/.containerenv");
        let version = match (
            self.exists("sys/fs/cgroup/cgroup.controllers"),
            cgroups.is_empty(),
        ) {
            (true, _) => "cgroup 2",
            (false, false) => "cgroup 1",
            (false, true) => "no cgroups",
        };
        let place = match (name, marked) {
            (Some(name), _) => format!("in a container ({name}), "),
            (None, true) => "in a container, ".to_owned(),
            (None, false) => String::new(),
        };
        let status = self.text("proc/self/status").unwrap_or_default();
        let filtered = status
            .lines()
            .any(|l| l.split_whitespace().eq(["Seccomp:", "2"]));
        let filter = if filtered {
            ", system calls filtered (seccomp)"
        } else {
            ""
        };
        Check::ok("container", format!("{place}{version}{filter}"))
    }
}

#[cfg(test)]
mod tests;
