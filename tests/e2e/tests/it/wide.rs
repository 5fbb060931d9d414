//! The whole machine, and control groups.

use std::path::PathBuf;
use std::time::Duration;

use seam_e2e::pprof::Stack;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, SLACK, run_well};
use seam_e2e::wait;

/// A control group of ours, under the hierarchy of version 2.
struct Group {
    path: PathBuf,
}

impl Group {
    fn new(name: &str) -> Self {
        let mounts = std::fs::read_to_string("/proc/self/mounts").expect("always there");
        let root = mounts.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            (fields[2] == "cgroup2").then(|| PathBuf::from(fields[1]))
        });
        let root = root.expect("control groups of version 2 are mounted");
        let path = root.join(format!("seam-test-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).expect("we are root");
        Self { path }
    }

    fn add(&self, pid: i32) {
        let file = self.path.join("cgroup.procs");
        std::fs::write(file, pid.to_string()).expect("the process runs");
    }

    fn name(&self) -> String {
        let name = self.path.file_name().expect("it has one");
        name.to_string_lossy().into_owned()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What was in it may need a moment to end.
        wait::until("the control group to be empty", || {
            std::fs::remove_dir(&self.path).ok()
        });
    }
}

#[test]
fn every_process_of_the_machine() {
    let program = Program::start("d", 60);
    let bench = Bench::new();
    let args = [
        "record", "--all", "-d", "3s", "-r", "199", "-o", "x.pb.gz", "-o", "x.json",
    ];
    let seam = Process::start(&mut bench.seam(&args));
    let own = seam.pid();
    // One that begins while the machine is recorded.
    std::thread::sleep(Duration::from_millis(1500));
    let late = Program::start("p-c", 60);
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let profile = bench.pprof("x.pb.gz");
    for (pid, name, leaf) in [
        (program.pid(), "d", "seam_d_leaf"),
        (late.pid(), "p-c", "seam_p_leaf"),
    ] {
        let group = format!("[{name} {pid}]");
        // Others of that name may run here too: each is a tower of its own.
        let of_it = |s: &Stack| s.frames[0].name == group;
        let count = profile.count_where(|s| of_it(s) && s.has(leaf));
        assert!(count > 5, "{name}: {count}");
        let named = |s: &Stack| s.frames[0].name.starts_with(&format!("[{name} "));
        assert_eq!(
            profile.count_where(|s| s.has(leaf) && !named(s)),
            0,
            "{name}"
        );
    }
    let summary = bench.json("x.json");
    let targets = summary["recording"]["targets"].as_array().expect("a list");
    assert!(
        targets.iter().all(|t| t["pid"] != own),
        "seam recorded itself"
    );
}

#[test]
fn a_control_group_and_nothing_else() {
    let group = Group::new("group");
    let inside = Program::start("d", 60);
    let outside = Program::start("b", 60);
    group.add(inside.pid());
    let name = group.name();
    for how in [["--cgroup", name.as_str()], ["--container", name.as_str()]] {
        let bench = Bench::new();
        let mut args = vec!["record", "-d", "2s", "-r", "199", "-o", "x.pb.gz"];
        args.extend(how);
        run_well(&mut bench.seam(&args));
        let profile = bench.pprof("x.pb.gz");
        assert!(
            profile.count_where(|s| s.has("seam_d_leaf")) > 20,
            "{how:?}"
        );
        assert_eq!(profile.count_where(|s| s.has("seam_b_leaf")), 0, "{how:?}");
    }
    drop((inside, outside));
}

#[test]
fn groups_that_are_not_there() {
    let missing = Refusal::of(&["record", "--cgroup", "no/such/group", "-d", "1s"]);
    let _ = missing.error_has("no/such/group").hint_has("systemd-cgls");
    let short = Refusal::of(&["record", "--container", "abc", "-d", "1s"]);
    let _ = short.error_has("at least 8");
    let both = Refusal::of(&["record", "--all", "-p", "1", "-d", "1s"]);
    let _ = both.error_has("more than one kind of target");
}

/// A frozen target has no samples, is looked at as it is, and goes on where it was.
#[test]
fn a_frozen_target() {
    let program = Program::start("b", 60);
    let group = Group::new("frozen");
    group.add(program.pid());
    let freeze = |how: &str| {
        std::fs::write(group.path.join("cgroup.freeze"), how).expect("Linux 5.2 or newer");
        wait::until("the group to say so", || {
            let events = std::fs::read_to_string(group.path.join("cgroup.events")).ok()?;
            events.contains(&format!("frozen {how}")).then_some(())
        });
    };
    freeze("1");
    let bench = Bench::new();
    run_well(&mut bench.record(program.pid(), "-d 1s -r 499 -o x.json"));
    let summary = bench.json("x.json");
    assert_eq!(summary["samples"], 0);
    let notes = summary["quality"]["notes"].to_string();
    assert!(notes.contains("it is frozen"), "{notes}");
    let pid = program.pid().to_string();
    let dumped = run_well(&mut bench.seam(&["dump", &pid])).text();
    for name in ["seam_b_outer", "main.workerB", "time.Sleep"] {
        assert!(dumped.contains(name), "no {name}: {dumped}");
    }
    freeze("0");
    run_well(&mut bench.record(program.pid(), "-d 1s -r 499 -o y.json"));
    let samples = bench.json("y.json")["samples"].as_u64();
    assert!(samples > Some(10), "{samples:?}");
    drop(program);
}
