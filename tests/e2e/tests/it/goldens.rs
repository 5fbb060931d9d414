//! Help texts and the version, as they are in `golden/`. `SEAM_UPDATE_GOLDEN=1` writes them anew.

use std::path::Path;

use seam_e2e::seam::Bench;

/// Compares what seam prints with a golden file.
fn golden(name: &str, words: &[&str], code: i32) {
    let bench = Bench::new();
    let mut seam = bench.seam(words);
    let outcome = seam_e2e::seam::run(seam.env("COLUMNS", "100"));
    assert_eq!(outcome.code(), Some(code), "{}", outcome.text());
    assert_eq!(bench.names(), [""; 0]);
    let mut printed = outcome.stdout.join("\n") + "\n";
    if !outcome.stderr.is_empty() {
        printed += &format!("── stderr\n{}\n", outcome.stderr.join("\n"));
    }
    let printed = printed.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    if std::env::var_os("SEAM_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &printed).expect("the repository is writable");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        printed == expected,
        "{name} is out of date (SEAM_UPDATE_GOLDEN=1 writes it anew)\n{printed}"
    );
    let wide = printed.lines().find(|line| line.chars().count() > 100);
    assert!(wide.is_none(), "{wide:?}");
}

#[test]
fn help() {
    golden("help.txt", &["--help"], 0);
}

#[test]
fn short_help() {
    golden("help-short.txt", &["-h"], 0);
}

#[test]
fn record_help() {
    golden("record-help.txt", &["record", "--help"], 0);
}

#[test]
fn record_short_help() {
    golden("record-help-short.txt", &["record", "-h"], 0);
}

#[test]
fn dump_help() {
    golden("dump-help.txt", &["dump", "--help"], 0);
}

#[test]
fn goroutines_help() {
    golden("goroutines-help.txt", &["goroutines", "--help"], 0);
}

#[test]
fn doctor_help() {
    golden("doctor-help.txt", &["doctor", "--help"], 0);
}

#[test]
fn version() {
    golden("version.txt", &["--version"], 0);
}

#[test]
fn nothing() {
    golden("nothing.txt", &[], 2);
}
