//! Tables that are kept between recordings: used when they are there and sound, never needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, arg, not_rooted, run, run_well};

const OPTIONS: &str = "-q -d 1s -r 199 -o x.json -o x.pb.gz";

/// Records the program with a cache below `base`; every stack must be whole. Gives the number of
/// tables that did not have to be built.
fn recorded(program: &Program, base: &Path) -> u64 {
    let bench = Bench::new();
    let mut seam = bench.record(program.pid(), OPTIONS);
    run_well(seam.env("XDG_CACHE_HOME", base));
    let summary = bench.json("x.json");
    assert_eq!(not_rooted(&summary), [""; 0]);
    assert!(
        bench
            .pprof("x.pb.gz")
            .count_where(|s| s.has("seam_d_outer"))
            > 50
    );
    summary["cost"]["tables_found"].as_u64().expect("a count")
}

fn stored(base: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(base.join("seam/tables"));
    let entries = entries.map(|all| all.map(|e| e.expect("readable").path()).collect());
    entries.unwrap_or_default()
}

#[test]
fn tables_are_used_again() {
    let program = Program::start("d", 60);
    let home = Bench::new();
    assert_eq!(recorded(&program, home.path()), 0);
    let first = stored(home.path());
    assert!(first.len() >= 2, "{first:?}");
    assert_eq!(recorded(&program, home.path()), first.len() as u64);
    // Damaged: cut off, changed, emptied.
    for (n, file) in first.iter().enumerate() {
        let mut bytes = std::fs::read(file).expect("ours");
        match n % 3 {
            0 => bytes.truncate(bytes.len() / 2),
            1 => {
                let at = bytes.len() / 3;
                bytes[at] ^= 0xff;
            }
            _ => bytes.clear(),
        }
        std::fs::write(file, bytes).expect("ours");
    }
    assert_eq!(recorded(&program, home.path()), 0);
    assert_eq!(recorded(&program, home.path()), first.len() as u64);
}

#[test]
fn two_at_once_share_the_folder() {
    let program = Program::start("d", 60);
    let home = Bench::new();
    let benches = [Bench::new(), Bench::new()];
    let start = |bench: &Bench| {
        let mut seam = bench.record(program.pid(), OPTIONS);
        Process::start(seam.env("XDG_CACHE_HOME", home.path()))
    };
    for seam in benches.each_ref().map(start) {
        let outcome = seam.end(std::time::Duration::from_secs(30));
        assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    }
    let found = recorded(&program, home.path());
    assert_eq!(found, stored(home.path()).len() as u64);
}

#[test]
fn a_folder_that_can_not_be_used_is_done_without() {
    let program = Program::start("d", 60);
    // A link to a folder that somebody else controls.
    let (linked, elsewhere) = (Bench::new(), Bench::new());
    std::os::unix::fs::symlink(elsewhere.path(), linked.file("seam")).expect("ours");
    assert_eq!(recorded(&program, linked.path()), 0);
    assert_eq!(elsewhere.names(), [""; 0]);
    // Not a folder, and one that is not there and can't be made.
    let file = Bench::new();
    std::fs::write(file.file("seam"), "mine").expect("ours");
    assert_eq!(recorded(&program, file.path()), 0);
    assert_eq!(file.text("seam"), "mine");
    assert_eq!(recorded(&program, Path::new("/proc/none/such")), 0);
    // Full, and read-only.
    for mount in ["-o size=16k", "-o ro"] {
        let bench = Bench::new();
        std::fs::create_dir(bench.file("cache")).expect("ours");
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "sh", "-ec"]);
        let script = format!("mount -t tmpfs {mount} none cache; \"$@\"; find cache -type f");
        shell.arg(script).arg("sh").arg(places::seam());
        shell.args(["record", "-p", &arg(program.pid())]);
        shell.args(OPTIONS.split(' '));
        bench.at_home(&mut shell);
        let outcome = run(shell.env("XDG_CACHE_HOME", bench.file("cache")));
        assert_eq!(outcome.code(), Some(0), "{mount}: {}", outcome.text());
        assert_eq!(outcome.stdout, [""; 0], "{mount}: half a table");
        assert_eq!(not_rooted(&bench.json("x.json")), [""; 0], "{mount}");
    }
}
