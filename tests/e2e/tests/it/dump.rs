//! `seam dump`: what it says of each goroutine against what the program's own runtime says.

use std::path::{Path, PathBuf};
use std::process::Command;

use seam_e2e::go_dump::{Dumped, goroutines};
use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, arg, parse_json, path_arg, run_well};
use seam_e2e::wait;
use serde_json::Value;

/// The versions whose wait reasons, labels and layouts differ most.
fn versions() -> [&'static str; 2] {
    [places::machine_go(), "go1.21.13"]
}

/// A copy without symbols.
fn stripped(program: &Path, bench: &Bench) -> PathBuf {
    let copy = bench.file("stripped");
    let output = Command::new("strip")
        .args([path_arg("-o"), path_arg(&copy), path_arg(program)])
        .output()
        .expect("strip is installed; cargo xtask setup does it");
    assert!(output.status.success(), "{output:?}");
    copy
}

/// The frames that the runtime knows: those of Go.
fn go_frames(dumped: &Dumped) -> Vec<(String, String)> {
    let frames = dumped.frames.iter().filter(|(function, place)| {
        // C functions have no package, and files that end otherwise.
        function.contains('.') && !function.starts_with('[') && place.contains(".go:")
    });
    frames.cloned().collect()
}

/// Every goroutine that does not run is as the runtime says: state, frames, creator.
fn agrees(program: &Program, bench: &Bench, what: &str) {
    let pid = arg(program.pid());
    run_well(&mut bench.seam(&["dump", &pid, "-o", "x.txt"]));
    let own = goroutines(&program.said.dump);
    let seen = goroutines(&bench.text("x.txt"));
    let numbers =
        |all: &std::collections::BTreeMap<u64, Dumped>| all.keys().copied().collect::<Vec<u64>>();
    assert_eq!(numbers(&seen), numbers(&own), "{what}");
    let mut compared = 0;
    for (goid, own) in own.iter().filter(|(_, g)| g.state != "running") {
        let seen = &seen[goid];
        assert_eq!(seen.state, own.state, "{what}: goroutine {goid}");
        assert_eq!(seen.creator, own.creator, "{what}: goroutine {goid}");
        assert_eq!(go_frames(seen), own.frames, "{what}: goroutine {goid}");
        compared += 1;
    }
    assert_eq!(compared, 30, "{what}");
}

#[test]
fn every_waiting_goroutine_is_as_the_runtime_says() {
    for go in versions() {
        let file = places::program_by(go, "w");
        let bench = Bench::new();
        agrees(&Program::start_file(&file, 60), &bench, go);
        let stripped = stripped(&file, &bench);
        let what = format!("{go}, stripped");
        agrees(&Program::start_file(&stripped, 60), &bench, &what);
    }
}

/// The dump as JSON.
fn json(bench: &Bench, pid: i32) -> Value {
    let outcome = run_well(&mut bench.seam(&["dump", &arg(pid), "--json"]));
    parse_json(&outcome.stdout.join("\n"))
}

/// The functions of a goroutine's or thread's stack, innermost first.
fn functions<'a>(dump: &'a Value, of: &Value) -> Vec<&'a str> {
    let number = of["stack"].as_u64().expect("it has a stack") as usize;
    let frames = dump["stacks"][number]["frames"].as_array();
    let frames = frames.expect("a stack has frames").iter();
    let names = frames.map(|f| f["function"].as_str().expect("a name"));
    names.collect()
}

/// The one goroutine with a function.
fn with<'a>(dump: &'a Value, function: &str) -> &'a Value {
    let all = dump["goroutines"].as_array().expect("goroutines").iter();
    let mut found = all.filter(|g| g["stack"].is_u64() && functions(dump, g).contains(&function));
    found
        .next()
        .unwrap_or_else(|| panic!("nobody is in {function}"))
}

/// These stand on the stack in this order, with others between them.
fn in_order(functions: &[&str], expected: &[&str]) {
    let mut left = functions.iter();
    for name in expected {
        assert!(left.any(|f| f == name), "no {name} in {functions:?}");
    }
}

#[test]
fn goroutines_in_c_go_on_there() {
    for go in versions() {
        let program = Program::start_file(&places::program_by(go, "w"), 60);
        let dump = json(&Bench::new(), program.pid());
        let waiting = with(&dump, "main.cW");
        let path = ["seam_w_wait", "runtime.asmcgocall", "main.cW"];
        in_order(&functions(&dump, waiting), &path);
        assert_eq!(waiting["trust"], "certain", "{go}");
        let deep = functions(&dump, waiting);
        let depth = deep.iter().filter(|f| **f == "seam_w_wait").count();
        assert_eq!(depth, 4, "{go}: {deep:?}");
        // Parked below a callback: C stands between Go and Go.
        let back = with(&dump, "main.backW");
        let path = ["main.goWaitW", "crosscall2", "seam_w_back", "main.backW"];
        in_order(&functions(&dump, back), &path);
        assert_eq!(back["state"], "chan receive", "{go}");
        let labelled = with(&dump, "main.labelledW");
        assert_eq!(labelled["labels"]["kind"], "w", "{go}");
        assert_eq!(labelled["labels"]["ü"], "ö", "{go}");
        assert_eq!(dump["not_seen"]["not_whole"], 0, "{go}");
        assert_eq!(dump["not_seen"]["unreadable"], 0, "{go}");
    }
}

