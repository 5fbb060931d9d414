//! Go toolchains: which there are, getting one, and what a program built by it says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use seam_go::{GoModule, GoVersion, Offsets, Release, RuntimeOffsets};
use seam_object::Elf;

use crate::paths;
use crate::run::{Run, step};
use crate::setup::{self, Go, MODULE};

/// Older ones are not to be had by GOTOOLCHAIN: their go command refuses to run from the module
/// cache.
const OLDEST_BY_SWITCH: u32 = 20;
/// From this minor on the first release has a patch number.
const FIRST_WITH_PATCH: u32 = 21;

/// Where toolchains come from.
pub(super) struct Toolchains<'g> {
    go: &'g Go,
    /// The module cache.
    modules: PathBuf,
    /// Our own folder.
    home: PathBuf,
}

impl<'g> Toolchains<'g> {
    pub(super) fn new(go: &'g Go) -> Result<Self> {
        let run = go.run(go.version()).args(["env", "GOMODCACHE"]);
        let modules = PathBuf::from(run.text()?.trim());
        let home = paths::target().join("offsets");
        fs::create_dir_all(home.join("program"))?;
        // A path without a dot is looked for in GOROOT too, which Go 1.20 has in the module cache.
        fs::write(
            home.join("program/go.mod"),
            "module seam.test/offsets\n\ngo 1.19\n",
        )?;
        fs::write(
            home.join("program/main.go"),
            "package main\n\nimport _ \"runtime/pprof\"\n\nfunc main() {}\n",
        )?;
        Ok(Self { go, modules, home })
    }

    /// The newest patch release of each minor that the module proxy lists. It lists what was asked
    /// for before; every other release is to be had as well.
    pub(super) fn newest_by_minor(&self) -> Result<BTreeMap<u32, u32>> {
        let list = self.go.run(self.go.version());
        let list = list.args(["list", "-m", "-versions", MODULE]).dir("/");
        let mut newest = BTreeMap::new();
        for release in list
            .text()?
            .split_whitespace()
            .filter_map(release_of_module)
        {
            let patch = newest.entry(release.minor).or_default();
            *patch = release.patch.max(*patch);
        }
        Ok(newest)
    }

    /// The releases that are on this machine, oldest first.
    pub(super) fn installed(&self) -> Vec<Release> {
        let cached = fs::read_dir(self.modules.join("golang.org"))
            .into_iter()
            .flatten();
        let own = fs::read_dir(&self.home).into_iter().flatten();
        let names = cached.chain(own).flatten().map(|e| e.file_name());
        let mut all: Vec<_> = names
            .filter_map(|name| {
                let name = name.to_str()?;
                match name.strip_prefix("toolchain@") {
                    Some(module) => release_of_module(module)
                        .filter(|release| release.minor >= OLDEST_BY_SWITCH),
                    None => GoVersion::parse(name)?.release(),
                }
            })
            .chain(GoVersion::parse(self.go.version()).and_then(|v| v.release()))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Builds an empty program with a release, fetching it if need be, and reads its DWARF.
    pub(super) fn offsets(&mut self, release: Release) -> Result<Offsets> {
        let name = name(release);
        let binary = self.home.join(format!("program-{name}"));
        step(&format!("an empty program by {name}"), || {
            self.command(release, &name)?
                .args(["build", "-buildvcs=false", "-o"])
                .arg(&binary)
                .dir(self.home.join("program"))
                .env("CGO_ENABLED", "0")
                .env("GOFLAGS", "")
                .env("GOEXPERIMENT", "")
                .seconds(900)
                .ok()
        })?;
        read(&binary).with_context(|| format!("reading what {name} built"))
    }

    fn command(&self, release: Release, name: &str) -> Result<Run> {
        if release.minor >= OLDEST_BY_SWITCH {
            return Ok(self.go.run(name));
        }
        let root = self.home.join(name);
        if !root.join("bin/go").exists() {
            setup::unpack(self.go.command(), name, None, &root)?;
        }
        Ok(Run::new(root.join("bin/go")).env("GOROOT", &root))
    }
}

/// Reads the DWARF, and looks whether the code shows the same: what seam checks by must hold for
/// each release of the table.
fn read(binary: &Path) -> Result<Offsets> {
    let bytes = fs::read(binary)?;
    let elf = Elf::parse(bytes.as_slice())?;
    let dwarf = Offsets::from_dwarf(&elf)?.context("it has no DWARF of Go's runtime")?;
    let module = GoModule::find(&elf)?.context("it is not by Go")?;
    let found = RuntimeOffsets::find(&elf, &module);
    let silent: Vec<_> = found.moved.iter().chain(&found.unconfirmed).collect();
    if found.offsets != dwarf || !found.verified || !silent.is_empty() {
        bail!(
            "its code does not show {silent:?} where its DWARF does\n\
             hint: look at crates/go/src/offsets/evidence/patterns.rs"
        );
    }
    Ok(dwarf)
}

/// `v0.0.1-go1.26.8.linux-amd64` → 1.26.8; `None` for other systems and for pre-releases.
fn release_of_module(version: &str) -> Option<Release> {
    let name = version
        .strip_prefix("v0.0.1-")?
        .strip_suffix(".linux-amd64")?;
    GoVersion::parse(name)?.release()
}

/// `go1.26.8`
fn name(release: Release) -> String {
    match release.patch {
        0 if release.minor >= FIRST_WITH_PATCH => format!("go{release}.0"),
        _ => format!("go{release}"),
    }
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
    }
}
