//! Processes whose main thread has ended while others go on: the kernel shows them as zombies, and
//! their own ids lead to no memory.

use std::process::Command;
use std::time::Duration;

use seam_e2e::pprof::Pprof;
use seam_e2e::process::Process;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, SLACK, arg, not_rooted, parse_json, run_well, sampling};
use seam_e2e::strangers::{as_nobody, open_bench, process_of_nobody};
use seam_e2e::{places, wait};
use serde_json::Value;

/// A program, once its main thread has ended.
fn headless(mut process: Process) -> Process {
    process.line("ready", |line| (line == "ready").then_some(()));
    let stat = format!("/proc/{}/stat", process.pid());
    wait::until("the end of the main thread", || {
        let stat = std::fs::read_to_string(&stat).ok()?;
        stat.contains(") Z ").then_some(())
    });
    assert!(process.runs());
    process
}

fn of_c(words: &[&str]) -> Process {
    let file = places::c_program("headless", &[]);
    headless(Process::start(Command::new(file).args(words)))
}

fn of_go() -> Process {
    let file = places::go_program("headless-go", None, &[]);
    headless(Process::start(&mut Command::new(file)))
}

/// Stacks of the two ways into C are whole, and there are no others in it.
fn whole_stacks(profile: &Pprof) {
    let goroutine = ["main.callingC", "headless_c"].as_slice();
    let thread = &["headless_thread", "main.goBack", "headless_c"];
    let mut met = [0; 2];
    for stack in profile.stacks.iter().filter(|s| s.has("headless_c")) {
        let own = |name: &&str| {
            ["main.callingC", "main.goBack"].contains(name) || name.starts_with("headless_")
        };
        let names = stack.frames.iter().map(|f| f.name.as_str());
        let path: Vec<&str> = names.filter(own).collect();
        let way = [goroutine, thread].iter().position(|way| *way == path);
        met[way.unwrap_or_else(|| panic!("{}", stack.text()))] += stack.count;
    }
    assert!(met.iter().all(|count| *count > 50), "{met:?}");
}

#[test]
fn go_and_c_are_recorded_whole() {
    let process = of_go();
    let bench = Bench::new();
    run_well(&mut bench.record(process.pid(), "-d 3s -r 499 -o x.pb.gz -o x.json"));
    whole_stacks(&bench.pprof("x.pb.gz"));
    let summary = bench.json("x.json");
    assert_eq!(not_rooted(&summary), [""; 0]);
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
    // The other ways to find it.
    for what in ["--name headless-go", "--all"] {
        let mut seam = bench.record_all(what);
        run_well(seam.args(["-d", "3s", "-r", "499", "-o", "y.pb.gz"]));
        whole_stacks(&bench.pprof("y.pb.gz"));
    }
    let options = "-d 3s -r 499 -o z.pb.gz -o z.json --compare";
    run_well(&mut bench.record(process.pid(), options));
    whole_stacks(&bench.pprof("z.pb.gz"));
    assert!(process.runs());
}

#[test]
fn without_bpf_nothing_wrong_is_shown() {
    let (bench, _tools, seam) = open_bench();
    let file = places::go_program("headless-go", None, &[]);
    let (_home, process) = process_of_nobody(&file);
    let process = headless(process);
    let pid = arg(process.pid());
    let words = "record -d 3s -r 499 -o x.json -o x.pb.gz -p";
    let words: Vec<&str> = words.split(' ').chain([pid.as_str()]).collect();
    run_well(&mut as_nobody(&bench, "", &seam, &words));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    assert_eq!(summary["recording"]["grade"], "copied-user-mode");
    let in_c = profile.count_where(|s| s.has("headless_c"));
    let whole = profile.count_where(|s| s.has("headless_c") && s.has("main.callingC"));
    assert!(in_c > 100 && whole > 50, "{whole} of {in_c}");
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
}

