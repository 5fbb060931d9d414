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
    go_build(&source, &toolchain, flags, &[], &out)?;
    Ok(out)
}

/// Builds a program of the library alone for arm64, which takes no other compiler.
///
/// # Errors
/// When go is missing or the build fails.
pub fn build_arm64(go: &str, flags: &[&str], into: &Path) -> Result<PathBuf> {
    let source = into.join("plain");
    std::fs::create_dir_all(&source)?;
    std::fs::write(source.join("go.mod"), "module plain\n\ngo 1.19\n")?;
    std::fs::write(source.join("main.go"), PLAIN)?;
    let toolchain = match go {
        "local" => go.to_owned(),
        version => format!("go{version}"),
    };
    let out = into.join(format!(
        "plain-arm64-{go}{}",
        flags.concat().replace('=', "")
    ));
    let cross = [("GOARCH", "arm64"), ("CGO_ENABLED", "0")];
    go_build(&source, &toolchain, flags, &cross, &out)?;
    Ok(out)
}

/// It has labels, so that their place is in its code.
const PLAIN: &str = "package main\n\nimport (\n\t\"context\"\n\t\"runtime/pprof\"\n)\n\n\
    func main() {\n\tpprof.Do(context.Background(), pprof.Labels(), func(context.Context) {})\n}\n";

fn go_build(
    source: &Path,
    toolchain: &str,
    flags: &[&str],
    environment: &[(&str, &str)],
    out: &Path,
) -> Result<()> {
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(out)
        .args(flags)
        .arg(".")
        .current_dir(source)
        .env("GOTOOLCHAIN", toolchain)
        .env("GOFLAGS", "-buildvcs=false")
        .envs(environment.iter().copied())
        .status()
        .context("starting go")?;
    ensure!(
        status.success(),
        "go build of {} with {toolchain} failed",
        source.display()
    );
    Ok(())
}
