//! Other kernels: boots Debian's in QEMU with the static seam and test programs in an initramfs,
//! records each program there, and judges the stacks here. Needs no image and no network inside.

mod guest;
mod kernels;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::programs::{self, Variant, Wanted};
use crate::run::{Run, step};
use crate::setup::{self, Go};
use crate::{dist, paths};

/// Which kernels.
#[derive(Args)]
pub(crate) struct Options {
    /// The newest Debian kernel of this series (repeatable; default: 6.1, 6.12 and 7.0)
    #[arg(long = "kernel", value_name = "X.Y")]
    series: Vec<String>,
    /// Use this static seam instead of building one
    #[arg(long, value_name = "FILE")]
    seam: Option<PathBuf>,
}

const SERIES: [&str; 3] = ["6.1", "6.12", "7.0"];
const PROGRAMS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "n"];
/// Stacks of a program that say enough.
const ENOUGH: u64 = 50;

/// The task `vm`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let go = setup::build()?;
    setup::virtual_machines()?;
    let seam = match &options.seam {
        Some(seam) => seam.clone(),
        None => dist::make()?.join("seam"),
    };
    let judge = judge()?;
    let programs = test_programs(&go)?;
    let series = match options.series.as_slice() {
        [] => SERIES.map(str::to_owned).to_vec(),
        asked => asked.to_vec(),
    };
    let mut failed = Vec::new();
    for series in &series {
        let kernel = kernels::newest(series)?;
        println!("── {}", kernel.name);
        let report = guest::boot(&kernel.image, &seam, &programs)?;
        println!("   {}", report.release);
        for name in PROGRAMS {
            match judged(&judge, &report, name) {
                Ok(text) => println!("   {name}: {text}"),
                Err(error) => {
                    println!("   {name}: {error:#}");
                    failed.push(format!("{name} on {}", report.release));
                }
            }
        }
    }
    if !failed.is_empty() {
        bail!("not whole: {}", failed.join(", "));
    }
    Ok(())
}

fn test_programs(go: &Go) -> Result<Vec<PathBuf>> {
    let build = |name: &str| {
        let wanted = Wanted {
            version: go.version().to_owned(),
            name: name.to_owned(),
        };
        programs::build(go, &wanted, Variant::default())
    };
    PROGRAMS.into_iter().map(build).collect()
}

fn judge() -> Result<PathBuf> {
    step("building the judge", || {
        Run::new(env!("CARGO"))
            .args(["build", "--release", "--package", "seam-bench-whole"])
            .dir(paths::root())
            .seconds(1200)
            .ok()
    })?;
    Ok(paths::target().join("release/seam-bench-whole"))
}

fn judged(judge: &Path, report: &guest::Report, name: &str) -> Result<String> {
    let profile = report.profiles.get(name);
    let profile = profile.with_context(|| format!("seam said: {}", report.told(name)))?;
    let text = Run::new(judge)
        .args(["whole", name, "seam"])
        .arg(profile)
        .dir(paths::root())
        .text()?;
    let counts: Value = serde_json::from_str(&text).context("the judge's answer")?;
    let of = |key: &str| counts[key].as_u64().unwrap_or(0);
    let (own, whole) = (of("counted"), of("whole"));
    let text = format!("{whole} of {own} stacks whole, {} samples", of("all"));
    if own < ENOUGH || whole != own {
        bail!("{text}");
    }
    Ok(text)
}
