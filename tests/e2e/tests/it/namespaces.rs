//! Targets and seam in namespaces of their own, as containers are.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, not_rooted, run, run_well};

/// The program in PID, mount, user, network and IPC namespaces of its own, from a file that nobody
/// outside can open by its path, and which is gone.
#[test]
fn a_target_in_a_container() {
    let bench = Bench::new();
    std::fs::create_dir(bench.file("hidden")).expect("ours");
    let script = "mount -t tmpfs none hidden; cp \"$1\" hidden/contained; cd hidden; \
                  exec 3<contained; rm contained; exec /proc/self/fd/3 60";
    let mut shell = Command::new("unshare");
    shell.args(["-Urmpnif", "--mount-proc", "sh", "-ec", script, "sh"]);
    shell.arg(places::program("d"));
    bench.at_home(&mut shell);
    let mut outer = Process::start(&mut shell);
    let inner = outer.line("the ready line", |l| {
        l.strip_prefix("ready pid=").map(str::to_owned)
    });
    assert_eq!(inner, "1", "its own id");
    let children = format!("/proc/{0}/task/{0}/children", outer.pid());
    let children = std::fs::read_to_string(children).expect("unshare runs");
    let pid = children.trim().parse().expect("one child");
    run_well(&mut bench.record(pid, "-d 2s -r 199 -o x.json -o x.pb.gz"));
    assert_eq!(not_rooted(&bench.json("x.json")), [""; 0]);
    let profile = bench.pprof("x.pb.gz");
    assert!(profile.count_where(|s| s.has("seam_d_inner") && s.has("main.workerD")) > 50);
    assert!(
        profile.stacks.iter().all(|s| s.numbers["tid"] > 2),
        "ids of the host"
    );
}

/// seam in a PID namespace: it names processes by the ids that it sees, also those that are in
/// namespaces further in, and sees no others.
#[test]
fn seam_in_a_container() {
    let bench = Bench::new();
    let script = "\"$1\" 60 >own & own=$!; \
                  unshare -pf --mount-proc \"$1\" 60 >inner & \
                  until grep -q start own && grep -q start inner; do sleep 0.1; done; \
                  inner=$(cat /proc/$!/task/$!/children); \
                  \"$2\" record -q -d 2s -r 199 -p $own,$((inner)) -o x.json -o x.pb.gz; \
                  \"$2\" record -q -d 2s -r 199 --all -o all.json; \
                  \"$2\" record -q -d 2s -r 199 -o born.json -o born.pb.gz -- \"$3\" 3 >born; \
                  echo $own $((inner)); kill $own $((inner))";
    let mut shell = Command::new("unshare");
    shell.args(["-mpf", "--mount-proc", "sh", "-ec", script, "sh"]);
    shell.args([places::program("d"), places::seam(), places::program("e")]);
    bench.at_home(&mut shell);
    let outcome = run(&mut shell);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let ids: Vec<i64> = outcome.stdout[0]
        .split(' ')
        .map(|id| id.parse().expect("an id"))
        .collect();
    assert!(ids.iter().all(|id| (2..100).contains(id)), "{ids:?}");
    let targets = |file: &str| -> Vec<i64> {
        let summary = bench.json(file);
        // With --all a process is met by its first sample.
        let not_rooted = not_rooted(&summary).into_iter();
        let other = not_rooted.filter(|r| file != "all.json" || !r.contains("table-not-ready"));
        assert_eq!(other.collect::<Vec<_>>(), [""; 0], "{file}");
        let targets = summary["recording"]["targets"]
            .as_array()
            .expect("targets")
            .iter();
        targets.filter_map(|t| t["pid"].as_i64()).collect()
    };
    assert_eq!(targets("x.json"), ids);
    let mut all = targets("all.json");
    all.retain(|pid| ids.contains(pid));
    all.sort_unstable();
    assert_eq!(all, ids);
    let profile = bench.pprof("x.pb.gz");
    assert!(profile.count_where(|s| s.has("seam_d_inner") && s.has("main.workerD")) > 50);
    assert!(profile.stacks.iter().all(|s| s.numbers["tid"] < 1000));
    // Threads that are born meanwhile.
    assert_eq!(targets("born.json").len(), 1);
    let born = bench.pprof("born.pb.gz");
    assert!(born.count_where(|s| s.has("seam_e_thread")) > 50);
}
