//! Recording with less than BPF: the same outputs, nothing wrong in them, and what is not known
//! told.

use std::collections::BTreeMap;
use std::process::Command;

use seam_e2e::places;
use seam_e2e::pprof::Stack;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, not_rooted, run_well};
use seam_e2e::strangers::{as_nobody, open_bench, open_copy, process_of_nobody, program_of_nobody};
use seam_e2e::truth::Truth;

/// Reasons that are not there with BPF.
const OPEN: [&str; 2] = ["not-proven", "stack-copy-ends"];

fn grade(summary: &serde_json::Value) -> &str {
    summary["recording"]["grade"].as_str().expect("a grade")
}

fn notes(summary: &serde_json::Value) -> String {
    summary["quality"]["notes"].to_string()
}

#[test]
fn ones_own_processes_with_nothing() {
    for name in ["a", "p-c", "p-cpp"] {
        let (bench, _tools, seam) = open_bench();
        let (_home, program) = program_of_nobody(name, 12);
        let pid = arg(program.pid());
        let words = "record -d 3s -r 499 -o x.json -o x.pb.gz -o x.html -p";
        let words: Vec<&str> = words.split(' ').chain([pid.as_str()]).collect();
        run_well(&mut as_nobody(&bench, "", &seam, &words));
        let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
        assert_eq!(grade(&summary), "copied-user-mode", "{name}");
        let notes = notes(&summary);
        assert!(
            notes.contains("time in the kernel is not seen: "),
            "{notes}"
        );
        assert!(notes.contains("without BPF: "), "{notes}");
        // C is whole in the copy, and so is Go that calls no C.
        let (said, outcome) = program.end(std::time::Duration::from_secs(40));
        assert!(said.ok, "{name}: {}", outcome.text());
        let verdict = Truth::of(name).check_parts(&profile, &said, &OPEN);
        assert!(verdict.application > 20, "{name}: {verdict:?}");
        assert_eq!(verdict.wrong, [""; 0], "{name}");
        let rooted = profile.count() - verdict.open;
        assert!(
            rooted * 100 >= profile.count() * 98,
            "{name}: {:?}",
            not_rooted(&summary)
        );
    }
}

#[test]
fn nothing_wrong_is_shown_of_what_is_not_proven() {
    for name in ["b", "c", "d", "e", "f", "n"] {
        let (bench, _tools, seam) = open_bench();
        let (_home, program) = program_of_nobody(name, 12);
        let pid = arg(program.pid());
        let words = "record -d 3s -r 997 -o x.json -o x.pb.gz -p";
        let words: Vec<&str> = words.split(' ').chain([pid.as_str()]).collect();
        run_well(&mut as_nobody(&bench, "", &seam, &words));
        let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
        let (said, outcome) = program.end(std::time::Duration::from_secs(40));
        assert!(said.ok, "{name}: {}", outcome.text());
        let verdict = Truth::of(name).check_parts(&profile, &said, &OPEN);
        println!(
            "{name}: {} application samples, {} open",
            verdict.application, verdict.open
        );
        assert!(verdict.application > 20, "{name}: {verdict:?}");
        assert_eq!(verdict.wrong, [""; 0], "{name}");
        assert_eq!(
            summary["quality"]["edges"]["impossible"],
            0,
            "{name}: {}",
            notes(&summary)
        );
        assert!(
            notes(&summary).contains("samples in C are proven"),
            "{name}"
        );
    }
}

/// Frames of an application path that must follow one another.
const DIRECT: [&str; 4] = ["main.direct", "long_call", "long_middle", "long_leaf"];
const NESTED: [&str; 7] = [
    "main.nested",
    "long_back",
    "main.goBack",
    "main.inside",
    "long_call",
    "long_middle",
    "long_leaf",
];

#[test]
fn calls_that_last_are_proven() {
    let file = places::go_program("long-calls", None, &[]);
    let (_home, mut process) = process_of_nobody(&file);
    let mut goids = BTreeMap::new();
    process.line("ready", |line| {
        let mut words = line.split(' ');
        if let (Some("goid"), Some(name), Some(id)) = (words.next(), words.next(), words.next()) {
            goids.insert(name.to_owned(), id.parse::<i64>().expect("a number"));
        }
        (line == "ready").then_some(())
    });
    let (bench, _tools, seam) = open_bench();
    let pid = arg(process.pid());
    let words = "record -d 5s -r 499 -o x.json -o x.pb.gz -p";
    let words: Vec<&str> = words.split(' ').chain([pid.as_str()]).collect();
    run_well(&mut as_nobody(&bench, "", &seam, &words));
    let profile = bench.pprof("x.pb.gz");
    let (mut whole, mut open) = (BTreeMap::new(), 0);
    for stack in profile.stacks.iter().filter(|s| s.has("long_leaf")) {
        let known = |f: &&str| DIRECT.contains(f) || NESTED.contains(f);
        let path: Vec<&str> = stack.frames.iter().map(|f| f.name.as_str()).collect();
        let path: Vec<&str> = path.into_iter().filter(known).collect();
        if stack.texts.contains_key("end") {
            assert!(NESTED.ends_with(&path), "{}", stack.text());
            open += stack.count;
            continue;
        }
        let name = if path == DIRECT { "direct" } else { "nested" };
        assert!(path == DIRECT || path == NESTED, "{}", stack.text());
        assert_eq!(
            stack.numbers.get("goid"),
            goids.get(name),
            "{}",
            stack.text()
        );
        assert_eq!(
            stack.texts.get("state").map(String::as_str),
            Some("syscall")
        );
        *whole.entry(name).or_insert(0) += stack.count;
    }
    println!("{whole:?}, {open} open");
    assert_eq!(whole.len(), 2, "{whole:?}");
    // A call lasts 300 ms; it is looked at every few.
    let proven: i64 = whole.values().sum();
    assert!(proven > 50 && proven > open, "{whole:?}, {open} open");
}

