//! Programs that say they were built by a Go that seam does not know: they are recorded all the
//! same, whole, and the report says what was tried.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, not_rooted, run_well};
use seam_e2e::truth::Truth;

const PROGRAM: &str = "d";

/// A copy of the program under another version of the same length.
fn renamed(version: &str, at: &Path) {
    let own = places::machine_go();
    let file = places::program_by(own, PROGRAM);
    let mut bytes = std::fs::read(file).expect("it was built");
    assert_eq!(own.len(), version.len());
    let length = own.len();
    for at in 0..bytes.len() - length {
        if bytes[at..].starts_with(own.as_bytes()) {
            bytes[at..at + length].copy_from_slice(version.as_bytes());
        }
    }
    std::fs::write(at, bytes).expect("the folder is ours");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(at, executable).expect("the file is ours");
}

fn recorded_whole(version: &str, strip: bool, told: &str) {
    let bench = Bench::new();
    let file = bench.file("renamed");
    renamed(version, &file);
    if strip {
        let stripped = Command::new("strip").arg("-s").arg(&file).status();
        assert!(stripped.expect("binutils are installed").success());
    }
    let program = Program::start_file(&file, 6);
    run_well(&mut bench.record(program.pid(), "-d 3s -r 499 -o x.pb.gz -o x.json"));
    let (said, _) = program.end(Duration::from_secs(30));
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    assert_eq!(not_rooted(&summary), Vec::<String>::new(), "{version}");
    let notes = summary["quality"]["notes"].to_string();
    assert!(
        notes.contains(&format!("renamed is built by {version}")),
        "{notes}"
    );
    assert!(notes.contains(told), "{notes}");
    let verdict = Truth::of(PROGRAM).check(&profile, &said);
    if strip {
        // Its C functions have no names to compare. Goroutines come from offsets as well.
        let known = |goid: &i64| said.goroutines.values().any(|ids| ids.contains(goid));
        let samples = profile.count_where(|s| s.numbers.get("goid").is_some_and(known));
        assert!(samples > 20, "{samples}");
    } else {
        assert_eq!(verdict.wrong, Vec::<String>::new(), "{version}");
        assert!(verdict.application > 20, "{version}");
    }
}

#[test]
fn a_newer_version_is_read_from_its_dwarf() {
    let newer = format!("go1.9{}", &places::machine_go()[5..]);
    recorded_whole(
        &newer,
        false,
        "newer than this seam knows: runtime offsets were taken from",
    );
}

#[test]
fn a_newer_version_without_dwarf_is_tried() {
    let newer = format!("go1.9{}", &places::machine_go()[5..]);
    recorded_whole(
        &newer,
        true,
        "newer than this seam knows: tried with the offsets of Go 1.",
    );
}

#[test]
fn a_version_that_is_not_true_is_found_out() {
    let own = places::machine_go();
    let minor = if own.starts_with("go1.25") { 21 } else { 25 };
    let other = format!("go1.{minor}{}", &own[6..]);
    recorded_whole(&other, true, "taken from its code: ");
}
