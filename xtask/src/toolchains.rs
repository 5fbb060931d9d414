//! Go releases: which there are, and running the `go` of one.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use seam_go::{GoVersion, Release};

use crate::run::{Run, step};
use crate::setup::{self, Go, MODULE};

/// Older ones are not to be had by GOTOOLCHAIN: their go command refuses to run from the module
/// cache.
const OLDEST_BY_SWITCH: u32 = 20;
/// From this minor on the first release has a patch number.
const FIRST_WITH_PATCH: u32 = 21;

/// `go` of a release such as `go1.19.13`, fetched if it is not there.
pub(crate) fn go(machine: &Go, version: &str) -> Result<Run> {
    let release = GoVersion::parse(version).and_then(|version| version.release());
    if release.is_none_or(|release| release.minor >= OLDEST_BY_SWITCH) {
        return Ok(machine.run(version));
    }
    let root = setup::cache()?.join(version);
    if !root.join("bin/go").exists() {
        step(&format!("fetching {version}"), || {
            setup::unpack(machine.command(), version, None, &root)
        })?;
    }
    Ok(Run::new(root.join("bin/go")).env("GOROOT", &root))
}

/// The newest patch release of each minor that the module proxy lists. It lists what was asked for
/// before; every other release is to be had as well.
pub(crate) fn newest_by_minor(machine: &Go) -> Result<BTreeMap<u32, u32>> {
    let list = machine.run(machine.version());
    let list = list
        .args(["list", "-m", "-versions", MODULE])
        .dir("/")
        .text()?;
    let mut newest = BTreeMap::new();
    for release in list.split_whitespace().filter_map(release_of_module) {
        let patch = newest.entry(release.minor).or_default();
        *patch = release.patch.max(*patch);
    }
    Ok(newest)
}

/// The releases that are on this machine, oldest first.
pub(crate) fn installed(machine: &Go) -> Result<Vec<Release>> {
    let run = machine.run(machine.version()).args(["env", "GOMODCACHE"]);
    let modules = PathBuf::from(run.text()?.trim()).join("golang.org");
    let folders = [modules, setup::cache()?];
    let entries = folders.iter().filter_map(|dir| fs::read_dir(dir).ok());
    let names = entries.flatten().flatten().map(|entry| entry.file_name());
    let mut all: Vec<_> = names
        .filter_map(|name| {
            let name = name.to_str()?;
            match name.strip_prefix("toolchain@") {
                Some(module) => {
                    release_of_module(module).filter(|release| release.minor >= OLDEST_BY_SWITCH)
                }
                None => GoVersion::parse(name)?.release(),
            }
        })
        .chain(GoVersion::parse(machine.version()).and_then(|v| v.release()))
        .collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// The minor of a version such as `go1.26.8` or `1.23`.
pub(crate) fn minor(version: &str) -> Result<u32> {
    let name = format!("go{}", version.trim_start_matches("go"));
    let release = GoVersion::parse(&name).and_then(|version| version.release());
    let release = release.with_context(|| format!("{version} is no release of Go"))?;
    Ok(release.minor)
}

/// `go1.26.8`
pub(crate) fn name(release: Release) -> String {
    match release.patch {
        0 if release.minor >= FIRST_WITH_PATCH => format!("go{release}.0"),
        _ => format!("go{release}"),
    }
}

/// `v0.0.1-go1.26.8.linux-amd64` → 1.26.8; `None` for other systems and for pre-releases.
fn release_of_module(version: &str) -> Option<Release> {
    let name = version
        .strip_prefix("v0.0.1-")?
        .strip_suffix(".linux-amd64")?;
    GoVersion::parse(name)?.release()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let of = |minor, patch| Release { minor, patch };
        let module = |name: &str| release_of_module(&format!("v0.0.1-{name}"));
        assert_eq!(module("go1.26.8.linux-amd64"), Some(of(26, 8)));
        assert_eq!(module("go1.20.linux-amd64"), Some(of(20, 0)));
        assert_eq!(module("go1.26rc1.linux-amd64"), None);
        assert_eq!(module("go1.26.8.linux-arm64"), None);
        assert_eq!(name(of(20, 0)), "go1.20");
        assert_eq!(name(of(21, 0)), "go1.21.0");
        assert_eq!(name(of(21, 13)), "go1.21.13");
        assert_eq!(minor("go1.19.13").unwrap(), 19);
        assert_eq!(minor("1.23").unwrap(), 23);
        assert!(minor("newest").is_err());
    }
}
