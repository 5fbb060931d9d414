//! How many leaked goroutines `seam goroutines` finds, and how many that are none it calls leaked:
//! measured on the bugs of Go's own test data and on program y, written to docs/goroutines.md.
//!
//! The bugs (GoKer, from cockroach, etcd, moby and others) are built from the toolchain's folder,
//! each left as it hangs. What leaks is told by the program itself: its main goroutine only sleeps,
//! so whatever waits on a channel or a lock at the end waits for ever.

mod dumped;
mod goker;
mod page;
mod seam;
mod suite;

use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::Args;

use crate::bench::machine;
use crate::bench::page as pages;
use crate::programs::{self, Variant, Wanted};
use crate::run::{need_root, step};
use crate::setup::{self, Go};
use crate::{demo, toolchains};

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// By this Go version (repeatable; default: 1.21, 1.24 and 1.27)
    #[arg(long = "go", value_name = "VERSION")]
    versions: Vec<String>,
    /// The seam to measure (default: the release build)
    #[arg(long, value_name = "FILE")]
    seam: Option<PathBuf>,
}

/// The minors that are measured.
const MINORS: [u32; 3] = [21, 24, 27];
/// The oldest minor whose test data has the bugs.
const OLDEST_WITH_BUGS: u32 = 26;

/// What was counted by one Go and one kind of build.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) build: String,
    /// Programs whose bug showed, and of these those where a leak was found.
    pub(crate) shown: u64,
    pub(crate) found: u64,
    /// Goroutines that leaked, those of them that were found, and those that were wrongly called
    /// so.
    pub(crate) leaked: u64,
    pub(crate) right: u64,
    pub(crate) wrong: u64,
    /// Leaked groups with the right cause class, of all.
    pub(crate) classed: u64,
    pub(crate) groups: u64,
    /// Programs without a leak, and of these those where one was found all the same.
    pub(crate) sound: u64,
    pub(crate) flagged: u64,
    /// What went wrong, in words.
    pub(crate) misses: Vec<String>,
}

/// The task `leaks`.
pub(crate) fn run(options: &Options) -> Result<()> {
    need_root("leaks")?;
    let begun = Instant::now();
    let go = setup::build()?;
    let seam = match &options.seam {
        Some(path) => path.clone(),
        None => step("building seam (release)", demo::build_seam)?,
    };
    let newest = toolchains::newest_by_minor(&go)?;
    let name = |minor: &u32| {
        let patch = *newest
            .get(minor)
            .context("the proxy lists no such release")?;
        let (minor, patch) = (*minor, patch);
        Ok(toolchains::name(seam_go::Release { minor, patch }))
    };
    let versions = match &options.versions[..] {
        [] => MINORS.iter().map(name).collect::<Result<Vec<_>>>()?,
        asked => programs::versions(&go, asked),
    };
    let bugs = goker::Bugs::take(&go, &name(&OLDEST_WITH_BUGS)?)?;
    let (mut of_bugs, mut of_suite, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
    for version in &versions {
        for hard in [false, true] {
            let what = if hard { "PIE, stripped" } else { "plain" };
            let build = format!("{version}, {what}");
            step(&format!("GoKer by {build}"), || {
                let binary = bugs.build(&go, version, hard)?;
                of_bugs.push(goker::measure(&seam, &binary, &build)?);
                clusters.push(goker::clusters(&seam, &binary, &build)?);
                Ok(())
            })?;
            let binary = program(&go, version, hard)?;
            step(&format!("program y by {build}"), || {
                of_suite.push(suite::measure(&seam, &binary, &build)?);
                Ok(())
            })?;
        }
    }
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let text = page::text(&page::Figures {
        bugs: &of_bugs,
        suite: &of_suite,
        clusters: &clusters,
        from: bugs.version(),
        date: &machine::today()?,
        minutes,
    });
    if !options.versions.is_empty() {
        println!("\n{text}");
        return Ok(());
    }
    pages::write("goroutines", &text)
}

/// Does one thing with each of some values, all at once, and gives the results in order.
fn at_once<N: Send, V: Send, T: Send>(
    values: Vec<(N, V)>,
    work: impl Fn(V) -> Result<T> + Sync,
) -> Vec<(N, Result<T>)> {
    let work = &work;
    thread::scope(|scope| {
        let started: Vec<_> = values
            .into_iter()
            .map(|(name, value)| (name, scope.spawn(move || work(value))))
            .collect();
        let ended = started.into_iter().map(|(name, thread)| {
            let result = thread.join();
            (name, result.unwrap_or_else(|_| Err(anyhow!("it panicked"))))
        });
        ended.collect()
    })
}

fn program(go: &Go, version: &str, hard: bool) -> Result<PathBuf> {
    let wanted = Wanted {
        version: version.to_owned(),
        name: "y".to_owned(),
    };
    let variant = Variant {
        strip: hard,
        pie: hard,
        ..Variant::default()
    };
    programs::build(go, &wanted, variant)
}
