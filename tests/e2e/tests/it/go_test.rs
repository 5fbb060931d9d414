//! `seam goroutines -- COMMAND` on a package whose tests leave goroutines behind, known by
//! construction, and on commands that end in all ways.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use seam_e2e::process::Outcome;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, parse_json, path_arg, run, run_well};
use seam_e2e::{places, wait};
use serde_json::Value;

/// What each test leaves: verdict, cause class, number. All others leave nothing.
const LEFT: [(&str, &str, &str, u64); 9] = [
    ("ExampleReceive", "goroutine-leak", "send-no-partner", 1),
    ("TestBetween", "goroutine-leak", "receive-no-partner", 1),
    ("TestLast", "suspect", "timer-loop", 1),
    ("TestParallel/one", "goroutine-leak", "send-no-partner", 1),
    ("TestParallel/two", "goroutine-leak", "send-no-partner", 2),
    // Everybody knows its channel: only time tells.
    ("TestPool", "goroutine-leak", "receive-no-partner", 1),
    ("TestSend", "goroutine-leak", "send-no-partner", 3),
    ("TestShort", "goroutine-leak", "send-no-partner", 1),
    (
        "TestSub/leaks_here",
        "goroutine-leak",
        "receive-no-partner",
        1,
    ),
];

/// All tests but the one that is too short to be seen unless it leaves something.
const TESTS: [&str; 14] = [
    "ExampleReceive",
    "TestBetween",
    "TestClean",
    "TestLast",
    "TestParallel",
    "TestParallel/one",
    "TestParallel/two",
    "TestPool",
    "TestSend",
    "TestShort",
    "TestSlow",
    "TestSub",
    "TestSub/clean",
    "TestSub/leaks_here",
];

fn package() -> PathBuf {
    places::repository().join("tests/e2e/programs/leaky")
}

/// The test binary as `go test` builds it, without symbols and DWARF.
fn test_binary(version: &str) -> PathBuf {
    let binary = places::scratch().join(format!("leaky-{version}.test"));
    let output = places::go()
        .env("GOTOOLCHAIN", version)
        .args(["test", "-c", "-ldflags=-s -w", "-o"])
        .arg(&binary)
        .current_dir(package())
        .output()
        .expect("go was found before");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{version}: {said}");
    binary
}

/// The machine's, built once.
fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| test_binary(places::machine_go()))
}

/// What seam says of a program's tests.
fn report(bench: &Bench, words: &[&str]) -> Value {
    let all = [&["goroutines", "--json", "--"], words].concat();
    parse_json(&run_well(&mut bench.seam(&all)).stdout.join("\n"))
}

/// The only program of a report.
fn program(report: &Value) -> &Value {
    let programs = report["programs"].as_array().expect("programs");
    assert_eq!(programs.len(), 1, "{report:#}");
    &programs[0]
}

fn names(program: &Value) -> Vec<&str> {
    let tests = program["tests"].as_array().expect("tests").iter();
    tests.filter_map(|t| t["name"].as_str()).collect()
}

/// Test, verdict, cause and number of each group.
fn left(program: &Value) -> Vec<(&str, &str, &str, u64)> {
    let tests = program["tests"].as_array().expect("tests").iter();
    let groups = tests.flat_map(|test| {
        let groups = test["groups"].as_array().expect("groups").iter();
        groups.map(move |group| (test, group))
    });
    groups
        .map(|(test, group)| {
            let word = |key: &str| group[key].as_str().unwrap_or_default();
            let name = test["name"].as_str().unwrap_or_default();
            let count = group["count"].as_u64().unwrap_or_default();
            (name, word("verdict"), word("cause"), count)
        })
        .collect()
}

#[test]
fn what_each_test_leaves_is_told() {
    for version in [places::machine_go(), "go1.21.13", "go1.24.13"] {
        let binary = test_binary(version);
        let bench = Bench::new();
        let report = report(&bench, &[path_arg(&binary)]);
        let program = program(&report);
        assert_eq!(program["mark_incomplete"], Value::Null, "{version}");
        assert_eq!(names(program), TESTS, "{version}");
        assert_eq!(left(program), LEFT, "{version}: {program:#}");
        assert_eq!(program["unknown"], 0, "{version}");
        // What main began is no test's, and can go on.
        let others = program["others"].as_array().expect("groups").iter();
        let mut others = others.filter(|group| group["verdict"] != "healthy");
        assert_eq!(others.next(), None, "{version}");
    }
}

#[test]
fn test_binaries_of_go_test_are_followed() {
    let bench = Bench::new();
    // The same words once before: what is to be built is built then.
    let go = places::go();
    let words = ["test", "-count=1", "-run=Send|Clean", "./..."];
    let go_test = |command: &mut Command| {
        command
            .env("GOTOOLCHAIN", "local")
            .env_remove("XDG_CACHE_HOME")
            .env("GOCACHE", places::scratch().join("go-build"))
            .current_dir(package());
    };
    let mut warm = Command::new(go.get_program());
    warm.args(words);
    go_test(&mut warm);
    assert!(warm.output().expect("go runs").status.success());
    let (json, xml) = (bench.file("leaks.json"), bench.file("leaks.xml"));
    let options = ["goroutines", "--fail-on", "goroutine-leak"];
    let outputs = ["-o", path_arg(&json), "-o", path_arg(&xml), "--"];
    let command = [path_arg(go.get_program())];
    let mut seam = bench.seam(&[&options[..], &outputs, &command, &words].concat());
    go_test(&mut seam);
    let outcome = run(&mut seam);
    assert_eq!(outcome.code(), Some(1), "{}", outcome.text());
    let shown = outcome.stdout.join("\n");
    assert!(
        shown.contains("3 leaked goroutines of 1 test") && shown.contains("ok  "),
        "{shown}"
    );
    let report = bench.json("leaks.json");
    let program = program(&report);
    assert_eq!(program["package"], "example.com/leaky");
    assert_eq!(names(program), ["TestClean", "TestSend"]);
    assert_eq!(left(program), [LEFT[6]]);
    let xml = bench.text("leaks.xml");
    assert!(
        xml.contains("<testsuite name=\"example.com/leaky\" tests=\"2\" failures=\"1\">")
            && xml.contains("<failure type=\"send-no-partner\""),
        "{xml}"
    );
}

