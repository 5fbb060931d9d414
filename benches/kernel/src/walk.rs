//! The same process sampled by seam and by our programs, over the same time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::clock;
use crate::ours::{NAMES, Ours};
use crate::seam::Seam;

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// The process that is sampled
    #[arg(long)]
    target: u32,
    /// The seam that samples it
    #[arg(long)]
    seam: i32,
    /// Samples a second on each CPU, as that seam's
    #[arg(long)]
    rate: u32,
    /// How long
    #[arg(long)]
    seconds: f64,
}

/// Counts of one program; those that it does not have are 0.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Runs {
    pub(crate) time_ns: u64,
    pub(crate) runs: u64,
    /// Runs on the target, and on anything else.
    pub(crate) samples: u64,
    pub(crate) other: u64,
    pub(crate) user_frames: u64,
    pub(crate) kernel_frames: u64,
    pub(crate) in_kernel: u64,
    pub(crate) small_ns: u64,
    pub(crate) large_ns: u64,
    pub(crate) clock_ns: u64,
}

impl Runs {
    fn since(self, earlier: Self) -> Self {
        Self {
            time_ns: self.time_ns - earlier.time_ns,
            runs: self.runs - earlier.runs,
            samples: self.samples - earlier.samples,
            other: self.other - earlier.other,
            user_frames: self.user_frames - earlier.user_frames,
            kernel_frames: self.kernel_frames - earlier.kernel_frames,
            in_kernel: self.in_kernel - earlier.in_kernel,
            small_ns: self.small_ns - earlier.small_ns,
            large_ns: self.large_ns - earlier.large_ns,
            clock_ns: self.clock_ns - earlier.clock_ns,
        }
    }
}

#[derive(Serialize)]
struct Report {
    seam: Runs,
    walk: Runs,
    record: Runs,
    read_user: Runs,
}

/// Prints the runs of all programs over the time.
pub(crate) fn run(options: &Options) -> Result<()> {
    let _statistics = clock::statistics()?;
    let seam = loaded(options.seam)?;
    let ours = Ours::attach(options.target, options.rate, &NAMES)?;
    let read =
        || -> Result<[Runs; 4]> { Ok([seam.runs()?, ours.runs(0)?, ours.runs(1)?, ours.runs(2)?]) };
    // The first samples find cold tables and pages.
    sleep(Duration::from_millis(300));
    let before = read()?;
    sleep(Duration::from_secs_f64(options.seconds));
    let after = read()?;
    let of = |n: usize| after[n].since(before[n]);
    let report = Report {
        seam: of(0),
        walk: of(1),
        record: of(2),
        read_user: of(3),
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// A seam that was just started loads its kernel side within a moment.
fn loaded(pid: i32) -> Result<Seam> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        // Not before its first sample: until then it has no tables.
        if let Some(seam) = Seam::of(pid)
            && seam.runs()?.runs > 0
        {
            return Ok(seam);
        }
        if Instant::now() > end {
            bail!("process {pid} has no sampling program of seam");
        }
        sleep(Duration::from_millis(10));
    }
}
