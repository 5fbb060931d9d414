//! Where things are: the repository, the seam under test, the programs it is tested on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The repository's root.
#[must_use]
pub fn repository() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors()
        .nth(2)
        .expect("the crate is in tests/e2e")
        .to_owned()
}

/// Cargo's output folder, in which xtask has one too.
fn target() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    repository().join(folder)
}

/// The `seam` to test: `SEAM_BIN`, or the release build of this repository.
///
/// # Panics
/// When it does not exist.
#[must_use]
pub fn seam() -> PathBuf {
    let path = std::env::var_os("SEAM_BIN").map_or_else(
        || target().join("release/seam"),
        |path| repository().join(path),
    );
    assert!(
        path.is_file(),
        "{} does not exist; run cargo build --release, or set SEAM_BIN",
        path.display()
    );
    path
}

/// The folder that has a folder of programs for each Go version.
fn programs() -> PathBuf {
    std::env::var_os("SEAM_PROGRAMS")
        .map_or_else(|| target().join("programs"), |path| repository().join(path))
}

/// One test program by the machine's Go; built if it is not there.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    program_by(machine_go(), name)
}

/// One test program by one Go version (`go1.26.8`); built if it is not there.
///
/// # Panics
/// When it can't be built.
#[must_use]
pub fn program_by(version: &str, name: &str) -> PathBuf {
    let path = programs().join(version).join(name);
    if !path.is_file() {
        build_program(&["--go", version, "--only", name], &path);
    }
    path
}

/// A program of tests/programs/real; built if it is not there.
///
/// # Panics
/// When it can't be built.
#[must_use]
pub fn real(file: String) -> PathBuf {
    let path = programs().join("real").join(&file);
    if !path.is_file() {
        let name = file.trim_end_matches(".so");
        build_program(&["--real", "--only", name], &path);
    }
    path
}

fn build_program(words: &[&str], path: &Path) {
    let output = Command::new(env!("CARGO"))
        .args(["xtask", "programs"])
        .args(words)
        .current_dir(repository())
        .output()
        .expect("cargo runs: it started this test");
    let shown = path.display();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown} can't be built:\n{told}");
    assert!(
        path.is_file(),
        "cargo xtask programs did not make {shown}; is SEAM_PROGRAMS right?"
    );
}

/// One test program by the machine's Go, built in another way (`cargo xtask programs --shape`);
/// built if it is not there.
///
/// # Panics
/// When it can't be built.
#[must_use]
pub fn program_as(shape: &str, name: &str) -> PathBuf {
    let folder = format!("{}-as-{shape}", machine_go());
    let path = programs().join(folder).join(name);
    if !path.is_file() {
        build_program(&["--shape", shape, "--only", name], &path);
    }
    path
}

/// The Go versions by which a program is tested.
///
/// `SEAM_MATRIX` names programs as `go1.24.11/b`, separated by spaces; else `SEAM_GO_VERSIONS`
/// holds versions, separated by commas; else it is the machine's.
#[must_use]
pub fn versions_of(name: &str) -> Vec<String> {
    if let Ok(matrix) = std::env::var("SEAM_MATRIX") {
        let wanted = matrix.split_whitespace().filter_map(|word| {
            let (version, program) = word.split_once('/')?;
            (program == name).then(|| version.to_owned())
        });
        return wanted.collect();
    }
    match std::env::var("SEAM_GO_VERSIONS") {
        Ok(list) => list
            .split(',')
            .map(|v| format!("go{}", v.trim().trim_start_matches("go")))
            .collect(),
        Err(_) => vec![machine_go().to_owned()],
    }
}

/// The Go versions to test a program with that has no truth file: a run's matrix does not list it,
/// and the machine's Go builds it when it is asked for.
pub fn versions_of_unlisted(name: &str) -> Vec<String> {
    let listed = versions_of(name);
    if listed.is_empty() {
        return vec![machine_go().to_owned()];
    }
    listed
}

/// The version of the machine's Go, as `go1.26.8`.
///
/// # Panics
/// When there is no Go.
pub fn machine_go() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let output = go()
            .args(["env", "GOVERSION"])
            .current_dir("/")
            .output()
            .expect("go is in PATH or in /usr/local/go/bin; cargo xtask setup installs it");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

/// The `go` command: `SEAM_GO`, else the usual place (sudo has a PATH of its own), else by name.
#[must_use]
pub fn go() -> Command {
    let usual = Path::new("/usr/local/go/bin/go");
    let asked = std::env::var_os("SEAM_GO").map(PathBuf::from);
    let command = match asked {
        Some(asked) => asked,
        None if usual.is_file() => usual.to_owned(),
        None => PathBuf::from("go"),
    };
    let mut command = Command::new(command);
    command.env("GOTOOLCHAIN", "local");
    command
}

/// The `cargo` target's folder for files of tests.
#[must_use]
pub fn scratch() -> PathBuf {
    let own = std::env::current_exe().expect("a running test has an executable");
    let folder = own.parent().expect("it lies in a folder").join("seam-e2e");
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    folder
}

/// A C program of `tests/e2e/programs`, built by `cc` as optimised code without frame pointers.
///
/// # Panics
/// When it can't be built.
#[must_use]
pub fn c_program(name: &str, extra: &[&str]) -> PathBuf {
    c_program_by("cc", name, extra)
}

/// The same by another compiler, which is one of the set-up's.
///
/// # Panics
/// When it can't be built.
#[must_use]
pub fn c_program_by(compiler: &str, name: &str, extra: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("programs")
        .join(name)
        .with_extension("c");
    let binary = scratch().join(name);
    let output = Command::new(compiler)
        .args(["-O2", "-g", "-fomit-frame-pointer", "-Wall", "-Wextra"])
        .args(["-Werror", "-pthread", "-o"])
        .arg(&binary)
        .arg(&source)
        .args(extra)
        .output()
        .expect("compilers are installed; cargo xtask setup does it");
    assert!(
        output.status.success(),
        "{} can't be built:\n{}",
        source.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    binary
}

/// A Go program or library of `tests/e2e/programs`, built by the machine's Go or, with a version as
/// `go1.24.11`, by another.
///
/// # Panics
/// When it can't be built.
#[must_use]
pub fn go_program(name: &str, version: Option<&str>, extra: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("programs")
        .join(name);
    let binary = scratch().join(version.map_or(name.to_owned(), |v| format!("{name}-{v}")));
    let mut command = go();
    if let Some(version) = version {
        command.env("GOTOOLCHAIN", version);
    }
    let output = command
        .args(["build", "-buildvcs=false"])
        .args(extra)
        .arg("-o")
        .arg(&binary)
        .arg(".")
        .current_dir(&source)
        .output()
        .expect("go was found before");
    assert!(
        output.status.success(),
        "{} can't be built:\n{}",
        source.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    binary
}
