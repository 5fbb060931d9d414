//! What `seam dump` refuses, and how.

use std::process::Command;

use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, path_arg};
use seam_e2e::wait;

#[test]
fn targets_that_are_none() {
    let _ = Refusal::of(&["dump", "999999999"]).error_has("exist");
    let _ = Refusal::of(&["dump"])
        .error_has("no target")
        .hint_has("dump PID");
    let _ = Refusal::of(&["dump", "1", "--name", "x"]).error_has("more than one");
    let _ = Refusal::of(&["dump", "--name", "no such name at all"]).error_has("no process");
    let zombie = Process::start(&mut Command::new("true"));
    zombie.await_end(wait::PATIENCE);
    let _ = Refusal::of(&["dump", &arg(zombie.pid())]).error_has("zombie");
    let _ = Refusal::of(&["dump", "2"]);
}

#[test]
fn choices_that_mean_nothing() {
    let program = Program::start("w", 60);
    let pid = arg(program.pid());
    let of = |options: &[&str]| Refusal::of(&[&["dump", &pid], options].concat());
    let _ = of(&["--goroutine", "99999"]).error_has("no goroutine 99999");
    let _ = of(&["--thread", "1"])
        .error_has("no thread 1")
        .hint_has("--all");
    let _ = of(&["--with", "("]).error_has("no regular expression");
    let _ = of(&["-o", "x.pdf"]).error_has("x.pdf").hint_has(".txt");
    let _ = of(&["-o", "none/x.txt"]).error_has("none/x.txt");
}

#[test]
fn hints_name_the_verb_that_was_used() {
    let program = Program::start("w", 60);
    let threads = std::fs::read_dir(format!("/proc/{}/task", program.pid())).expect("it runs");
    let tids = threads.filter_map(|t| t.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let other = tids.filter(|tid| *tid != program.pid()).min();
    let tid = arg(other.expect("Go has several threads"));
    // To open it would be to wait for a writer without end.
    let bench = Bench::new();
    let fifo = bench.file("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("coreutils are there").success());
    for verb in ["dump", "goroutines"] {
        let hint = format!("seam {verb} {}", program.pid());
        let _ = Refusal::of(&[verb, &tid]).hint_has(&hint);
        let _ = Refusal::of(&[verb, "/no/such/core"]).error_has("/no/such/core");
        let _ = Refusal::of(&[verb, path_arg(&fifo)]).error_has("fifo");
        let _ = Refusal::of(&[verb, "1", "--exe", "x"]).hint_has(&format!("seam {verb} core"));
    }
}
