//! What a process has in the kernel: its BPF programs, maps and links, by their ids.

use std::collections::BTreeSet;

use crate::wait;

/// The kinds of objects, with the bpf(2) command that lists their ids.
const KINDS: [(&str, &str, libc::c_long); 3] = [
    ("prog", "prog_id:", 11),
    ("map", "map_id:", 12),
    ("link", "link_id:", 31),
];

/// A BPF object: its kind and its id, which the kernel does not give twice.
pub type Object = (&'static str, u32);

/// The BPF objects that a process holds, by its descriptors.
#[must_use]
pub fn held_by(pid: i32) -> BTreeSet<Object> {
    let ids = |text: &str| {
        // A link's information names its program too, so it must be asked for first.
        let mut found = KINDS.iter().rev();
        found.find_map(|(kind, key, _)| Some((*kind, value(text, key)?)))
    };
    fdinfo(pid).iter().filter_map(|text| ids(text)).collect()
}

/// How often the programs of a process have run, as far as the kernel counts it.
#[must_use]
pub fn runs(pid: i32) -> u32 {
    let runs = fdinfo(pid)
        .into_iter()
        .filter_map(|text| value(&text, "run_cnt:"));
    runs.sum()
}

/// How many perf events a process holds.
#[must_use]
pub fn perf_events(pid: i32) -> usize {
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd"));
    let links = descriptors.into_iter().flatten().flatten();
    links
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|target| {
            target
                .as_os_str()
                .to_string_lossy()
                .contains("[perf_event]")
        })
        .count()
}

/// All BPF objects in the kernel.
///
/// # Panics
/// When the kernel refuses to list them.
#[must_use]
pub fn all() -> BTreeSet<Object> {
    let mut objects = BTreeSet::new();
    for (kind, _, command) in KINDS {
        let mut id = 0;
        while let Some(next) = next_id(command, id) {
            objects.insert((kind, next));
            id = next;
        }
    }
    objects
}

/// Waits until none of these objects exists. Links and maps go a grace period after their owner.
pub fn await_gone(objects: &BTreeSet<Object>) {
    wait::until("BPF objects to go", || {
        objects.is_disjoint(&all()).then_some(())
    });
}

fn fdinfo(pid: i32) -> Vec<String> {
    let files = std::fs::read_dir(format!("/proc/{pid}/fdinfo"));
    let files = files.into_iter().flatten().flatten();
    files
        .filter_map(|file| std::fs::read_to_string(file.path()).ok())
        .collect()
}

fn value(text: &str, key: &str) -> Option<u32> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.trim().parse().ok()
}

/// The next greater id of a kind; none after the last.
fn next_id(command: libc::c_long, after: u32) -> Option<u32> {
    // union bpf_attr: { start_id, next_id, open_flags }
    let mut attributes = [after, 0, 0];
    // SAFETY: the structure is of the size that is passed, and the command only writes next_id.
    let done = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            attributes.as_mut_ptr(),
            size_of_val(&attributes),
        )
    };
    if done == 0 {
        return Some(attributes[1]);
    }
    let why = std::io::Error::last_os_error();
    assert_eq!(
        why.raw_os_error(),
        Some(libc::ENOENT),
        "BPF objects can't be listed: {why}"
    );
    None
}