#[test]
fn threads_are_there_with_stacks() {
    let program = Program::start("w", 60);
    let dump = json(&Bench::new(), program.pid());
    let tasks = std::fs::read_dir(format!("/proc/{}/task", program.pid()));
    let tasks = tasks.expect("it runs").count();
    let threads = dump["threads"].as_array().expect("threads");
    assert_eq!(threads.len(), tasks);
    let in_c = with(&dump, "main.cW");
    let tid = &in_c["thread"];
    let thread = threads.iter().find(|t| t["tid"] == *tid);
    let thread = thread.expect("its thread is there");
    assert_eq!(thread["goid"], in_c["goid"]);
    assert_eq!(thread["waits_in"], "pause");
    let kernel = thread["kernel"].as_array().expect("a kernel stack").iter();
    let kernel: Vec<&str> = kernel.filter_map(Value::as_str).collect();
    assert!(kernel.iter().any(|f| f.contains("pause")), "{kernel:?}");
    assert!(thread["asleep_ns"].as_u64().expect("it sleeps") > 0);
}

#[test]
fn without_bpf_proc_is_what_there_is() {
    let program = Program::start("w", 60);
    let bench = Bench::new();
    let seam = bench.seam(&["dump", &arg(program.pid()), "--json"]);
    let lost = "-bpf,-perfmon,-sys_admin";
    let mut command = Command::new("setpriv");
    command.args([
        format!("--bounding-set={lost}"),
        format!("--inh-caps={lost}"),
    ]);
    command.arg(seam.get_program()).args(seam.get_args());
    bench.at_home(&mut command);
    let dump = parse_json(&run_well(&mut command).stdout.join("\n"));
    let notes = dump["notes"].to_string();
    assert!(notes.contains("threads by /proc alone"), "{notes}");
    let waiting = with(&dump, "main.cW");
    let path = ["seam_w_wait", "runtime.asmcgocall", "main.cW"];
    in_order(&functions(&dump, waiting), &path);
    assert_eq!(waiting["trust"], "certain");
}

#[test]
fn a_program_without_go_has_threads() {
    let process = Process::start(Command::new("sleep").arg("60"));
    let bench = Bench::new();
    let dump = json(&bench, process.pid());
    assert_eq!(dump["goroutines"], Value::Array(Vec::new()));
    assert_eq!(dump["target"]["go"], Value::Array(Vec::new()));
    assert_eq!(dump["threads"].as_array().map(Vec::len), Some(1));
    let outcome = run_well(&mut bench.seam(&["dump", &arg(process.pid())]));
    let text = outcome.stdout.join("\n");
    assert!(
        text.contains("no Go") && text.contains("nanosleep"),
        "{text}"
    );
    assert!(process.runs());
}

#[test]
fn what_is_shown_can_be_chosen() {
    let program = Program::start("w", 60);
    let bench = Bench::new();
    let pid = arg(program.pid());
    let shown = |options: &[&str]| {
        let words = [&["dump", &pid], options].concat();
        run_well(&mut bench.seam(&words)).stdout.join("\n")
    };
    let text = shown(&["--state", "select"]);
    assert!(
        text.contains("main.selectW") && !text.contains("chan receive"),
        "{text}"
    );
    let text = shown(&["--with", "condW$"]);
    assert!(
        text.contains("main.condW") && !text.contains("main.sendW"),
        "{text}"
    );
    let text = shown(&["--without", "^main\\."]);
    assert!(!text.contains("main.condW"), "{text}");
    let text = shown(&["--goroutine", "1"]);
    assert!(
        text.contains("main.main") && !text.contains("main.sendW"),
        "{text}"
    );
    let text = shown(&["--thread", &pid]);
    assert!(text.contains(&format!("{pid} w")), "{text}");
    assert!(!text.contains("goroutine  "), "{text}");
    let text = shown(&[]);
    assert!(text.contains("3 goroutines  chan send"), "{text}");
    assert!(text.contains("nothing stopped"), "{text}");
    assert!(text.contains("the runtime's own"), "{text}");
    let text = shown(&["--all"]);
    assert!(
        text.contains("finalizer wait") || text.contains("GC sweep wait"),
        "{text}"
    );
}

