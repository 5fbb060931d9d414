//! Signals that Go hands on to a C handler, and stacks that a C program makes itself.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, not_rooted, run_well};

#[test]
fn handlers_called_by_go_and_stacks_of_the_programs_own() {
    let bench = Bench::new();
    let library = places::go_program("two-go", None, &["-buildmode=c-shared"]);
    let program = places::c_program("forwards", &["-ldl"]);
    let mut process = Process::start(Command::new(program).arg(library).arg("contexts"));
    process.line("ready", |line| (line == "ready").then_some(()));
    run_well(&mut bench.record(process.pid(), "-d 4s -r 997 -o x.pb.gz -o x.json"));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    // Between loading the stack pointer and pushing the return address, glibc's swapcontext says
    // the return address lies where it is not yet (2.36, seven instructions); and while the kernel
    // delivers a signal or returns from one, some registers are old and some new: 4 of 105,737.
    let whole = summary["quality"]["whole"].as_i64().expect("a number");
    assert!(profile.count() - whole <= 3, "{:?}", not_rooted(&summary));
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
    assert_eq!(summary["quality"]["guessed"], 0);
    let handler = [
        "_start",
        "main",
        "host_raise",
        "runtime.sigtramp",
        "runtime.sigtrampgo",
        "runtime.sigfwdgo",
        "runtime.sigfwd",
        "host_handler",
        "host_leaf",
    ];
    let (mut handled, mut switched) = (0, 0);
    for stack in profile.stacks.iter().filter(|s| s.has("host_leaf")) {
        let names: Vec<&str> = stack.frames.iter().map(|f| f.name.as_str()).collect();
        if stack.has("host_coroutine") {
            // Its stack begins with the address that makecontext has planted there.
            let at = names.iter().position(|name| *name == "host_coroutine");
            assert_eq!(at, Some(1), "{}", stack.text());
            assert_eq!(names[2], "host_leaf", "{}", stack.text());
            switched += stack.count;
            continue;
        }
        let known = |name: &&&str| handler.contains(name);
        let path: Vec<&str> = names.iter().filter(known).copied().collect();
        assert_eq!(path, handler, "{}", stack.text());
        handled += stack.count;
    }
    // Both spin; the machine may have other work.
    assert!(handled > 50 && switched > 50, "{handled} {switched}");
    let reasons = summary["quality"]["end_reasons"].to_string();
    assert!(reasons.contains("root-context"), "{reasons}");
}

#[test]
fn stacks_made_in_assembly_begin_where_nothing_is_described() {
    let bench = Bench::new();
    let mut process = Process::start(&mut Command::new(places::c_program("fibers", &[])));
    process.line("ready", |line| (line == "ready").then_some(()));
    run_well(&mut bench.record(process.pid(), "-d 3s -r 997 -o x.pb.gz -o x.json"));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
    assert_eq!(summary["quality"]["guessed"], 0);
    let (mut outside, mut inside) = (0, 0);
    for stack in profile.stacks.iter().filter(|s| s.has("fiber_spin")) {
        let names: Vec<&str> = stack.frames.iter().map(|f| f.name.as_str()).collect();
        if stack.has("fiber_body") {
            let path = ["fiber_make", "fiber_body", "fiber_inner", "fiber_spin"];
            assert_eq!(names[..4], path, "{}", stack.text());
            inside += stack.count;
        } else {
            let at = names.iter().position(|name| *name == "main");
            let path = ["main", "fiber_outer", "fiber_spin"];
            let at = at.unwrap_or_else(|| panic!("{}", stack.text()));
            assert_eq!(names[at..at + 3], path, "{}", stack.text());
            outside += stack.count;
        }
    }
    assert!(inside > 50 && outside > 50, "{inside} {outside}");
    // The instructions that switch are few.
    let whole = summary["quality"]["whole"].as_i64().expect("a number");
    assert!(
        whole * 100 >= profile.count() * 98,
        "{:?}",
        not_rooted(&summary)
    );
}

#[test]
fn children_made_by_vfork() {
    let bench = Bench::new();
    let program = places::c_program("vforks", &[]);
    let mut process = Process::start(&mut Command::new(program));
    process.line("ready", |line| (line == "ready").then_some(()));
    run_well(&mut bench.record(process.pid(), "-d 3s -r 997 -o x.pb.gz -o x.json"));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    assert_eq!(not_rooted(&summary), [""; 0]);
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
    let mut made = 0;
    for stack in profile.stacks.iter().filter(|s| s.has("vfork")) {
        let names: Vec<&str> = stack.frames.iter().map(|f| f.name.as_str()).collect();
        let at = names.iter().position(|name| *name == "vfork");
        let callers = &names[..at.expect("it has it")];
        let own = ["main", "round_of_children", "child_made"];
        assert!(callers.ends_with(&own), "{}", stack.text());
        made += stack.count;
    }
    assert!(made > 20, "{made}");
}

/// Where handlers return to, unwind information says with glibc, and the code with musl.
#[test]
fn handlers_in_a_static_program() {
    for (compiler, extra) in [
        ("cc", &["-static"][..]),
        ("musl-gcc", &["-static"]),
        ("musl-gcc", &[]),
    ] {
        handlers(compiler, extra);
    }
}

fn handlers(compiler: &str, extra: &[&str]) {
    let bench = Bench::new();
    let program = places::c_program_by(compiler, "handled", extra);
    let mut process = Process::start(&mut Command::new(program));
    process.line("ready", |line| (line == "ready").then_some(()));
    run_well(&mut bench.record(process.pid(), "-d 2s -r 997 -o x.pb.gz -o x.json"));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    assert_eq!(not_rooted(&summary), [""; 0], "{compiler} {extra:?}");
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
    let leaf = profile.stacks.iter().filter(|s| s.has("handler_leaf"));
    let mut count = 0;
    for stack in leaf {
        let own = ["main", "raises", "raise", "handler", "handler_leaf"];
        let names = stack.frames.iter().map(|f| f.name.as_str());
        let path: Vec<&str> = names.filter(|name| own.contains(name)).collect();
        assert_eq!(path, own, "{}", stack.text());
        count += stack.count;
    }
    assert!(count > 300, "{count}");
}
