//! The Go toolchain for the test programs and the demo: the machine's own when
//! it can fetch other versions (from 1.21), else one pinned version, fetched as
//! the module that Go's own toolchain switch uses.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{apt, cache, remove};
use crate::run::{Run, step};

const PINNED: &str = "go1.26.8";
const PINNED_SUM: &str = "h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=";
/// The module path of all toolchains.
pub(crate) const MODULE: &str = "golang.org/toolchain";
const OLDEST_MINOR: u32 = 21;

/// A `go` command that understands `GOTOOLCHAIN`.
#[derive(Clone, Debug)]
pub(crate) struct Go {
    command: PathBuf,
    version: String,
}

impl Go {
    /// Its version, such as `go1.26.8`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The command itself.
    pub(crate) fn command(&self) -> &Path {
        &self.command
    }

    /// `go` of this version (its own or another one, which it fetches).
    pub(crate) fn run(&self, version: &str) -> Run {
        let wanted = if version == self.version {
            "local"
        } else {
            version
        };
        // A toolchain chosen by the caller's environment would not be `version`.
        Run::new(&self.command).env("GOTOOLCHAIN", wanted)
    }
}

/// The machine's `go`, or the one in our cache, or a fresh one.
pub(crate) fn find_or_install() -> Result<Go> {
    if let Some(go) = apt::on_path("go").and_then(|command| ask(&command)) {
        return Ok(go);
    }
    let home = cache()?.join(PINNED);
    let command = home.join("bin/go");
    if !command.exists() {
        step(
            &format!("installing {PINNED} to {}", home.display()),
            || install(&home),
        )?;
    }
    ask(&command).with_context(|| {
        format!(
            "{} does not run\nhint: remove {} and try again",
            command.display(),
            home.display()
        )
    })
}

impl Go {
    /// PATH with this Go before any other: tests ask for `go` by its name.
    pub(crate) fn path(&self) -> Result<OsString> {
        let own = self.command.parent().map(Path::to_owned);
        let rest = env::var_os("PATH").unwrap_or_default();
        let all = own.into_iter().chain(env::split_paths(&rest));
        env::join_paths(all).context("PATH can't be put together")
    }
}

/// Its version, when it is new enough.
fn ask(command: &Path) -> Option<Go> {
    let text = Run::new(command)
        .env("GOTOOLCHAIN", "local")
        .arg("version")
        .text()
        .ok()?;
    let version = parse_version(&text)?;
    let usable = minor(version)? >= OLDEST_MINOR;
    usable.then(|| Go {
        command: command.to_owned(),
        version: version.to_owned(),
    })
}

/// `go version go1.26.8 linux/amd64` → `go1.26.8`
fn parse_version(text: &str) -> Option<&str> {
    text.split_whitespace().nth(2)
}

fn minor(version: &str) -> Option<u32> {
    let digits = version.strip_prefix("go1.")?;
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().ok()
}

/// Lets an older `go` fetch the toolchain: it knows where modules come from,
/// by GOPROXY or its own default, and checks what it gets.
fn install(home: &Path) -> Result<()> {
    if env::consts::ARCH != "x86_64" {
        bail!(
            "no Go from 1.{OLDEST_MINOR} on PATH, and none pinned for {}\n\
             hint: install Go {PINNED} or newer",
            env::consts::ARCH
        );
    }
    if apt::on_path("go").is_none() {
        apt::install("fetching Go", &["golang-go"])?;
    }
    unpack(Path::new("go"), PINNED, Some(PINNED_SUM), home)
}

/// Fetches a toolchain as a module and makes a GOROOT of it. Without a sum to compare with, the go
/// command asks the public database.
pub(crate) fn unpack(go: &Path, version: &str, sum: Option<&str>, home: &Path) -> Result<()> {
    let modules = home.with_extension("modules");
    remove(&modules)?;
    let mut download = Run::new(go)
        .args(["mod", "download", "-json"])
        .arg(format!("{MODULE}@v0.0.1-{version}.linux-amd64"))
        .dir(env::temp_dir())
        .env("GO111MODULE", "on")
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-modcacherw")
        .env("GOMODCACHE", &modules);
    if sum.is_some() {
        // The sum is stricter than the public database, and works offline.
        download = download.env("GONOSUMDB", MODULE);
    }
    let answer = download
        .seconds(900)
        .text()
        .with_context(|| format!("cannot download {version}\nhint: is GOPROXY reachable?"))?;
    let unpacked = verified(&answer, version, sum)?;
    restore(&unpacked)?;
    remove(home)?;
    fs::rename(&unpacked, home)
        .with_context(|| format!("cannot move {version} to {}", home.display()))?;
    remove(&modules)
}

/// The folder of the downloaded module, if its sum is the wanted one.
fn verified(answer: &str, version: &str, sum: Option<&str>) -> Result<PathBuf> {
    let answer: Value =
        serde_json::from_str(answer).context("go mod download did not answer with JSON")?;
    let field = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    if let Some(sum) = sum.filter(|sum| *sum != field("Sum")) {
        bail!(
            "the download of {version} has the sum {:?}, not {sum:?}\n\
             hint: do not use it; something between here and GOPROXY altered it",
            field("Sum")
        );
    }
    Ok(PathBuf::from(field("Dir")))
}

/// Undoes what a module zip cannot hold: executable bits and nested go.mod files.
fn restore(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            restore(&path)?;
        } else if path.file_name().is_some_and(|name| name == "_go.mod") {
            fs::rename(&path, dir.join("go.mod"))?;
        } else if is_tool(&path) {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

fn is_tool(path: &Path) -> bool {
    let dir = path.parent().unwrap_or(path);
    let in_tools = dir
        .parent()
        .is_some_and(|above| above.ends_with("pkg/tool"));
    in_tools
        || (dir.ends_with("bin")
            && dir
                .parent()
                .is_some_and(|above| above.join("VERSION").exists()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let text = "go version go1.26.8 linux/amd64\n";
        assert_eq!(parse_version(text), Some("go1.26.8"));
        assert_eq!(minor("go1.19"), Some(19));
        assert_eq!(minor("go1.27rc1"), Some(27));
        assert_eq!(minor("devel"), None);
    }

    #[test]
    fn another_sum_is_refused() {
        let good = format!(r#"{{"Sum": "{PINNED_SUM}", "Dir": "/x"}}"#);
        assert_eq!(
            verified(&good, PINNED, Some(PINNED_SUM)).unwrap(),
            PathBuf::from("/x")
        );
        let other = r#"{"Sum": "h1:other", "Dir": "/x"}"#;
        assert!(verified(other, PINNED, Some(PINNED_SUM)).is_err());
        assert!(verified(other, PINNED, None).is_ok());
    }

    #[test]
    fn tools_become_executable_and_modules_whole() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for dir in ["bin", "pkg/tool/linux_amd64", "src/cmd/bin"] {
            fs::create_dir_all(at(dir)).unwrap();
        }
        let files = [
            "VERSION",
            "bin/go",
            "pkg/tool/linux_amd64/link",
            "src/_go.mod",
            "src/cmd/bin/x",
        ];
        for file in files {
            fs::write(at(file), "").unwrap();
        }
        restore(root.path()).unwrap();
        let runs = |path: &str| fs::metadata(at(path)).unwrap().permissions().mode() & 0o111 != 0;
        assert!(runs("bin/go") && runs("pkg/tool/linux_amd64/link"));
        assert!(!runs("src/cmd/bin/x"));
        assert!(at("src/go.mod").exists());
    }
}
