//! Code made at run time: machine code written by hand, with frame pointers and without, from C and
//! from Go, in pages of several kinds. What each stack must be is known.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use seam_e2e::places;
use seam_e2e::pprof::{Pprof, Stack};
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, not_rooted, run_well};
use serde_json::Value;

/// The frames below `made_round`, outermost first, and what their stacks may rest on. A sample can
/// be in the middle of each.
const PATHS: [(&str, &[&str]); 3] = [
    ("made_calls;made_frame;made_leaf", &["guessed", CHAINED]),
    ("made_calls;made_back;made_work;made_c_leaf", &[CHAINED]),
    ("made_calls;made_bare;made_work;made_c_leaf", &["guessed"]),
];
/// Where the samples are, most of the time.
const FREQUENT: [&str; 4] = [
    "made_calls;made_frame",
    "made_calls;made_frame;made_leaf",
    "made_calls;made_back;made_work;made_c_leaf",
    "made_calls;made_bare;made_work;made_c_leaf",
];
const CHAINED: &str = "frame-pointers";

/// Starts a program and waits until it is ready.
fn ready(command: &mut Command) -> Process {
    let mut process = Process::start(command);
    process.line("ready", |line| (line == "ready").then_some(()));
    process
}

fn recorded(bench: &Bench, process: &Process) -> (Pprof, Value) {
    let pid = process.pid();
    run_well(&mut bench.record(pid, "-d 3s -r 997 -o x.pb.gz -o x.json"));
    std::fs::remove_file(names_of(process)).expect("the program has written it");
    (bench.pprof("x.pb.gz"), bench.json("x.json"))
}

fn names_of(process: &Process) -> String {
    format!("/tmp/perf-{}.map", process.pid())
}

/// Every stack through `made_round` has one of the paths, and all of them come up.
fn check(profile: &Pprof, summary: &Value, root: &str) {
    assert_eq!(not_rooted(summary), [""; 0]);
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
    let mut met: BTreeMap<String, i64> = BTreeMap::new();
    for stack in &profile.stacks {
        let Some(at) = stack.frames.iter().position(|f| f.name == "made_round") else {
            continue;
        };
        assert_eq!(stack.frames[0].name, root, "{}", stack.text());
        let below = stack.frames[at + 1..].iter();
        let user = below.filter(|f| f.module != "[kernel]" && f.name != "rounds");
        let path: Vec<&str> = user.map(|f| f.name.as_str()).collect();
        let path = path.join(";");
        let unwound = stack.texts.get("unwound").map_or("", String::as_str);
        if path.contains("made_stale") {
            // Its frame holds what looks like a return address: a guess may be wrong, and is told.
            // Frame pointers lead out of it now and then: then the stack must be right.
            match unwound {
                CHAINED => assert_eq!(path, "made_calls;made_stale", "{}", stack.text()),
                _ => assert_eq!(unwound, "guessed", "{}", stack.text()),
            }
            continue;
        }
        let of_path = PATHS.iter().find(|(whole, _)| whole.starts_with(&path));
        let (_, known) = of_path.unwrap_or_else(|| panic!("{path}: {}", stack.text()));
        let made = path.contains(";made_");
        let told = if made {
            known.contains(&unwound)
        } else {
            unwound.is_empty()
        };
        assert!(told, "{unwound}: {}", stack.text());
        *met.entry(path).or_default() += stack.count;
    }
    for path in FREQUENT {
        let count = met.get(path).copied().unwrap_or(0);
        assert!(count > 20, "{count} samples of {path}: {met:?}");
    }
    let labelled = |what| {
        let has = |s: &Stack| s.texts.get("unwound").is_some_and(|text| text == what);
        profile.count_where(has)
    };
    assert_eq!(summary["quality"]["guessed"], labelled("guessed"));
    assert_eq!(summary["quality"]["frame_pointers"], labelled(CHAINED));
}

#[test]
fn code_made_by_c() {
    let program = places::c_program("made", &[]);
    for kind in ["0", "1", "2"] {
        let bench = Bench::new();
        let process = ready(Command::new(&program).arg(kind));
        let (profile, summary) = recorded(&bench, &process);
        check(&profile, &summary, "_start");
    }
}

#[test]
fn code_made_by_c_below_go() {
    let bench = Bench::new();
    let process = ready(&mut Command::new(places::go_program("made-go", None, &[])));
    let (profile, summary) = recorded(&bench, &process);
    check(&profile, &summary, "runtime.goexit");
    let goroutines =
        profile.count_where(|s| s.has("made_leaf") && s.numbers.get("goid") == Some(&1));
    assert!(goroutines > 20, "{goroutines}");
}

/// Names come from a file that anybody may have put there.
#[test]
fn names_of_strangers_are_refused() {
    let bench = Bench::new();
    let process = ready(Command::new(places::c_program("made", &[])).arg("0"));
    std::os::unix::fs::chown(names_of(&process), Some(65534), None).expect("tests run as root");
    let (profile, summary) = recorded(&bench, &process);
    assert_eq!(profile.count_where(|s| s.has("made_leaf")), 0);
    let unnamed = |s: &Stack| s.frames.iter().any(|f| f.name.starts_with("[anonymous+0x"));
    assert!(profile.count_where(unnamed) > 20);
    let notes = summary["quality"]["notes"].to_string();
    assert!(notes.contains("it belongs to user 65534"), "{notes}");
}

/// Code that is not where its file is: said plainly, and by whom it was packed where that shows.
#[test]
fn programs_whose_code_has_left_its_file() {
    let bench = Bench::new();
    let moved = places::c_program("moved", &[]);
    let mut bytes = std::fs::read(&moved).expect("it was built");
    // In the padding of e_ident, where nobody reads.
    bytes[9..13].copy_from_slice(b"UPX!");
    let marked = bench.file("moved-marked");
    std::fs::write(&marked, bytes).expect("room");
    std::fs::set_permissions(&marked, PermissionsExt::from_mode(0o755)).expect("it is ours");
    for (file, words) in [
        (&moved, "none of its file's code is mapped"),
        (&marked, "packed by UPX"),
    ] {
        let mut process = Process::start(&mut Command::new(file));
        process.line("ready", |line| (line == "ready").then_some(()));
        run_well(&mut bench.record(process.pid(), "-d 1s -r 499 -o x.json"));
        let summary = bench.json("x.json");
        let notes = summary["quality"]["notes"].to_string();
        assert!(notes.contains(words), "{notes}");
        let told = bench.run(&["doctor", &process.pid().to_string()]).text();
        assert!(told.contains("none of its file's code is mapped"), "{told}");
    }
}
