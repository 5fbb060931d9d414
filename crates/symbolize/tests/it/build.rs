//! Builds the programs in `sources`, and changes files with objcopy.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that goes away with the test, and the programs built in it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Builds a program from one source.
    pub(crate) fn build(&self, source: &str, flags: &[&str]) -> PathBuf {
        let out = self.file(&source.replace('.', "-"));
        let compiler = if source.ends_with(".cpp") {
            "c++"
        } else {
            "cc"
        };
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources");
        let mut command = Command::new(compiler);
        command.args(["-O2", "-Wl,--build-id"]).args(flags);
        run(command.arg("-o").arg(&out).arg(sources.join(source)));
        out
    }
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}
