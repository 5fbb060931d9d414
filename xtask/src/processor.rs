//! The processors that seam is built for, and what building for another one than the machine's
//! takes.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::run::Run;
use crate::setup;

/// A processor.
#[derive(Clone, Copy, Debug, Default, Hash, PartialEq, Eq, ValueEnum)]
pub(crate) enum Processor {
    #[default]
    #[value(name = "x86-64")]
    X86_64,
    #[value(name = "arm64")]
    Arm64,
}

/// Debian's cross compilers.
const CC: &str = "aarch64-linux-gnu-gcc";
/// Where Debian has libelf.a and libz.a.
const STATIC_LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu";

impl Processor {
    /// Rust's name for it.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The kernel's name for it.
    pub(crate) fn uname(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    /// Debian's name for it.
    pub(crate) fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The C compiler for it.
    pub(crate) fn cc(self) -> &'static str {
        match self {
            Self::X86_64 => "gcc",
            Self::Arm64 => CC,
        }
    }

    /// `go` that builds for it.
    pub(crate) fn go(self, run: Run) -> Run {
        let run = run.env("CC", self.cc());
        match self {
            Self::X86_64 => run,
            Self::Arm64 => run.env("GOARCH", self.debian()),
        }
    }

    /// A command that runs its programs here.
    pub(crate) fn run(self, program: &std::path::Path) -> Run {
        match self {
            Self::X86_64 => Run::new(program),
            Self::Arm64 => Run::new("qemu-aarch64-static").arg(program),
        }
    }

    /// cargo that builds static executables for it.
    pub(crate) fn static_cargo(self, run: Run) -> Result<Run> {
        let run = run.args(["--target", self.target()]);
        Ok(match self {
            Self::X86_64 => run
                .env("RUSTFLAGS", "-C target-feature=+crt-static")
                .env("LIBBPF_SYS_LIBRARY_PATH", STATIC_LIBRARIES),
            Self::Arm64 => {
                let root = sysroot()?;
                let include = format!("-I{}", root.join("usr/include").display());
                // What runs while building is for this machine, and needs its own libraries.
                run.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", CC)
                    .env("CC_aarch64_unknown_linux_gnu", CC)
                    .env(
                        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
                        "-C target-feature=+crt-static",
                    )
                    .env(
                        "LIBBPF_SYS_LIBRARY_PATH_aarch64_unknown_linux_gnu",
                        root.join("usr/lib/aarch64-linux-gnu"),
                    )
                    .env(
                        "LIBBPF_SYS_LIBRARY_PATH_x86_64_unknown_linux_gnu",
                        STATIC_LIBRARIES,
                    )
                    .env("LIBBPF_SYS_EXTRA_CFLAGS", include)
            }
        })
    }
}

/// Libraries of arm64, unpacked and not installed.
pub(crate) fn sysroot() -> Result<PathBuf> {
    Ok(setup::cache()?.join("arm64/sysroot"))
}
