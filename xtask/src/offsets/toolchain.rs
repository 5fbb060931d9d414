//! Offsets by one release: an empty program that it builds, and what its DWARF says.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use seam_go::{GoModule, Offsets, Release, RuntimeOffsets};
use seam_object::Elf;

use crate::run::step;
use crate::setup::Go;
use crate::{paths, toolchains};

/// Where empty programs are built.
pub(super) struct Toolchains<'g> {
    go: &'g Go,
    /// Our own folder.
    home: PathBuf,
}

impl<'g> Toolchains<'g> {
    pub(super) fn new(go: &'g Go) -> Result<Self> {
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
        Ok(Self { go, home })
    }

    /// Builds an empty program with a release, fetching it if need be, and reads its DWARF.
    pub(super) fn offsets(&mut self, release: Release) -> Result<Offsets> {
        let name = toolchains::name(release);
        let binary = self.home.join(format!("program-{name}"));
        step(&format!("an empty program by {name}"), || {
            toolchains::go(self.go, &name)?
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
