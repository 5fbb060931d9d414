//! Building for arm64 on another processor: a cross compiler, Rust's library, and Debian's packages
//! of arm64 unpacked in the cache. The machine's own package sources stay as they are.

use anyhow::Result;

use super::{apt, cache};
use crate::debian::Apt;
use crate::processor::{Processor, sysroot};
use crate::run::{Run, step};

/// To link with, to run in a guest, and a shell there.
const PACKAGES: [&str; 6] = [
    "libelf-dev",
    "zlib1g-dev",
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "busybox-static",
];
const SUITE: &str = "bookworm";
/// What shows that all of them were unpacked.
const LAST: &str = "unpacked";

pub(super) fn install_missing() -> Result<()> {
    apt::install_missing("arm64", apt::ARM64)?;
    let target = Processor::Arm64.target();
    let installed = Run::new("rustup").args(["target", "list", "--installed"]);
    if !installed.text()?.lines().any(|line| line == target) {
        let add = Run::new("rustup").args(["target", "add", target]);
        step("fetching Rust's library for arm64", || {
            add.seconds(600).ok()
        })?;
    }
    let (home, root) = (cache()?.join("arm64"), sysroot()?);
    if root.join(LAST).exists() {
        return Ok(());
    }
    let apt = Apt::new(&home, &[SUITE], Processor::Arm64)?;
    step("fetching libraries of arm64", || {
        apt.unpack(&PACKAGES, &home.join("packages"), &root)
    })?;
    std::fs::write(root.join(LAST), PACKAGES.join(" "))?;
    Ok(())
}
