//! C that nothing describes: no `.eh_frame` of its own, and none for its PLT.

use std::path::Path;
use std::process::Command;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, not_rooted, run_well};

const PATH: [&str; 5] = [
    "main",
    "seam_undescribed_big",
    "seam_undescribed_alloca",
    "seam_undescribed_pushes",
    "seam_undescribed_calls",
];
const NO_FRAMES: &str = "-fno-asynchronous-unwind-tables";

/// Whether `.eh_frame` speaks of the innermost function or of the PLT.
fn is_described(file: &Path) -> bool {
    let said_by = |tool: &str, argument: &str| {
        let output = Command::new(tool).arg(argument).arg(file).output();
        String::from_utf8(output.expect("binutils are installed").stdout).expect("a listing")
    };
    let begins = |line: &str, name: &str| {
        let mut words = line.split_whitespace();
        let (address, found) = (words.next()?, words.next_back()?);
        (found == name).then(|| address.to_owned())
    };
    let function = said_by("nm", "-p");
    let function = function.lines().find_map(|line| begins(line, PATH[4]));
    let sections = said_by("readelf", "-SW");
    let plt = sections.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|w| *w != ".plt");
        words.nth(2).map(str::to_owned)
    });
    let frames = said_by("readelf", "-wf");
    assert!(frames.contains(" FDE "), "the C library's part has some");
    [function, plt]
        .map(|address| format!(" pc={}..", address.expect("it has an address")))
        .iter()
        .any(|begin| frames.contains(begin))
}

#[test]
fn stacks_are_whole_without_unwind_information() {
    for (name, level) in [("O1", "-O1"), ("O2", "-O2"), ("O3", "-O3"), ("Os", "-Os")] {
        let linked = ["-fno-builtin", "-Wl,-z,lazy,--no-ld-generated-unwind-info"];
        let flags = [level, NO_FRAMES, "-g0", "-no-pie", linked[0], linked[1]];
        let file = places::c_program("undescribed", &flags);
        assert!(!is_described(&file), "{name}: it has unwind information");
        let mut process = Process::start(&mut Command::new(&file));
        process.line("ready", |line| (line == "ready").then_some(()));
        let bench = Bench::new();
        run_well(&mut bench.record(process.pid(), "-d 2s -r 1999 -o x.pb.gz -o x.json"));
        assert_eq!(not_rooted(&bench.json("x.json")), [""; 0], "{name}");
        let profile = bench.pprof("x.pb.gz");
        let mut in_plt = 0;
        for stack in &profile.stacks {
            let names: Vec<&str> = stack.frames.iter().map(|f| f.name.as_str()).collect();
            let ours: Vec<&str> = names.iter().copied().filter(|n| PATH.contains(n)).collect();
            assert!(PATH.starts_with(&ours), "{name}: {}", stack.text());
            let leaf = names.last().copied().unwrap_or_default();
            // Functions further out call libraries too, but seldom.
            if leaf.starts_with("[undescribed+0x") && ours == PATH {
                in_plt += stack.count;
            }
        }
        assert!(profile.count() > 20, "{name}: {}", profile.count());
        assert!(in_plt > 5, "{name}: {in_plt} samples in the PLT");
    }
}
