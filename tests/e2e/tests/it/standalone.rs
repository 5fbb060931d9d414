//! The executable that users get (`cargo xtask dist`): alone, it must do everything.

use std::path::PathBuf;
use std::process::Command;

use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, arg, not_rooted, parse_json, run};

/// `SEAM_STATIC`: what `cargo xtask dist` made.
fn seam() -> PathBuf {
    let path = std::env::var_os("SEAM_STATIC").expect("SEAM_STATIC names the static seam");
    places::repository().join(path)
}

/// Runs a script with a root of its own that holds nothing but seam; `$root` is its path.
fn in_an_empty_root(bench: &Bench, script: &str) -> seam_e2e::process::Outcome {
    std::fs::create_dir(bench.file("root")).expect("ours");
    let mut shell = Command::new("unshare");
    let script = format!(
        "root=$PWD/root; mount -t tmpfs none $root; cp \"$1\" $root/seam; \
         record() {{ chroot $root /seam record \"$@\"; }}; {script}"
    );
    shell
        .args(["--mount", "sh", "-c", &script, "sh"])
        .arg(seam());
    bench.at_home(&mut shell);
    run(&mut shell)
}

#[test]
fn it_records_in_an_empty_root() {
    let program = Program::start("d", 60);
    let bench = Bench::new();
    let script = format!(
        "mkdir $root/proc $root/sys $root/out; mount -t proc proc $root/proc; \
         mount --bind /sys $root/sys; \
         record -q -p {} -d 2s -r 199 -o /out/x.json -o /out/x.html -o /out/x.pb.gz || exit 1; \
         cat $root/out/x.json",
        arg(program.pid())
    );
    let outcome = in_an_empty_root(&bench, &script);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let summary = parse_json(&outcome.stdout.join("\n"));
    assert_eq!(not_rooted(&summary), [""; 0]);
    assert!(summary["samples"].as_u64().is_some_and(|n| n > 20));
    let functions = summary["functions"].to_string();
    assert!(functions.contains("seam_d_leaf"), "{functions}");
}

#[test]
fn without_proc_it_says_so() {
    let bench = Bench::new();
    let outcome = in_an_empty_root(&bench, "record -p 1 -d 1s");
    assert_eq!(outcome.code(), Some(2), "{}", outcome.text());
    let told = outcome.stderr.join("\n");
    assert!(told.contains("error: /proc is not mounted"), "{told}");
    assert!(told.contains("hint:"), "{told}");
}
