//! Targets that change while they are recorded: dlopen, exec, fork.

use std::process::Command;

use seam_e2e::process::{Process, Stranger};
use seam_e2e::seam::{Bench, SLACK, not_rooted, sampling};
use seam_e2e::{places, pprof::Pprof};

/// Starts a C program and waits until it is ready.
fn ready(command: &mut Command) -> Process {
    let mut process = Process::start(command);
    process.line("ready", |line| (line == "ready").then_some(()));
    process
}

/// Starts a recording for some seconds; it has begun when this returns.
fn recording(bench: &Bench, pid: i32, seconds: &str, more: &[&str]) -> Process {
    let options = format!("-d {seconds} -r 499 -o x.pb.gz -o x.json");
    let mut command = bench.record(pid, &options);
    sampling(command.args(more))
}

fn finished(bench: &Bench, seam: Process) -> Pprof {
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    bench.pprof("x.pb.gz")
}

/// Stacks may end early only because a table was not ready, and few may.
fn late_tables_only(bench: &Bench) {
    let summary = bench.json("x.json");
    let other: Vec<String> = not_rooted(&summary)
        .into_iter()
        .filter(|reason| !reason.starts_with("\"table-not-ready\""))
        .collect();
    assert_eq!(other, [""; 0]);
    let late = summary["quality"]["table_not_ready"].as_i64();
    let samples = summary["samples"].as_i64().expect("a count");
    assert!(
        late.is_some_and(|late| late * 10 < samples),
        "{late:?} of {samples} were late"
    );
}

#[test]
fn an_exec_that_fails_stays_where_it_was() {
    let bench = Bench::new();
    let program = ready(&mut Command::new(places::c_program("noexec", &[])));
    let seam = recording(&bench, program.pid(), "2s", &[]);
    let profile = finished(&bench, seam);
    assert_eq!(not_rooted(&bench.json("x.json")), [""; 0]);
    let tries = profile.count_where(|s| s.has("tries") && s.has("main"));
    assert!(tries > 100, "{tries}");
    // Before the first sample outside of it nothing is known.
    let without = profile.count_where(|s| !s.has("main"));
    assert!(without <= 5, "{without} beside {tries}");
}

#[test]
fn a_library_loaded_later() {
    let bench = Bench::new();
    let library = places::c_program("plugin", &["-shared", "-fPIC"]);
    let mut host = ready(Command::new(places::c_program("loads", &[])).arg(&library));
    let seam = recording(&bench, host.pid(), "4s", &[]);
    host.send("go\n");
    let profile = finished(&bench, seam);
    late_tables_only(&bench);
    let whole = |name: &str| {
        profile.count_where(|s| s.has(name) && s.has("host_work") && s.frames[0].name == "_start")
    };
    assert!(whole("plugin_leaf") > 50, "{}", whole("plugin_leaf"));
    for stack in profile.stacks.iter().filter(|s| s.has("plugin_leaf")) {
        let late = stack.texts.contains_key("end");
        assert!(late || stack.has("plugin_spin"), "{}", stack.text());
    }
    let mapped = profile.modules.iter().find(|m| m.path.ends_with("/plugin"));
    assert!(mapped.is_some_and(|m| !m.build_id.is_empty()), "{mapped:?}");
}

#[test]
fn another_program_by_exec() {
    let bench = Bench::new();
    let file = places::c_program("execs", &[]);
    let mut process = ready(Command::new(file).arg(places::program("b")).arg("60"));
    let seam = recording(&bench, process.pid(), "5s", &[]);
    // Enough of the old program first.
    seam_e2e::wait::until("samples of the old program", || {
        (seam_e2e::bpf::runs(seam.pid()) > 500).then_some(())
    });
    process.send("\n");
    process.line("start mark", |line| {
        line.starts_with("start ").then_some(())
    });
    let profile = finished(&bench, seam);
    late_tables_only(&bench);
    for (leaf, root) in [("before_exec", "_start"), ("seam_b_leaf", "runtime.goexit")] {
        let stacks = || profile.stacks.iter().filter(|s| s.has(leaf));
        // The loader has a _start too: where both were met, names tell their modules.
        let of_module = format!("execs::{root}");
        let rooted = |s: &&seam_e2e::pprof::Stack| {
            let name = s.frames[0].name.as_str();
            name == root || name == of_module
        };
        let whole = stacks().filter(rooted).count();
        assert!(whole > 0, "no whole stack of {leaf}");
        for stack in stacks().filter(|s| !rooted(s)) {
            assert!(stack.texts.contains_key("end"), "{}", stack.text());
        }
    }
    let old_and_new = |s: &seam_e2e::pprof::Stack| s.has("before_exec") && s.has("main.workerB");
    assert_eq!(profile.count_where(old_and_new), 0);
    let summary = bench.json("x.json");
    assert_eq!(
        summary["recording"]["targets"][0]["name"], "b",
        "it goes by its new name"
    );
}

/// Forks while it is recorded; gives the profile and the child's id.
fn forked(bench: &Bench, more: &[&str]) -> (Pprof, i64) {
    let mut parent = ready(&mut Command::new(places::c_program("forks", &[])));
    let seam = recording(bench, parent.pid(), "3s", more);
    parent.send("go\n");
    let child: i32 = parent.line("child", |line| {
        line.strip_prefix("child pid=")
            .and_then(|pid| pid.parse().ok())
    });
    let _child = Stranger::new(child);
    (finished(bench, seam), child.into())
}

#[test]
fn children_are_recorded_when_asked_for() {
    let bench = Bench::new();
    let (profile, child) = forked(&bench, &["--children"]);
    let of_child = profile.count_where(|s| s.numbers["tid"] == child && s.has("child_work"));
    assert!(of_child > 50, "{of_child} samples of the child");
    assert!(profile.count_where(|s| s.has("parent_work")) > 50);
    assert_eq!(not_rooted(&bench.json("x.json")), [""; 0]);
    let targets = bench.json("x.json")["recording"]["targets"].clone();
    let pids = targets.as_array().expect("targets");
    assert!(pids.iter().any(|t| t["pid"] == child), "{targets}");
}

#[test]
fn children_are_not_recorded_otherwise() {
    let bench = Bench::new();
    let (profile, child) = forked(&bench, &[]);
    assert_eq!(profile.count_where(|s| s.numbers["tid"] == child), 0);
    assert!(profile.count_where(|s| s.has("parent_work")) > 50);
    assert_eq!(not_rooted(&bench.json("x.json")), [""; 0]);
}
