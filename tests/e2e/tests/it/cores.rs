//! `seam dump` of core files: what the program's own runtime said before it died, without any
//! privilege; and cores that are something else, cut off, or of another build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use seam_e2e::go_dump::goroutines;
use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, parse_json, path_arg, run_well};
use seam_e2e::strangers::{as_nobody, open_bench};
use serde_json::Value;

const SLACK: Duration = Duration::from_secs(60);

/// A core by gcore, which leaves the process running.
fn gcore(pid: i32, bench: &Bench) -> PathBuf {
    let prefix = bench.file("core");
    let output = Command::new("gcore")
        .args(["-o", path_arg(&prefix), &arg(pid)])
        .output()
        .expect("gdb is installed; cargo xtask setup does it");
    assert!(output.status.success(), "{output:?}");
    bench.file(&format!("core.{pid}"))
}

/// A core as the kernel writes it into the working directory.
fn by_kernel(file: &Path, bench: &Bench) -> (Program, PathBuf) {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    assert!(
        pattern.starts_with("core"),
        "cores go to {pattern:?} here: sysctl kernel.core_pattern=core"
    );
    let mut command = Command::new("prlimit");
    command.args(["--core=unlimited:unlimited", path_arg(file), "60"]);
    command
        .env("GOTRACEBACK", "crash")
        .current_dir(bench.path());
    let program = Program::start_command(&mut command);
    program.process.signal(libc::SIGABRT);
    program.process.await_end(SLACK);
    let core = bench.names().into_iter().find(|n| n.starts_with("core"));
    (program, bench.file(&core.expect("a core")))
}

