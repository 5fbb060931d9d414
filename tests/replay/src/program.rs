//! Building and running the program that is stepped.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A started program, ended when dropped.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a program and waits for its first line, with which it says that it is ready.
    ///
    /// # Errors
    /// When it can't be started or ends first.
    pub fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("its stdout")?;
        std::io::BufReader::new(stdout).read_line(&mut line)?;
        ensure!(line.starts_with("ready"), "the program said {line:?}");
        Ok(Self { child })
    }

    /// Its process id, which is also its main thread's.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the stepped program with a Go version (`local` = the machine's).
///
/// # Errors
/// When go is missing or the build fails.
pub fn build(go: &str, flags: &[&str], into: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("program");
    let name = format!(
        "stepped-{go}-{}",
        flags.concat().replace(['-', '=', ' '], "")
    );
    let out = into.join(name.trim_end_matches('-'));
    let toolchain = if go == "local" {
        go.to_owned()
    } else {
        format!("go{go}")
    };
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(&out)
        .args(flags)
        .arg(".")
        .current_dir(source)
        .env("GOTOOLCHAIN", toolchain)
        .env("GOFLAGS", "-buildvcs=false")
        .status()
        .context("starting go")?;
    ensure!(
        status.success(),
        "go build of the stepped program with {go} failed"
    );
    Ok(out)
}
