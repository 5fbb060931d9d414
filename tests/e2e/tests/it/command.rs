//! `seam record -- COMMAND`: started, held, recorded from its first instruction.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use seam_e2e::process::{Process, Stranger};
use seam_e2e::seam::{Bench, SLACK, not_rooted, run, run_well, sampling};
use seam_e2e::strangers::open_copy;
use seam_e2e::{bpf, places, wait};

/// The process id that a test program prints.
fn ready_pid(line: &str) -> Option<i32> {
    line.strip_prefix("ready pid=")?.parse().ok()
}

/// Starts seam on a command that says its process id, and takes charge of that.
fn started(command: &mut Command) -> (Process, i32, Stranger) {
    let mut seam = Process::start(command);
    let pid = seam.line("the command's line", ready_pid);
    (seam, pid, Stranger::new(pid))
}

#[test]
fn it_is_recorded_from_its_first_instruction() {
    let bench = Bench::new();
    let file = places::program("p-c");
    let options = "-r 10000 -o x.pb.gz -o x.json";
    let outcome = run_well(&mut bench.record_command(options, &file, &["1"]));
    let told = outcome.stdout.iter().find(|l| l.starts_with("ended"));
    assert!(
        told.is_some_and(|l| l.contains("exit status 0")),
        "{}",
        outcome.text()
    );
    assert!(
        outcome.stdout.iter().any(|l| l == "ok"),
        "{}",
        outcome.text()
    );
    let profile = bench.pprof("x.pb.gz");
    let in_loader =
        |s: &seam_e2e::pprof::Stack| s.frames.iter().any(|f| f.module.contains("ld-linux"));
    assert!(
        profile.count_where(in_loader) > 0,
        "nothing of the loader was seen"
    );
    assert!(profile.count_where(|s| s.has("seam_p_leaf")) > 100);
    assert_all_rooted(&bench.json("x.json"));
}

/// The program, its loader and the vdso are in force at exec, what the loader maps then before it
/// can run, and start code that nothing describes (`_init`, crtstuff) has derived rows.
fn assert_all_rooted(summary: &serde_json::Value) {
    assert_eq!(not_rooted(summary), [] as [String; 0]);
}

#[test]
fn a_go_program_from_its_first_instruction() {
    let bench = Bench::new();
    let file = places::program("d");
    let options = "-r 4999 -o x.pb.gz -o x.json";
    run_well(&mut bench.record_command(options, &file, &["1"]));
    let profile = bench.pprof("x.pb.gz");
    assert!(profile.count_where(|s| s.has("seam_d_leaf")) > 100);
    assert_all_rooted(&bench.json("x.json"));
}

#[test]
fn its_exit_status_is_told_and_ours_stays() {
    for (script, told) in [("exit 7", "exit status 7"), ("kill -9 $$", "signal 9")] {
        let bench = Bench::new();
        let outcome = bench.run(&["record", "-o", "x.json", "--", "sh", "-c", script]);
        assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
        let line = outcome.stdout.iter().find(|l| l.starts_with("ended"));
        assert!(line.is_some_and(|l| l.contains(told)), "{}", outcome.text());
    }
}

#[test]
fn it_goes_on_after_the_time_is_over() {
    let bench = Bench::new();
    let file = places::program("b");
    let mut command = bench.record_command("-d 1s -o x.json", &file, &["60"]);
    let (seam, _, child) = started(&mut command);
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    assert!(child.runs(), "the command was ended");
}

#[test]
fn it_ends_at_ctrl_c() {
    let bench = Bench::new();
    let file = places::program("b");
    let mut command = bench.record_command("-o x.json", &file, &["60"]);
    let (seam, _, child) = started(&mut command);
    seam.signal(libc::SIGINT);
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    assert!(child.ends_within(Duration::from_secs(10)), "it still runs");
    let told = outcome.stdout.iter().find(|l| l.starts_with("ended"));
    assert!(
        told.is_some_and(|l| l.contains("signal")),
        "{}",
        outcome.text()
    );
    assert_eq!(bench.names(), ["x.json"]);
}

#[test]
fn it_inherits_nothing_of_ours() {
    let bench = Bench::new();
    let file = places::program("b");
    let mut command = bench.record_command("-d 2s -o x.json", &file, &["60"]);
    let (seam, pid, child) = started(&mut command);
    assert_eq!(bpf::held_by(pid), [].into());
    assert_eq!(bpf::perf_events(pid), 0);
    let held = bpf::held_by(seam.pid());
    seam.signal(libc::SIGKILL);
    bpf::await_gone(&held);
    assert!(child.runs(), "it goes on when seam is killed");
}