/// pprof and the page have every goroutine, with C on the stacks of those in C.
#[test]
fn as_a_profile() {
    let program = Program::start("w", 60);
    let bench = Bench::new();
    let pid = arg(program.pid());
    run_well(&mut bench.seam(&[
        "dump", &pid, "-o", "x.pb.gz", "-o", "x.json", "-o", "x.html",
    ]));
    let profile = bench.pprof("x.pb.gz");
    assert_eq!(profile.types, ["goroutine/count"]);
    let dump = bench.json("x.json");
    let all = dump["goroutines"].as_array().expect("goroutines");
    assert_eq!(profile.count(), all.len() as i64);
    let back = profile
        .stacks
        .iter()
        .find(|s| s.has("seam_w_back"))
        .expect("it waits");
    let names: Vec<&str> = back.frames.iter().rev().map(|f| f.name.as_str()).collect();
    in_order(
        &names,
        &["runtime.gopark", "crosscall2", "seam_w_back", "main.backW"],
    );
    let receiving = all.iter().filter(|g| {
        let functions = functions(&dump, g);
        functions.contains(&"main.receiveW")
    });
    let receiving = receiving.count() as i64;
    assert!(receiving >= 3, "{receiving}");
    assert_eq!(profile.count_where(|s| s.has("main.receiveW")), receiving);
    let page = bench.page("x.html");
    assert_eq!(page.header["unit"], "goroutines");
    let output = places::go()
        .args(["tool", "pprof", "-top", path_arg(&bench.file("x.pb.gz"))])
        .output()
        .expect("go was found before");
    let top = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(top.contains("Type: goroutine"), "{top}");
}

/// --watch looks again until it is asked to end, and ends by itself with the process.
#[test]
fn again_and_again() {
    let program = Program::start("w", 60);
    let bench = Bench::new();
    let pid = arg(program.pid());
    let words = ["dump", &pid, "--watch", "200ms", "--state", "select"];
    let mut watching = Process::start(&mut bench.seam(&words));
    let mut looks = 0;
    watching.line("the third look", |line| {
        looks += u32::from(line.starts_with("w (pid "));
        (looks == 3).then_some(())
    });
    watching.signal(libc::SIGINT);
    let outcome = watching.end(std::time::Duration::from_secs(20));
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let mut watching = Process::start(&mut bench.seam(&words));
    watching.line("a look", |line| line.starts_with("w (pid ").then_some(()));
    program.process.signal(libc::SIGKILL);
    let outcome = watching.end(std::time::Duration::from_secs(20));
    assert_eq!(outcome.code(), Some(2), "{}", outcome.text());
    assert!(outcome.text().contains("error: "), "{}", outcome.text());
}

/// What runs can't be read, but is sampled: the stack is one of the program's, and is marked.
#[test]
fn threads_that_run_have_the_stack_of_a_sample() {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    let pid = arg(program.pid());
    let stack = wait::until("a thread to be sampled in its work", || {
        let dump = parse_json(
            &run_well(&mut bench.seam(&["dump", &pid, "--json"]))
                .stdout
                .join("\n"),
        );
        let threads = dump["threads"].as_array().expect("threads");
        let sampled = threads.iter().filter(|t| t["trust"] == "sampled");
        let stacks = sampled.filter_map(|t| t["stack"].as_u64());
        let stacks = stacks.map(|stack| dump["stacks"][stack as usize].clone());
        let mut stacks = stacks.map(|stack| (names_of(&stack), stack["whole"] == true));
        stacks.find(|(names, _)| names.iter().any(|name| name == "main.workerB"))
    });
    let (names, whole) = stack;
    assert!(whole, "{names:?}");
    // Innermost first; it may be anywhere in its work.
    let chain = [
        "seam_b_outer",
        "runtime.cgocall",
        "main._Cfunc_seam_b_outer",
        "main.workerB",
    ];
    if names.iter().any(|name| name == "seam_b_outer") {
        let mut left = names.iter();
        let in_order = chain.iter().all(|wanted| left.any(|name| name == wanted));
        assert!(in_order, "{names:?}");
    }
}

fn names_of(stack: &Value) -> Vec<String> {
    let frames = stack["frames"].as_array().into_iter().flatten();
    let names = frames.filter_map(|frame| frame["function"].as_str());
    names.map(str::to_owned).collect()
}

#[test]
fn the_code_of_a_thread() {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    let pid = arg(program.pid());
    // The thread of sysmon and others sleep: their stacks are known at once.
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let tids: Vec<String> = tasks
        .map(|task| {
            task.expect("it runs")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let text =
        run_well(&mut bench.seam(&["dump", &pid, "--thread", &tids.join(","), "--asm"])).text();
    let (_, code) = text
        .split_once("code of thread")
        .expect("the part asked for");
    // In a system call: the instruction behind it is next.
    for part in ["runtime.futex", "r-xp", "=> ", "call"] {
        assert!(code.contains(part), "no {part}: {text}");
    }
    assert!(!code.contains("is in no "), "{text}");
}

#[test]
fn code_that_is_not_where_files_are_is_called_out() {
    let bench = Bench::new();
    let moved = places::c_program("moved", &[]);
    let mut process = Process::start(&mut Command::new(moved));
    process.line("ready", |line| (line == "ready").then_some(()));
    let pid = arg(process.pid());
    wait::until("its thread to be sampled", || {
        let words = ["dump", &pid, "--thread", &pid, "--asm"];
        let text = run_well(&mut bench.seam(&words)).text();
        text.contains("is in no executable mapping of a file")
            .then_some(())
    });
}
