//! Targets that can't be recorded.

use std::process::Command;

use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg};
use seam_e2e::{elf, wait};

/// Refuses to record a process.
fn record(pid: i32) -> Refusal {
    Refusal::of(&["record", "-d", "1s", "-o", "x.html", "-p", &arg(pid)])
}

#[test]
fn no_such_process() {
    let pid = wait::until("a free process id", || {
        let max = std::fs::read_to_string("/proc/sys/kernel/pid_max").ok()?;
        let max: i32 = max.trim().parse().ok()?;
        (1..max)
            .rev()
            .find(|pid| !std::fs::exists(format!("/proc/{pid}")).unwrap_or(true))
    });
    let _ = record(pid)
        .error_has(&pid.to_string())
        .error_has("exist")
        .hint_has("--name");
    for none in ["0", "999999999", "-1"] {
        let joined = format!("-p={none}");
        let _ = Refusal::of(&["record", "-d", "1s", &joined]).error_has(none);
    }
}

#[test]
fn one_missing_of_two() {
    let program = Program::start("a", 60);
    let both = format!("{},999999999", program.pid());
    let _ = Refusal::of(&["record", "-d", "1s", "-p", &both]).error_has("999999999");
}

#[test]
fn a_zombie() {
    let zombie = Process::start(&mut Command::new("true"));
    zombie.await_end(wait::PATIENCE);
    let _ = record(zombie.pid()).error_has("zombie");
}

#[test]
fn a_kernel_thread() {
    let is_kernel = |pid: &i32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line == "Kthread:\t1")
    };
    let entries = std::fs::read_dir("/proc").expect("/proc is there");
    let mut pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let pid = pids
        .find(is_kernel)
        .expect("a kernel thread is to be seen here");
    let _ = record(pid).error_has("kernel thread");
}

#[test]
fn a_32_bit_process() {
    let bench = Bench::new();
    let file = bench.file("small");
    elf::write_32_bit_program(&file);
    let process = Process::start(&mut Command::new(&file));
    // It is that program from the exec on, which spawning waits for.
    assert!(process.runs(), "this kernel runs 32-bit programs");
    let _ = record(process.pid()).error_has("32-bit");
    assert!(process.runs());
}

#[test]
fn a_32_bit_command() {
    let bench = Bench::new();
    let file = bench.file("small");
    elf::write_32_bit_program(&file);
    let mut seam = bench.seam(&["record", "-d", "1s", "-o", "x.html", "--", "./small"]);
    let _ = Refusal::of_command(&bench, &mut seam).error_has("32-bit");
}

#[test]
fn a_thread_is_no_process() {
    let program = Program::start("b", 60);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", program.pid())).expect("it runs");
    let thread = tasks
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .find(|tid| *tid != program.pid())
        .expect("Go starts threads");
    let _ = record(thread)
        .error_has("thread")
        .hint_has(&arg(program.pid()));
}

#[test]
fn a_name_that_nothing_has() {
    let _ = Refusal::of(&["record", "--name", "^no such [p]rogram$"]).error_has("no such [p]");
}

#[test]
fn a_command_that_does_not_exist() {
    for name in ["./not-there", "/not/there", "not-there-at-all"] {
        let words = ["record", "-d", "1s", "-o", "x.html", "--", name];
        let _ = Refusal::of(&words)
            .error_has(name)
            .error_has("can't be started");
    }
}

#[test]
fn a_command_that_is_no_program() {
    let bench = Bench::new();
    std::fs::write(bench.file("text"), "no program").expect("the folder is ours");
    let words = ["record", "-d", "1s", "-o", "x.html", "--", "./text"];
    let _ = Refusal::of_command(&bench, &mut bench.seam(&words)).error_has("./text");
    let _ = Refusal::of(&["record", "--", "/tmp"]).error_has("/tmp");
}