#[test]
fn with_perf_events_alone_the_kernel_is_seen() {
    let (bench, _tools, seam) = open_bench();
    let (_home, program) = program_of_nobody("k", 12);
    let pid = arg(program.pid());
    let words = "record -d 3s -r 499 -o x.json -o x.pb.gz -p";
    let words: Vec<&str> = words.split(' ').chain([pid.as_str()]).collect();
    run_well(&mut as_nobody(&bench, "+perfmon", &seam, &words));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    assert_eq!(grade(&summary), "copied");
    assert!(!notes(&summary).contains("time in the kernel is not seen"));
    let in_kernel = |s: &Stack| s.frames.last().is_some_and(|f| f.module == "[kernel]");
    let kernel = profile.count_where(in_kernel);
    assert!(kernel > 50, "{kernel} of {}", profile.count());
    let (said, outcome) = program.end(std::time::Duration::from_secs(40));
    assert!(said.ok, "{}", outcome.text());
    let verdict = Truth::of("k").check_parts(&profile, &said, &OPEN);
    assert_eq!(verdict.wrong, [""; 0]);
}

#[test]
fn a_command_and_its_children() {
    let (bench, _tools, seam) = open_bench();
    let (_home, file) = open_copy(&places::program("p-c"));
    let file = file.to_string_lossy();
    let script = format!("{file} 2 >&2 & {file} 2 >&2; wait");
    let words = "record -d 20s -r 499 --children -o x.json -o x.pb.gz -- sh -c";
    let words: Vec<&str> = words.split(' ').chain([script.as_str()]).collect();
    run_well(&mut as_nobody(&bench, "", &seam, &words));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    assert_eq!(grade(&summary), "copied-user-mode");
    let targets = summary["recording"]["targets"].as_array().expect("targets");
    let children = targets.iter().filter(|t| t["name"] == "p-c").count();
    assert_eq!(children, 2, "{targets:?}");
    assert!(profile.count_where(|s| s.has("main")) > 20);
    // A stack that exec is just leaving may be torn.
    let open = profile.count_where(|s| s.texts.contains_key("end"));
    assert!(open * 100 <= profile.count(), "{:?}", not_rooted(&summary));
}

#[test]
fn whole_machines_need_bpf() {
    let (bench, _tools, seam) = open_bench();
    let words = ["record", "--all", "-d", "1s", "-o", "x.html"];
    let _ = Refusal::of_command(&bench, &mut as_nobody(&bench, "", &seam, &words))
        .hint_has("sudo setcap cap_bpf,cap_perfmon");
}

#[test]
fn no_type_information() {
    let bench = Bench::new();
    let program = Program::start("p-c", 60);
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-ec"]);
    shell.arg("mount -t tmpfs none /sys/kernel/btf; exec \"$@\"");
    shell.arg("sh").arg(places::seam());
    shell.args([
        "record",
        "-d",
        "2s",
        "-o",
        "x.json",
        "-p",
        &arg(program.pid()),
    ]);
    bench.at_home(&mut shell);
    run_well(&mut shell);
    let summary = bench.json("x.json");
    assert_eq!(grade(&summary), "copied");
    assert!(
        notes(&summary).contains("no type information"),
        "{}",
        notes(&summary)
    );
    assert_eq!(not_rooted(&summary), [""; 0]);
}

/// After `kill -9` the next recording has all the memory for rings again, and the target goes on.
#[test]
fn nothing_is_left_behind() {
    let (bench, _tools, seam) = open_bench();
    let (_home, program) = program_of_nobody("p-c", 60);
    let pid = arg(program.pid());
    for _ in 0..5 {
        let words = ["record", "-d", "60s", "-o", "x.json", "-p", &pid];
        let recording = Process::start(&mut as_nobody(&bench, "", &seam, &words));
        let clocks = || seam_e2e::bpf::perf_events(recording.pid());
        seam_e2e::wait::until("clocks", || (clocks() > 2).then_some(()));
        recording.signal(libc::SIGKILL);
        recording.await_end(std::time::Duration::from_secs(10));
        assert!(program.process.runs());
    }
    let words = [
        "record", "-d", "2s", "-r", "499", "-o", "y.json", "-p", &pid,
    ];
    run_well(&mut as_nobody(&bench, "", &seam, &words));
    let summary = bench.json("y.json");
    assert!(summary["samples"].as_u64() > Some(20), "{summary}");
    assert_eq!(
        summary["quality"]["lost"]["records"].as_u64().unwrap_or(0),
        0
    );
}
