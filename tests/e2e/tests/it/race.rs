//! A Go program built with -race: each access to memory is a call of C by a switch of its own.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::pprof::Stack;
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, not_rooted, run_well};

#[test]
fn calls_of_the_race_detector() {
    let bench = Bench::new();
    let program = places::go_program("race-go", None, &["-race"]);
    let mut process = Process::start(&mut Command::new(program));
    process.line("ready", |line| (line == "ready").then_some(()));
    run_well(&mut bench.record(process.pid(), "-d 4s -r 997 -o x.pb.gz -o x.json"));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    assert_eq!(not_rooted(&summary), [""; 0]);
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
    let detector = |s: &Stack| s.frames.iter().any(|f| f.name.starts_with("__tsan_"));
    // What stands before main.touch, and nothing in between.
    let ways = [
        ["runtime.main", "main.main", "main.touching"].as_slice(),
        &["main.callingC", "race_c", "goTouch", "main.goTouch"],
    ];
    let mut met = [0; 2];
    for stack in profile.stacks.iter().filter(|s| detector(s)) {
        let own = |name: &&str| {
            let wrapper = name.contains("_Cfunc_") || name.contains("gowrap");
            name.starts_with("main.") && !wrapper || *name == "race_c" || *name == "goTouch"
        };
        let names = stack.frames.iter().map(|f| f.name.as_str());
        let path: Vec<&str> = names
            .filter(|name| own(name) || *name == "runtime.main")
            .collect();
        // The detector's caller is touch, or what else works in memory: the callback itself, or
        // a function on the way there.
        let way = ways
            .iter()
            .position(|way| path.starts_with(&way[..way.len() - 1]) || way.starts_with(&path));
        let way = way.unwrap_or_else(|| panic!("{path:?}: {}", stack.text()));
        assert_eq!(stack.frames[0].name, "runtime.goexit", "{}", stack.text());
        if path.split_last().is_some_and(|(_, rest)| rest == ways[way])
            && path.last() == Some(&"main.touch")
        {
            met[way] += stack.count;
        }
    }
    assert!(met.iter().all(|count| *count > 50), "{met:?}");
}
