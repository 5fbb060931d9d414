//! Running seam with less than root's privileges, and BPF. Without BPF: `grades`.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, not_rooted, run_well};
use seam_e2e::strangers::{as_nobody, open_bench};

#[test]
fn without_any_on_another_user_s_process() {
    let (bench, _tools, seam) = open_bench();
    let program = Program::start("b", 60);
    let pid = arg(program.pid());
    let words = ["record", "-d", "1s", "-o", "x.html", "-p", &pid];
    let _ = Refusal::of_command(&bench, &mut as_nobody(&bench, "", &seam, &words))
        .error_has(&pid)
        .hint_has("CAP_SYS_PTRACE")
        .hint_has("sudo setcap cap_bpf,cap_perfmon");
}

#[test]
fn with_the_capabilities_that_the_hint_names() {
    let (bench, _tools, seam) = open_bench();
    let program = Program::start("d", 60);
    let pid = arg(program.pid());
    let capabilities = "+bpf,+perfmon,+sys_ptrace,+checkpoint_restore";
    let words = [
        "record", "-d", "2s", "-r", "299", "-o", "x.json", "-o", "x.pb.gz", "-p", &pid,
    ];
    run_well(&mut as_nobody(&bench, capabilities, &seam, &words));
    assert_eq!(not_rooted(&bench.json("x.json")), [""; 0]);
    assert!(bench.pprof("x.pb.gz").count_where(|s| s.has("seam_d_leaf")) > 100);
}

#[test]
fn a_memory_lock_limit_is_no_error() {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    // Without the two capabilities that lift the limit.
    let mut limited = Command::new("prlimit");
    limited.args(["--memlock=0:0", "setpriv"]);
    limited
        .arg("--bounding-set=-sys_resource,-ipc_lock")
        .arg(places::seam());
    limited.args([
        "record",
        "-d",
        "1s",
        "-o",
        "x.json",
        "-p",
        &arg(program.pid()),
    ]);
    bench.at_home(&mut limited);
    run_well(&mut limited);
    assert!(bench.json("x.json")["samples"].as_i64() > Some(20));
}
