//! Why a recording has no samples: what the targets were doing instead of running.

use seam_capture::{Recording, thread_facts};
use seam_memory::proc_path;

/// A sentence for each target that still runs, where nothing was sampled at all.
pub(super) fn notes(recording: &Recording) -> Vec<String> {
    if !recording.samples.is_empty() || recording.counters.samples > 0 {
        return Vec::new();
    }
    let alive = recording.targets.iter().filter(|t| !t.ended);
    let alive = alive.map(|t| (t.target.pid, t.target.name.as_str()));
    alive
        .map(|(pid, name)| format!("{name} used no CPU time: {}", why(pid)))
        .collect()
}

fn why(pid: i32) -> String {
    let states = thread_facts(pid).unwrap_or_default();
    if !states.is_empty() && states.iter().all(|thread| thread.state == 'T') {
        return "it is stopped (a signal did it, SIGCONT lets it go on)".to_owned();
    }
    if frozen(pid) {
        return "it is frozen (cgroup.freeze of its control group)".to_owned();
    }
    format!("all its threads slept; `seam dump {pid}` shows what they wait for")
}

/// Whether its control group of version 2 is frozen. Those above it freeze it too, and then its own
/// events say so.
fn frozen(pid: i32) -> bool {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let groups = read(&proc_path(pid, "cgroup"));
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"));
    let mounts = read("/proc/self/mounts");
    let root = mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let folder = words.next()?;
        (words.next()? == "cgroup2").then_some(folder)
    });
    group.zip(root).is_some_and(|(group, root)| {
        let events = read(&format!("{root}{group}/cgroup.events"));
        events.lines().any(|line| line == "frozen 1")
    })
}
