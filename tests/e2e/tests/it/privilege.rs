//! Running seam with less than root's privileges.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, not_rooted, run_well};

const NOBODY: u32 = 65534;

/// A folder in which anybody may write, and a seam that anybody may run.
fn open_bench() -> (Bench, Bench, PathBuf) {
    let (bench, tools) = (Bench::new(), Bench::new());
    for (folder, mode) in [(&bench, 0o777), (&tools, 0o755)] {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path(), mode).expect("the folder is ours");
    }
    let seam = tools.file("seam");
    std::fs::copy(places::seam(), &seam).expect("the folder is ours");
    (bench, tools, seam)
}

/// A program that runs as nobody, from a folder of its own: the repository may be closed to others.
fn program_of_nobody() -> (Bench, Program) {
    let home = Bench::new();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(home.path(), mode).expect("the folder is ours");
    let file = home.file("b");
    std::fs::copy(places::program("b"), &file).expect("the folder is ours");
    let mut command = Command::new(file);
    let program = Program::start_command(command.arg("60").uid(NOBODY).gid(NOBODY));
    (home, program)
}

/// A command as nobody, with capabilities.
fn as_nobody(bench: &Bench, capabilities: &str, program: &PathBuf, words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    if !capabilities.is_empty() {
        command.arg(format!("--inh-caps={capabilities}"));
        command.arg(format!("--ambient-caps={capabilities}"));
    }
    command.arg(program).args(words);
    bench.at_home(&mut command);
    command
}

#[test]
fn without_any() {
    let (bench, _tools, seam) = open_bench();
    let (_home, program) = program_of_nobody();
    let pid = arg(program.pid());
    let words = ["record", "-d", "1s", "-o", "x.html", "-p", &pid];
    let refusal = Refusal::of_command(&bench, &mut as_nobody(&bench, "", &seam, &words));
    let all = format!("{} {}", refusal.error, refusal.hint);
    for capability in ["CAP_BPF", "CAP_PERFMON"] {
        assert!(all.contains(capability), "no {capability} in {refusal:#?}");
    }
    let _ = refusal.hint_has("sudo setcap cap_bpf,cap_perfmon");
}

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
fn with_only_some() {
    let (_home, program) = program_of_nobody();
    let pid = arg(program.pid());
    for (some, missing) in [("+perfmon", "CAP_BPF"), ("+bpf", "CAP_PERFMON")] {
        let (bench, _tools, seam) = open_bench();
        let words = ["record", "-d", "1s", "-o", "x.html", "-p", &pid];
        let refusal = Refusal::of_command(&bench, &mut as_nobody(&bench, some, &seam, &words));
        let all = format!("{} {}", refusal.error, refusal.hint);
        assert!(all.contains(missing), "no {missing} in {refusal:#?}");
        let _ = refusal.hint_has("sudo setcap");
    }
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
fn no_type_information() {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-ec"]);
    shell.arg("mount -t tmpfs none /sys/kernel/btf; exec \"$@\"");
    shell.arg("sh").arg(places::seam());
    shell.args([
        "record",
        "-d",
        "1s",
        "-o",
        "x.html",
        "-p",
        &arg(program.pid()),
    ]);
    bench.at_home(&mut shell);
    let _ = Refusal::of_command(&bench, &mut shell).error_has("type information");
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
