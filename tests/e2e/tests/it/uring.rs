//! Threads that the kernel makes in a process for its own work have no user stack and no goroutine.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, arg, not_rooted, parse_json, run_well};

#[test]
fn threads_of_io_uring_are_the_kernels() {
    let program = places::c_program("uring", &[]);
    let mut target = Process::start(Command::new(&program).arg(&program));
    target.line("ready", |line| (line == "ready").then_some(()));
    let bench = Bench::new();
    run_well(&mut bench.record(target.pid(), "-d 2s -r 499 -o x.pb.gz -o x.json"));
    assert_eq!(not_rooted(&bench.json("x.json")), [""; 0]);
    let profile = bench.pprof("x.pb.gz");
    let of_kernel = |name: &str| name.starts_with("iou-wrk");
    let (mut workers, mut own) = (0, 0);
    for stack in &profile.stacks {
        let thread = stack.texts.get("thread").map_or("", String::as_str);
        if of_kernel(thread) {
            let kernel = stack.frames.iter().all(|f| f.module == "[kernel]");
            assert!(kernel, "{}", stack.text());
            workers += stack.count;
        } else {
            assert_eq!(stack.frames[0].name, "_start", "{}", stack.text());
            own += stack.count;
        }
    }
    assert!(workers > 50 && own > 10, "{workers} and {own} samples");

    let words = ["dump", &arg(target.pid()), "--json"];
    let dump = parse_json(&run_well(&mut bench.seam(&words)).stdout.join("\n"));
    let threads = dump["threads"].as_array().expect("threads").iter();
    let threads = threads.filter(|t| t["name"].as_str().is_some_and(of_kernel));
    let asleep: Vec<_> = threads.filter(|t| t["trust"] == "certain").collect();
    for thread in &asleep {
        let stack = thread["stack"].as_u64().expect("one") as usize;
        assert_eq!(dump["stacks"][stack]["end"], "root-kernel", "{thread}");
        assert_eq!(thread["waits_in"], serde_json::Value::Null, "{thread}");
    }
}
