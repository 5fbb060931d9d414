//! From starting a seam to its first sample, seen from outside: no line of seam's own is timed.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::seam::Seam;

/// How often seam's counters are looked at, which is how exact the time is.
const LOOK_EVERY: Duration = Duration::from_micros(500);

/// Runs seam and prints the nanoseconds to the loaded program and to the first sample.
pub(crate) fn run(command: &[OsString]) -> Result<()> {
    let (program, arguments) = command.split_first().context("a command")?;
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()?;
    let pid = child.id() as i32;
    let mut seam = None;
    let mut loaded = Duration::ZERO;
    let sampled = loop {
        if seam.is_none() {
            seam = Seam::of(pid);
            loaded = begun.elapsed();
        }
        if let Some(found) = &seam
            && found.samples()? > 0
        {
            break begun.elapsed();
        }
        if let Some(status) = child.try_wait()? {
            bail!("seam ended before its first sample: {status}");
        }
        sleep(LOOK_EVERY);
    };
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "seam: {status}");
    println!(
        "{{\"loaded_ns\":{},\"sampled_ns\":{}}}",
        loaded.as_nanos(),
        sampled.as_nanos()
    );
    Ok(())
}
