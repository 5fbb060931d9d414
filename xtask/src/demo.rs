//! The demo: builds seam and a real SQLite application, records the application
//! from outside while it works, and leaves a flame graph.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::programs::{Variant, Wanted};
use crate::run::{Run, Running, step};
use crate::{paths, programs, setup, test};

const APPLICATION: &str = "demo-sqlite";

/// How long to record.
#[derive(Args)]
pub(crate) struct Options {
    /// Seconds to record
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

/// The task `demo`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let page = make(options.seconds)?;
    let size = fs::metadata(&page)?.len();
    println!(
        "\nflame graph: {} ({} kB)",
        paths::shown(&page),
        size / 1000
    );
    Ok(())
}

/// Makes the flame graph and returns its path.
pub(crate) fn make(seconds: u64) -> Result<PathBuf> {
    let page = paths::target().join("demo/flame.html");
    if fs::exists(&page)? {
        // What is there afterwards must be of this run.
        fs::remove_file(&page).with_context(|| format!("cannot remove {}", page.display()))?;
    }
    let go = step("set-up", setup::build)?;
    let seam = step("building seam (release)", build_seam)?;
    let wanted = Wanted {
        version: go.version().to_owned(),
        name: APPLICATION.to_owned(),
    };
    println!("── the application: SQLite with Go functions (its first build takes minutes)");
    let application = programs::build(&go, &wanted, Variant::default())?;
    let (mut running, pid) = start(&application, seconds)?;
    step(&format!("recording process {pid} for {seconds} s"), || {
        record(&seam, &pid, seconds, &page)
    })?;
    // Its time is not over yet; SIGTERM lets it close and remove its database.
    running.stop();
    if !fs::exists(&page)? {
        bail!("seam left no {}", paths::shown(&page));
    }
    Ok(page)
}

/// Starts the application and waits until it serves.
fn start(application: &Path, seconds: u64) -> Result<(Running, String)> {
    // Longer than the recording, but it ends by itself even if we are killed.
    let life = (seconds + 60).to_string();
    let mut running = Run::new(application).arg(life).start_piped()?;
    let lines = running.lines();
    let ready = running.wait_for(&lines, "ready pid=", Duration::from_secs(30))?;
    let pid = running.pid().to_string();
    if ready.strip_prefix("ready pid=") != Some(pid.as_str()) {
        bail!("the application calls itself {ready:?}, not process {pid}");
    }
    running.wait_for(&lines, "start", Duration::from_secs(30))?;
    // Read on, or a full pipe would stop it.
    std::thread::spawn(move || lines.into_iter().for_each(drop));
    Ok((running, pid))
}

fn record(seam: &Path, pid: &str, seconds: u64, page: &Path) -> Result<()> {
    let dir = page.parent().context("the page needs a folder")?;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let checks = Run::as_root("sh")
        .args(["-c", "\"$0\" doctor || true"])
        .arg(seam)
        .seconds(60)
        .text()?;
    let grade = checks
        .lines()
        .find_map(|line| line.split_once(" grade ")?.1.trim().into());
    println!("   {}", grade.unwrap_or("of unknown grade"));
    Run::as_root(&seam.to_string_lossy())
        .args(["record", "-p", pid, "-d", &format!("{seconds}s"), "-o"])
        .arg(page)
        .seconds(seconds + 60)
        .ok()
}

/// Builds the seam executable and returns its path.
pub(crate) fn build_seam() -> Result<PathBuf> {
    Run::new(test::cargo())
        .args(["build", "--release", "-p", "seam-cli", "--bin", "seam"])
        .dir(paths::root())
        .seconds(2400)
        .ok()?;
    Ok(paths::target().join("release/seam"))
}
