//! Unit tests of arm64 under QEMU's user mode, which has no kernel of its own: the crates that need
//! neither BPF nor another process.

use anyhow::{Result, bail};

use crate::paths;
use crate::processor::Processor;
use crate::run::Run;
use crate::setup;
use crate::tally::Tally;

/// Those whose tests ask for no compiler of the machine and read no process from outside.
const CRATES: [&str; 10] = [
    "seam-wire",
    "seam-object",
    "seam-go",
    "seam-runtime",
    "seam-unwind",
    "seam-profile",
    "seam-analyze",
    "seam-export",
    "seam-dump",
    "seam-leaks",
];

/// Builds and runs them.
pub(crate) fn unit_tests(tally: &mut Tally) -> Result<()> {
    setup::cross(Processor::Arm64)?;
    let cargo = Run::new(env!("CARGO")).args(["test", "--no-fail-fast"]);
    let run = Processor::Arm64
        .static_cargo(cargo)?
        .args(CRATES.iter().flat_map(|name| ["--package", *name]))
        .dir(paths::root())
        .env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
            "qemu-aarch64-static",
        )
        .seconds(2400);
    let status = run.watch(|line| tally.read(line))?;
    if !status.success() {
        bail!("ended with {status}");
    }
    Ok(())
}
