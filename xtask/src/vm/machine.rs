//! The machines that QEMU emulates, and where what runs in them comes from.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::processor::{Processor, sysroot};
use crate::run::Run;

/// An emulated machine.
pub(super) struct Machine {
    processor: Processor,
    pub(super) emulator: &'static str,
    pub(super) arguments: &'static [&'static str],
    /// The kernel's command line.
    pub(super) kernel: &'static str,
}

/// What all of them have.
pub(super) const GUEST: [&str; 8] = [
    "-smp",
    "2",
    "-m",
    "1536",
    "-nographic",
    "-no-reboot",
    "-nic",
    "none",
];

/// One thread for all processors: with a thread for each, QEMU 7.2 now and then runs an instruction
/// that the kernel has just replaced (text_poke). Without cmpxchg16b: after an unlocked one it has
/// flags that no processor has. Kernels panic of both. The clock is the processor's counter: any
/// other means leaving the emulated code at every look.
const X86_64: Machine = Machine {
    processor: Processor::X86_64,
    emulator: "qemu-system-x86_64",
    arguments: &["-accel", "tcg,thread=single", "-cpu", "Nehalem,cx16=off"],
    kernel: "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable",
};

/// A plain processor: newer ones sign pointers, which costs an emulator much.
const ARM64: Machine = Machine {
    processor: Processor::Arm64,
    emulator: "qemu-system-aarch64",
    arguments: &[
        "-M",
        "virt",
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "cortex-a72",
    ],
    kernel: "console=ttyAMA0 quiet panic=-1 mitigations=off nokaslr",
};

/// What programs of arm64 load, from Debian's packages.
const LIBRARIES: [&str; 3] = ["libc.so.6", "libm.so.6", "libgcc_s.so.1"];
const LOADER: &str = "ld-linux-aarch64.so.1";
const MULTIARCH: &str = "lib/aarch64-linux-gnu";

impl Machine {
    pub(super) fn of(processor: Processor) -> Self {
        match processor {
            Processor::X86_64 => X86_64,
            Processor::Arm64 => ARM64,
        }
    }

    /// A static shell with everything that the guest's script calls.
    pub(super) fn busybox(&self) -> Result<PathBuf> {
        Ok(match self.processor {
            Processor::X86_64 => PathBuf::from("/bin/busybox"),
            Processor::Arm64 => sysroot()?.join("bin/busybox"),
        })
    }

    /// What a program loads, its loader included, and where it looks for that.
    pub(super) fn libraries(&self, program: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
        if self.processor == Processor::Arm64 {
            let root = sysroot()?.join(MULTIARCH);
            let own = |name: &&str| (root.join(name), Path::new("/").join(MULTIARCH).join(name));
            let loader = (root.join(LOADER), Path::new("/lib").join(LOADER));
            return Ok(LIBRARIES.iter().map(own).chain([loader]).collect());
        }
        // ldd fails for static programs, and says so on stderr.
        let script = "ldd \"$1\" 2>/dev/null || true";
        let listed = Run::new("sh").args(["-c", script, "sh"]).arg(program);
        let text = listed.text()?;
        let words = text.split_whitespace();
        Ok(words
            .filter(|word| word.starts_with('/'))
            .map(|path| (PathBuf::from(path), PathBuf::from(path)))
            .collect())
    }
}