/// Every goroutine is as the runtime said: state, creator, and the frames that the runtime knows.
fn agrees(program: &Program, core: &Path, bench: &Bench, what: &str) {
    run_well(&mut bench.seam(&["dump", path_arg(core), "-o", "x.txt"]));
    let (own, seen) = (
        goroutines(&program.said.dump),
        goroutines(&bench.text("x.txt")),
    );
    let mut compared = 0;
    for (goid, own) in own.iter().filter(|(_, g)| g.state != "running") {
        let seen = seen
            .get(goid)
            .unwrap_or_else(|| panic!("{what}: no goroutine {goid}"));
        assert_eq!(seen.creator, own.creator, "{what}: goroutine {goid}");
        // The one in C has died there: a signal's frames lie above.
        if own.state != "syscall" {
            assert_eq!(seen.state, own.state, "{what}: goroutine {goid}");
            let frames: Vec<_> = seen
                .frames
                .iter()
                .filter(|(_, at)| at.contains(".go:"))
                .collect();
            let frames: Vec<_> = frames
                .into_iter()
                .filter(|(f, _)| f.contains('.'))
                .collect();
            assert_eq!(
                frames,
                own.frames.iter().collect::<Vec<_>>(),
                "{what}: {goid}"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 30, "{what}");
}

fn json(core: &Path, bench: &Bench) -> Value {
    let outcome = run_well(&mut bench.seam(&["dump", path_arg(core), "--json"]));
    parse_json(&outcome.stdout.join("\n"))
}

#[test]
fn goroutines_of_a_crash() {
    for go in [places::machine_go(), "go1.21.13"] {
        let bench = Bench::new();
        let file = places::program_by(go, "w");
        let (program, core) = by_kernel(&file, &bench);
        agrees(&program, &core, &bench, go);
        let dump = json(&core, &bench);
        assert_eq!(dump["not_seen"]["not_whole"], 0, "{go}");
        assert!(
            dump["notes"].to_string().contains("died of signal 6"),
            "{dump}"
        );
    }
}

#[test]
fn goroutines_and_c_stacks_of_a_copy() {
    let bench = Bench::new();
    let program = Program::start("w", 90);
    let core = gcore(program.pid(), &bench);
    agrees(&program, &core, &bench, "gcore");
    let dump = json(&core, &bench);
    assert_eq!(dump["not_seen"]["not_whole"], 0);
    let all = dump["goroutines"].as_array().expect("goroutines").iter();
    let in_c = all.filter(|g| g["status"] == "syscall" && g["trust"] == "certain");
    assert!(in_c.count() > 0, "{dump}");
    std::fs::remove_file(&core).expect("the folder is ours");
}

/// C threads, by somebody who may nothing, from a core of another's process.
#[test]
fn a_c_program_s_core_needs_no_privilege() {
    let (bench, _tools, seam) = open_bench();
    let file = bench.file("threads");
    std::fs::copy(places::c_program("threads", &[]), &file).expect("the folder is ours");
    let mut process = Process::start(Command::new(&file).arg("5"));
    process.line("ready", |line| line.starts_with("ready").then_some(()));
    let core = gcore(process.pid(), &bench);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&core, open).expect("the folder is ours");
    let words = ["dump", path_arg(&core), "--json"];
    let outcome = run_well(&mut as_nobody(&bench, "", &seam, &words));
    let dump = parse_json(&outcome.stdout.join("\n"));
    let threads = dump["threads"].as_array().expect("threads");
    assert!(threads.len() > 1, "{dump}");
    let stacks = dump["stacks"].as_array().expect("stacks");
    let functions = stacks
        .iter()
        .flat_map(|s| s["frames"].as_array().expect("frames"));
    let names: Vec<&str> = functions.filter_map(|f| f["function"].as_str()).collect();
    assert!(names.contains(&"main"), "{names:?}");
}

#[test]
fn cores_that_can_not_be_used() {
    let bench = Bench::new();
    let file = places::c_program("threads", &[]);
    let mut process = Process::start(Command::new(&file).arg("5"));
    process.line("ready", |line| line.starts_with("ready").then_some(()));
    let core = gcore(process.pid(), &bench);
    let core = path_arg(&core);
    // Of another build.
    let other = places::c_program("forks", &[]);
    let _ = Refusal::of(&["dump", core, "--exe", path_arg(&other)])
        .error_has("build id")
        .hint_has("--exe");
    let _ = Refusal::of(&["dump", "/etc/passwd"])
        .error_has("no core file")
        .hint_has("gcore");
    let _ = Refusal::of(&["dump", "/no/such/core"]).error_has("No such file");
    let _ = Refusal::of(&["dump", "--exe", core, &arg(process.pid())]).error_has("--exe");
    // Cut off: refused or told, never a panic.
    let bytes = std::fs::read(core).expect("readable");
    for part in 1..16 {
        let cut = bench.file("cut");
        std::fs::write(&cut, &bytes[..bytes.len() * part / 16]).expect("the folder is ours");
        let outcome = bench.run(&["dump", path_arg(&cut)]);
        let (code, text) = (outcome.code(), outcome.text());
        assert!(code == Some(0) || code == Some(2), "{text}");
        assert!(code == Some(0) || text.contains("cut off"), "{text}");
    }
}

#[test]
fn leaks_are_found_in_a_core() {
    let leaks = |mode: &str| -> Vec<Value> {
        let bench = Bench::new();
        let file = places::program("y");
        let program = Program::start_command(Command::new(file).args(["60", mode]));
        let core = gcore(program.pid(), &bench);
        let words = ["goroutines", path_arg(&core), "--json"];
        let outcome = run_well(&mut bench.seam(&words));
        let report = parse_json(&outcome.stdout.join("\n"));
        assert_eq!(report["target"]["looks"], 1);
        assert_eq!(report["target"]["mark_incomplete"], Value::Null, "{mode}");
        let groups = report["groups"].as_array().expect("groups").iter();
        let bad = groups.filter(|g| g["verdict"] != "healthy");
        bad.cloned().collect()
    };
    for (mode, cause) in [
        ("send", "send-no-partner"),
        ("mutex", "lock-never-released"),
    ] {
        // An old word on a stack can hide one: one of three starts must show it.
        let found = (0..3).find_map(|_| leaks(mode).first().cloned());
        let found = found.unwrap_or_else(|| panic!("{mode}: nothing found"));
        assert_eq!(found["verdict"], "goroutine-leak", "{mode}");
        assert_eq!(found["cause"], cause);
        assert_eq!(found["count"], 7);
        let fixed = leaks(&format!("{mode}-fixed"));
        assert!(fixed.is_empty(), "{mode}: {fixed:?}");
    }
    // In one look nobody is seen to pass a lock on: that is no reason to suspect anybody.
    assert_eq!(leaks("contention"), [] as [Value; 0]);
}
