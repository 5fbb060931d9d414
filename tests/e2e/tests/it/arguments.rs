//! Arguments that make no sense, and outputs that can't be written: said before recording.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, path_arg};

/// Refuses to record a process that could be recorded, because of other arguments.
fn record(words: &[&str]) -> Refusal {
    let own = std::process::id().to_string();
    let mut all = vec!["record", "-p", &own];
    all.extend(words);
    Refusal::of(&all)
}

#[test]
fn rates() {
    for rate in [
        "0",
        "-1",
        "1000000",
        "99999999999999999999",
        "fast",
        "9.5",
        "",
    ] {
        let joined = format!("--rate={rate}");
        let _ = record(&["-d", "1s", &joined]).error_has(&format!("'{rate}'"));
    }
}

#[test]
fn durations() {
    for time in [
        "0",
        "0s",
        "-1s",
        "10x",
        "s",
        "1e9h",
        "999999999h",
        "1s5",
        "10 s",
        "ten",
        "",
    ] {
        let joined = format!("--duration={time}");
        let _ = record(&[&joined]).error_has(&format!("'{time}'"));
    }
}

#[test]
fn unknown_extensions() {
    for name in ["x.png", "x", "html", "x.html.gz", "x.pb", ".", "x.folded/"] {
        let _ = record(&["-d", "1s", "-o", name]);
    }
    let _ = record(&["-d", "1s", "-o", "x.png"])
        .error_has("x.png")
        .hint_has(".folded .svg .speedscope.json");
}

#[test]
fn a_missing_folder() {
    let _ = record(&["-d", "1s", "-o", "not-there/x.html"]).error_has("not-there/x.html");
    // A good one before it is not written either.
    let _ = record(&["-d", "1s", "-o", "good.json", "-o", "not-there/x.html"]);
}

#[test]
fn a_folder_as_file() {
    let bench = Bench::new();
    std::fs::create_dir(bench.file("x.html")).expect("the folder is ours");
    let own = std::process::id().to_string();
    let mut seam = bench.seam(&["record", "-p", &own, "-d", "1s", "-o", "x.html"]);
    let _ = Refusal::of_command(&bench, &mut seam).error_has("folder");
}

/// Runs seam where `folder` is a file system that can't be written.
fn read_only(bench: &Bench, seam: &Command) -> Refusal {
    std::fs::create_dir(bench.file("folder")).expect("the folder is ours");
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-ec"]);
    shell.arg("mount -t tmpfs -o ro none folder; exec \"$@\"");
    shell
        .arg("sh")
        .arg(seam.get_program())
        .args(seam.get_args());
    bench.at_home(&mut shell);
    Refusal::of_command(bench, &mut shell)
}

#[test]
fn a_folder_that_is_not_writable() {
    let bench = Bench::new();
    let own = std::process::id().to_string();
    let seam = bench.seam(&["record", "-p", &own, "-d", "1s", "-o", "folder/x.html"]);
    let _ = read_only(&bench, &seam)
        .error_has("folder/x.html")
        .hint_has("folder");
}

#[test]
fn a_command_is_not_started_for_nothing() {
    let bench = Bench::new();
    let witness = bench.file("witness");
    let words = [
        "record",
        "-d",
        "1s",
        "-o",
        "not-there/x.html",
        "--",
        "touch",
        path_arg(&witness),
    ];
    let _ = Refusal::of_command(&bench, &mut bench.seam(&words));
    assert!(!witness.exists(), "it was started");
}

#[test]
fn a_command_is_not_started_where_the_page_has_no_place() {
    let bench = Bench::new();
    let witness = bench.file("witness");
    let script = "cd folder; mount -t tmpfs -o ro none .; cd ../folder; exec \"$@\"";
    std::fs::create_dir(bench.file("folder")).expect("the folder is ours");
    let mut shell = Command::new("unshare");
    shell
        .args(["--mount", "sh", "-ec", script, "sh"])
        .arg(places::seam());
    shell.args(["record", "-d", "1s", "--", "touch", path_arg(&witness)]);
    bench.at_home(&mut shell);
    let _ = Refusal::of_command(&bench, &mut shell).error_has(".html");
    assert!(!witness.exists(), "it was started");
}

#[test]
fn targets_exclude_each_other() {
    let program = Program::start("a", 60);
    let pid = arg(program.pid());
    let both = "more than one";
    let _ = Refusal::of(&["record", "-p", &pid, "--name", "x", "-d", "1s"]).error_has(both);
    let _ = Refusal::of(&["record", "-p", &pid, "-d", "1s", "--", "true"]).error_has(both);
    let _ = Refusal::of(&["record", "--name", "x", "-d", "1s", "--", "true"]).error_has(both);
    let _ = Refusal::of(&["record", "-d", "1s"])
        .error_has("target")
        .hint_has("-p");
}

#[test]
fn a_malformed_regular_expression() {
    let _ = Refusal::of(&["record", "--name", "(unclosed", "-d", "1s"]).error_has("(unclosed");
}

#[test]
fn unknown_words() {
    let _ = Refusal::of(&["rekord"]).error_has("rekord");
    let _ = record(&["--frequency", "9"]).error_has("--frequency");
    let _ = Refusal::of(&["record", "-p", "one"]).error_has("one");
    let _ = Refusal::of(&["record", "-p"]);
    let _ = Refusal::of(&["record", "-p", ","]);
}