#[test]
fn its_goroutines_and_threads_are_told() {
    let process = of_go();
    let pid = arg(process.pid());
    let bench = Bench::new();
    let tasks = || {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
        tasks.expect("it lives").count()
    };
    let before = tasks();
    let dump = run_well(&mut bench.seam(&["dump", &pid, "--json"]));
    let after = tasks();
    let dump = parse_json(&dump.stdout.join("\n"));
    let functions = |of: &Value| -> Vec<String> {
        let number = of["stack"].as_u64().map(|n| n as usize);
        let frames = number.and_then(|n| dump["stacks"][n]["frames"].as_array());
        let names = frames.into_iter().flatten().map(|f| f["function"].as_str());
        names.flatten().map(str::to_owned).collect()
    };
    let all = |kind: &str| dump[kind].as_array().expect("a list").clone();
    let with = |kind: &str, name: &str| {
        let mut found = all(kind).into_iter();
        found.find(|of| functions(of).iter().any(|f| f == name))
    };
    let waiting = with("goroutines", "main.waiting").expect("it waits");
    assert_eq!(waiting["state"], "chan receive");
    let main = with("goroutines", "main.main").expect("it is still there");
    assert_eq!(main["goid"], 1);
    assert!(with("goroutines", "main.callingC").is_some());
    assert!(with("threads", "headless_thread").is_some(), "{dump:#}");
    // The main thread is none any more.
    let threads = all("threads");
    // Go may start a thread meanwhile.
    assert!((before..=after.max(before)).contains(&(threads.len() + 1)));
    assert!(threads.iter().all(|t| t["tid"] != process.pid()));
    let looked = run_well(&mut bench.seam(&["goroutines", "--for", "1s", &pid, "--all"]));
    let looked = looked.stdout.join("\n");
    assert!(looked.contains("main.waiting"), "{looked}");
    let doctor = run_well(&mut bench.seam(&["doctor", &pid])).stdout;
    assert!(
        doctor
            .iter()
            .any(|line| line.starts_with("stacks    whole"))
    );
    assert!(process.runs());
}

#[test]
fn what_its_threads_map_is_followed() {
    let library = places::c_program("plugin", &["-shared", "-fPIC"]);
    let library = library.to_str().expect("a plain path");
    let mut process = of_c(&["load", library]);
    let bench = Bench::new();
    let seam = sampling(&mut bench.record(process.pid(), "-d 4s -r 499 -o x.pb.gz"));
    process.send("\n");
    process.line("loaded", |line| (line == "loaded").then_some(()));
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let profile = bench.pprof("x.pb.gz");
    let whole = profile.count_where(|s| {
        s.has("plugin_leaf") && s.has("headless_work") && s.has("headless_thread")
    });
    assert!(whole > 50, "{whole}");
}

#[test]
fn a_program_that_a_thread_executes_is_followed() {
    let next = places::program("b");
    let mut process = of_c(&["exec", next.to_str().expect("a plain path"), "60"]);
    let bench = Bench::new();
    let seam = sampling(&mut bench.record(process.pid(), "-d 5s -r 499 -o x.pb.gz"));
    // Enough of the old program first.
    std::thread::sleep(Duration::from_secs(1));
    process.send("\n");
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let profile = bench.pprof("x.pb.gz");
    let old = profile.count_where(|s| s.has("headless_leaf") && s.has("headless_thread"));
    let new =
        profile.count_where(|s| s.has("main.workerB") && s.frames[0].name == "runtime.goexit");
    assert!(old > 50 && new > 50, "{old}, {new}");
}

#[test]
fn once_all_its_threads_have_ended_it_is_refused() {
    let process = of_go();
    process.signal(libc::SIGKILL);
    process.await_end(wait::PATIENCE);
    let pid = arg(process.pid());
    for words in [
        ["record", "-p", &pid].as_slice(),
        &["dump", &pid],
        &["goroutines", &pid],
        &["doctor", &pid],
    ] {
        let _ = Refusal::of(words).error_has("zombie");
    }
    let _ = Refusal::of(&["record", "--name", "headless-g[o]"]).error_has("no process matches");
}