/// Runs a command under seam.
fn under_seam(options: &[&str], command: &[&str]) -> Outcome {
    let bench = Bench::new();
    run(&mut bench.seam(&[&["goroutines"], options, &["--"], command].concat()))
}

#[test]
fn the_commands_own_exit_code_comes_first() {
    let code = |options: &[&str], command: &[&str]| under_seam(options, command).code();
    let binary = path_arg(binary());
    let fail = ["--fail-on", "goroutine-leak"];
    let leaks = [binary, "-test.run=TestSend"];
    assert_eq!(code(&[], &leaks), Some(0));
    assert_eq!(code(&fail, &leaks), Some(1));
    assert_eq!(code(&fail, &[binary, "-test.run=TestClean"]), Some(0));
    let then = |what: &str| format!("{binary} -test.run=TestSend; {what}");
    assert_eq!(code(&fail, &["sh", "-c", &then("exit 7")]), Some(7));
    assert_eq!(
        code(&fail, &["sh", "-c", &then("kill -9 $$")]),
        Some(128 + 9)
    );
    // A suspect is none for the one, and one for the other.
    let last = [binary, "-test.run=TestLast"];
    assert_eq!(code(&fail, &last), Some(0));
    assert_eq!(code(&["--fail-on", "suspect"], &last), Some(1));
}

#[test]
fn what_was_not_seen_can_be_asked_for() {
    let code = |command: &[&str]| under_seam(&["--fail-on", "not-seen"], command).code();
    let binary = path_arg(binary());
    assert_eq!(code(&[binary, "-test.run=TestClean"]), Some(0));
    // What goroutines had in registers is gone with the threads that ran them.
    let running = format!("{} 60 register", path_arg(&places::program("y")));
    let killed = format!("{running} & sleep 1.5; kill -9 $!; wait $!; true");
    assert_eq!(code(&["sh", "-c", &killed]), Some(3));
    // The command's own exit code comes first.
    assert_eq!(code(&["sh", "-c", &format!("{killed}; exit 7")]), Some(7));
}

#[test]
fn commands_without_go_are_told() {
    let outcome = under_seam(&[], &["sleep", "0.3"]);
    assert_eq!(outcome.code(), Some(0));
    assert_eq!(outcome.stdout, ["no Go program was run, but Go's own"]);
    let _ = Refusal::of(&["goroutines", "--", "/no/such/program"]).error_has("/no/such/program");
    let _ = Refusal::of(&["goroutines", "-o", "x.pdf", "--", "true"])
        .error_has("x.pdf")
        .hint_has(".xml");
}

#[test]
fn json_is_alone_on_stdout() {
    let outcome = under_seam(&["--json"], &["sh", "-c", "echo said; echo more >&2"]);
    assert_eq!(outcome.code(), Some(0));
    let report = parse_json(&outcome.stdout.join("\n"));
    assert_eq!(report["exit_code"], 0);
    assert_eq!(outcome.stderr, ["said", "more"]);
}

#[test]
fn programs_without_tests_are_judged_at_their_end() {
    let bench = Bench::new();
    for (mode, leaks) in [("receive", true), ("receive-fixed", false)] {
        let program_y = places::program("y");
        let report = report(&bench, &[path_arg(&program_y), "1", mode]);
        let others = program(&report)["others"]
            .as_array()
            .expect("groups")
            .iter();
        let found: Vec<&Value> = others
            .filter(|group| group["verdict"] == "goroutine-leak")
            .collect();
        assert_eq!(!found.is_empty(), leaks, "{mode}: {report:#}");
        assert!(found.iter().all(|g| g["cause"] == "receive-no-partner"));
    }
}

#[test]
fn a_command_ends_with_seam() {
    let bench = Bench::new();
    let mut seam = bench.seam(&["goroutines", "--", "sleep", "600"]);
    let seam = seam_e2e::process::Process::start(&mut seam);
    let child = wait::until("the command", || {
        let path = format!("/proc/{0}/task/{0}/children", seam.pid());
        let children = std::fs::read_to_string(path).ok()?;
        let pid = children.split_whitespace().next()?.parse::<i32>().ok()?;
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name.trim() == "sleep").then_some(pid)
    });
    seam.signal(libc::SIGINT);
    let outcome = seam.end(seam_e2e::seam::SLACK);
    assert_eq!(
        outcome.code(),
        Some(128 + libc::SIGTERM),
        "{}",
        outcome.text()
    );
    assert!(!std::fs::exists(format!("/proc/{child}")).unwrap_or(true));
}
