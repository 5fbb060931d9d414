//! Debian packages. What counts is whether the thing is there, not which package
//! brought it, so a machine with another package manager passes when it has all.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{Run, step};

/// A package and what shows that it is not needed.
pub(crate) struct Package {
    name: &'static str,
    proof: &'static [Proof],
}

/// One of these being there is enough.
enum Proof {
    Command(&'static str),
    File(&'static str),
}

use Proof::{Command, File};

/// For compiling: the BPF side needs clang, libbpf needs libelf and zlib.
pub(crate) const BUILD: &[Package] = &[
    package("gcc", &[Command("gcc")]),
    package("g++", &[Command("g++")]),
    package("libc6-dev", &[File("/usr/include/stdio.h")]),
    package("make", &[Command("make")]),
    package("pkg-config", &[Command("pkg-config")]),
    package(
        "ca-certificates",
        &[File("/etc/ssl/certs/ca-certificates.crt")],
    ),
    package("clang-19", &[Command("clang-19")]),
    package("libelf-dev", &[File("/usr/include/libelf.h")]),
    package("zlib1g-dev", &[File("/usr/include/zlib.h")]),
];

/// For the tests: a browser for the page, gcore for core files, perf to compare with, libclang for
/// checking that the generated Rust is fresh, what other builds of the programs need, and libraries
/// of real ones.
pub(crate) const TESTS: &[Package] = &[
    package("binutils", &[Command("objdump")]),
    package("chromium", &[Command("chromium"), Command("google-chrome")]),
    package("gdb", &[Command("gcore")]),
    package("git", &[Command("git")]),
    package(
        "libclang1-19",
        &[File("/usr/lib/llvm-19/lib/libclang-19.so.1")],
    ),
    package("libosmesa6-dev", &[File("/usr/include/GL/osmesa.h")]),
    package("librocksdb-dev", &[File("/usr/include/rocksdb/c.h")]),
    package("hugo", &[File("/usr/bin/hugo")]),
    package("linux-perf", &[Command("perf")]),
    package("lld-19", &[Command("ld.lld-19")]),
    package("musl-tools", &[Command("musl-gcc")]),
    package("python3", &[File("/usr/bin/python3")]),
    package("softhsm2", &[File("/usr/lib/softhsm/libsofthsm2.so")]),
];

/// For booting other kernels.
pub(crate) const VIRTUAL_MACHINES: &[Package] = &[
    package("busybox-static", &[File("/bin/busybox")]),
    package("cpio", &[Command("cpio")]),
    package("qemu-system-x86", &[Command("qemu-system-x86_64")]),
];

/// For building and booting arm64 on another processor.
pub(crate) const ARM64: &[Package] = &[
    package("gcc-aarch64-linux-gnu", &[Command("aarch64-linux-gnu-gcc")]),
    package("g++-aarch64-linux-gnu", &[Command("aarch64-linux-gnu-g++")]),
    package(
        "libc6-dev-arm64-cross",
        &[File("/usr/aarch64-linux-gnu/lib/libc.a")],
    ),
    package("qemu-user-static", &[Command("qemu-aarch64-static")]),
    package("qemu-system-arm", &[Command("qemu-system-aarch64")]),
];

const fn package(name: &'static str, proof: &'static [Proof]) -> Package {
    Package { name, proof }
}

impl Package {
    fn present(&self) -> bool {
        self.proof.iter().any(|proof| match proof {
            Command(name) => on_path(name).is_some(),
            File(path) => Path::new(path).exists(),
        })
    }
}

/// The file that a command name stands for.
pub(crate) fn on_path(command: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(command))
        .find(|file| file.is_file())
}

/// Installs those that are not there.
pub(crate) fn install_missing(purpose: &str, packages: &[Package]) -> Result<()> {
    let missing: Vec<_> = packages
        .iter()
        .filter(|package| !package.present())
        .map(|package| package.name)
        .collect();
    install(purpose, &missing)
}

/// Installs packages by name; none is fine.
pub(crate) fn install(purpose: &str, names: &[&str]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let list = names.join(" ");
    if on_path("apt-get").is_none() {
        bail!(
            "missing for {purpose}, and there is no apt-get to install it: {list}\n\
             hint: install what your distribution calls these Debian packages"
        );
    }
    step(&format!("installing for {purpose}: {list}"), || {
        apt_get(&["update"])
            .and_then(|()| {
                apt_get(&[&["install", "--yes", "--no-install-recommends"], names].concat())
            })
            .with_context(|| {
                format!("cannot install {list}\nhint: run it by hand: apt-get install {list}")
            })
    })
}

fn apt_get(args: &[&str]) -> Result<()> {
    // `env`, because sudo does not pass variables on.
    Run::as_root("env")
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"])
        .args(["-o", "Dpkg::Use-Pty=0"])
        .args(args)
        .seconds(1200)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_is_by_any_proof() {
        let any = package("x", &[Command("no-such-command"), File("/dev/null")]);
        assert!(any.present());
        assert!(!package("x", &[Command("no-such-command")]).present());
    }
}