/// An ignored SIGPIPE, as Rust programs have, changes what shells and pipes do.
#[test]
fn signals_do_to_it_what_they_do_without_seam() {
    let bench = Bench::new();
    // Without another process: the shell blocks signals while it makes one.
    let script = "while read -r row; do echo \"$row\"; done < /proc/self/status";
    let status = |command: &mut Command| {
        let outcome = run_well(command);
        let rows = outcome.stdout.iter();
        let rows = rows.filter(|l| l.starts_with("SigBlk") || l.starts_with("SigIgn"));
        rows.cloned().collect::<Vec<_>>()
    };
    let plain = status(Command::new("sh").args(["-c", script]));
    let words = ["record", "-o", "x.json", "--", "sh", "-c", script];
    assert_eq!(status(&mut bench.seam(&words)), plain);
}

#[test]
fn under_sudo_it_runs_as_the_caller() {
    let bench = Bench::new();
    let (_home, file) = open_copy(&places::program("b"));
    let mut command = bench.record_command("-d 1s -o x.json", &file, &["60"]);
    command.env("SUDO_UID", "65534").env("SUDO_GID", "65533");
    let mut seam = Process::start(&mut command);
    let pid = seam.line("the command's line", ready_pid);
    let _child = Stranger::new(pid);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let row = |key: &str| {
        let rest = status.lines().find_map(|l| l.strip_prefix(key));
        rest.expect("a row").split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(row("Uid:"), ["65534"; 4]);
    assert_eq!(row("Gid:"), ["65533"; 4]);
    assert!(!row("Groups:").contains(&"0"), "{status}");
    assert_eq!(row("CapEff:"), ["0000000000000000"]);
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    assert!(bench.json("x.json")["samples"].as_i64() > Some(20));
}

#[test]
fn a_held_command_ends_with_seam() {
    let bench = Bench::new();
    let file = places::program("b");
    let mut command = bench.record_command("-d 5s -o x.json", &file, &["60"]);
    let seam = Process::start(&mut command);
    let list = format!("/proc/{0}/task/{0}/children", seam.pid());
    let child = wait::until("the held child", || {
        let children = std::fs::read_to_string(&list).ok()?;
        children.split_whitespace().next()?.parse().ok()
    });
    let guard = Stranger::new(child);
    seam.signal(libc::SIGKILL);
    seam.await_end(SLACK);
    // On a slow machine it may have been let go before.
    let let_go = || std::fs::read_link(format!("/proc/{child}/exe")).is_ok_and(|exe| exe == file);
    assert!(
        guard.ends_within(Duration::from_secs(5)) || let_go(),
        "it is held for ever"
    );
}

#[test]
fn a_refused_recording_leaves_no_command_behind() {
    let bench = Bench::new();
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-ec"]);
    // Without a list of CPUs seam gives up after it has made the child.
    shell.arg("mount -t tmpfs none /sys/devices/system/cpu; exec \"$@\"");
    shell.arg("sh").arg(places::seam());
    shell.args([
        "record", "-d", "1s", "-o", "x.html", "--", "touch", "witness",
    ]);
    bench.at_home(&mut shell);
    let outcome = run(&mut shell);
    assert_eq!(outcome.code(), Some(2), "{}", outcome.text());
    assert!(outcome.text().contains("cpu/online"), "{}", outcome.text());
    let left: Vec<Stranger> = processes_in(&bench)
        .into_iter()
        .map(Stranger::new)
        .collect();
    let held = left
        .iter()
        .filter(|p| !p.ends_within(Duration::from_secs(5)));
    assert_eq!(held.count(), 0, "the command is held for ever");
    assert!(!bench.file("witness").exists());
}

/// Processes whose working directory is the folder: those that seam has left.
fn processes_in(bench: &Bench) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there");
    let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let here = |pid: &i32| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == bench.path())
    };
    pids.filter(here).collect()
}

#[test]
fn the_first_samples_of_a_busy_shell() {
    let bench = Bench::new();
    let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    let shell = Path::new("sh");
    let mut command = bench.record_command("-r 999 -o x.json", shell, &["-c", script]);
    let seam = sampling(&mut command);
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    assert_all_rooted(&bench.json("x.json"));
}
