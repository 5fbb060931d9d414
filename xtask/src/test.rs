//! Runs every test there is. A step that cannot run counts as failed: a missing
//! tool or folder must never look like success.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use crate::processor::Processor;
use crate::programs::Wanted;
use crate::run::{Run, interrupted};
use crate::setup::{Go, Node};
use crate::tally::Tally;
use crate::{demo, dist, emulated, paths, programs, setup, vm};

/// How much to test.
#[derive(Args)]
pub(crate) struct Options {
    /// Every program by every Go version, instead of one older version for each
    #[arg(long)]
    full: bool,
    /// An older Go version besides the machine's (repeatable; default: 1.21.13, 1.24.11)
    #[arg(long = "go", value_name = "VERSION")]
    versions: Vec<String>,
}

const OLDER: &[&str] = &["1.21.13", "1.24.11"];
const FULL: &[&str] = &["1.19.13", "1.21.13", "1.24.11", "1.27.3"];
/// The program without a truth file that a full run builds by all of them.
const STRESS: &str = "s";
const DEMO_SECONDS: u64 = 5;
/// A function that every recording of the demo holds.
const IN_DEMO: &str = "sqlite3VdbeExec";
const E2E: &str = "seam-e2e";

/// The tests so far.
#[derive(Default)]
struct Report {
    tally: Tally,
    unwell: Vec<String>,
}

impl Report {
    /// Runs a step. If it fails without saying how many tests failed, that is one.
    fn step<T>(&mut self, title: &str, work: impl FnOnce(&mut Tally) -> Result<T>) -> Option<T> {
        println!("\n══ {title}");
        let begun = Instant::now();
        let mut tally = Tally::default();
        let outcome = match interrupted() {
            true => Err(anyhow!("interrupted")),
            false => work(&mut tally),
        };
        if let Err(error) = &outcome {
            println!("error: {error:#}");
            tally.failed = tally.failed.max(1);
        }
        if tally.failed > 0 {
            self.unwell.push(title.to_owned());
        }
        self.tally.add(tally);
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "══ {title}: {} passed, {} failed in {seconds:.1} s",
            tally.passed, tally.failed
        );
        outcome.ok()
    }
}

/// The task `test`. Its last line is the totals, whatever happened.
pub(crate) fn run(options: &Options) -> ExitCode {
    let report = everything(options);
    println!();
    for title in &report.unwell {
        println!("failed: {title}");
    }
    let Tally { passed, failed } = report.tally;
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

fn everything(options: &Options) -> Report {
    let mut report = Report::default();
    let set_up = report.step("set-up", |_| Ok((setup::build()?, setup::tests()?)));
    let (go, node) = set_up.unzip();
    report.step("unit tests", |tally| {
        unit_tests(go.as_ref().context("there is no Go")?, tally)
    });
    let seam = report.step("release build of seam", |_| demo::build_seam());
    let wanted = report.step("test programs", |tally| {
        let go = go.as_ref().context("there is no Go")?;
        let wanted = matrix(go, options)?;
        build_programs(go, &wanted, tally)?;
        Ok(wanted)
    });
    let alone = report.step("static seam", |_| {
        Ok(dist::make(Processor::X86_64)?.join("seam"))
    });
    report.step("end-to-end tests", |tally| {
        let go = go.as_ref().context("there is no Go")?;
        let wanted = wanted.context("there are no programs")?;
        let seam = seam.context("seam was not built")?;
        let alone = alone.as_ref().context("the static seam was not built")?;
        end_to_end(go, &seam, alone, &wanted, tally)
    });
    report.step("another kernel", |tally| {
        let go = go.as_ref().context("there is no Go")?;
        let alone = alone.as_ref().context("the static seam was not built")?;
        vm::test(go, alone, Processor::X86_64, tally)
    });
    if options.full {
        report.step("unit tests of another processor", emulated::unit_tests);
        report.step("another processor", |tally| {
            let go = go.as_ref().context("there is no Go")?;
            let seam = dist::make(Processor::Arm64)?.join("seam");
            vm::test(go, &seam, Processor::Arm64, tally)
        });
    }
    page_tests(&mut report, node.as_ref());
    report
}

fn unit_tests(go: &Go, tally: &mut Tally) -> Result<()> {
    // The end-to-end tests need the programs and root: they have their own step.
    let run = Run::new(cargo())
        .args(["test", "--workspace", "--no-fail-fast", "--exclude", E2E])
        .dir(paths::root())
        .env("PATH", go.path()?)
        .seconds(2400);
    counted(run, tally)
}

/// What is built: everything by the machine's Go, and each program by one of the
/// older versions in turn, or by all of them.
fn matrix(go: &Go, options: &Options) -> Result<Vec<Wanted>> {
    let default = if options.full { FULL } else { OLDER };
    let asked: Vec<_> = match options.versions.as_slice() {
        [] => default.iter().map(|&version| version.to_owned()).collect(),
        asked => asked.to_vec(),
    };
    let older = programs::versions(go, &asked);
    let mut names = programs::all()?;
    if options.full {
        names.push(STRESS.to_owned());
    }
    let mut built_by = Vec::new();
    for name in names {
        let mut fitting = Vec::new();
        for version in &older {
            let wanted = Wanted {
                version: version.clone(),
                name: name.clone(),
            };
            match programs::too_new(&wanted)? {
                Some(why) => println!("   {name} by {version}: {why}"),
                None => fitting.push(version.clone()),
            }
        }
        built_by.push((name, fitting));
    }
    Ok(plan(go.version(), &built_by, options.full))
}

/// Of each program's older versions all, or one in turn.
fn plan(own: &str, programs: &[(String, Vec<String>)], full: bool) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (index, (name, older)) in programs.iter().enumerate() {
        let turn = older.get(index % older.len().max(1));
        let others = if full {
            older
        } else {
            turn.map_or(&[][..], std::slice::from_ref)
        };
        for version in [own.to_owned()].iter().chain(others) {
            wanted.push(Wanted {
                version: version.clone(),
                name: name.clone(),
            });
        }
    }
    wanted.dedup();
    wanted
}

fn build_programs(go: &Go, wanted: &[Wanted], tally: &mut Tally) -> Result<()> {
    programs::remove_stale()?;
    for program in wanted {
        match programs::build_and_check(go, program) {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                println!("error: {error:#}");
                tally.failed += 1;
            }
        }
    }
    Ok(())
}

/// `SEAM_MATRIX` names what was built for this run: older builds may lie around.
fn end_to_end(
    go: &Go,
    seam: &Path,
    alone: &Path,
    wanted: &[Wanted],
    tally: &mut Tally,
) -> Result<()> {
    let built: Vec<_> = wanted
        .iter()
        .map(|program| format!("{}/{}", program.version, program.name))
        .collect();
    let mut run = Run::new(cargo())
        .args([
            "test",
            "-p",
            E2E,
            "--no-fail-fast",
            "--",
            "--test-threads=1",
        ])
        .dir(paths::root())
        .env("PATH", go.path()?)
        .env("SEAM_GO", go.command())
        .env("SEAM_BIN", seam)
        .env("SEAM_STATIC", alone)
        .env("SEAM_PROGRAMS", programs::output())
        .env("SEAM_MATRIX", built.join(" "))
        .seconds(2400);
    if !nix::unistd::geteuid().is_root() {
        // Cargo builds as the user; only the test executables run as root.
        run = run.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "sudo -E");
    }
    counted(run, tally)
}

fn page_tests(report: &mut Report, node: Option<&Node>) {
    let ui = paths::root().join("ui");
    let npm = |args: &[&str]| -> Result<Run> {
        let run = node.context("there is no Node")?.run("npm");
        Ok(run.args(args).dir(&ui).seconds(600))
    };
    report.step("page: packages", |_| {
        npm(&["ci", "--no-audit", "--no-fund"])?.ok()
    });
    report.step("page: types", |_| npm(&["run", "check"])?.ok());
    report.step("page: unit tests", |tally| counted(npm(&["test"])?, tally));
    let page = report.step("demo", |_| demo::make(DEMO_SECONDS));
    report.step("page: in a browser", |tally| {
        let page = page.context("the demo left no page")?;
        let run = node
            .context("there is no Node")?
            .run("node")
            .arg("tests/page/page.mjs")
            .arg(page)
            .arg(IN_DEMO)
            .dir(paths::root());
        counted(run.seconds(600), tally)
    });
}

fn counted(run: Run, tally: &mut Tally) -> Result<()> {
    let status = run.watch(|line| tally.read(line))?;
    if !status.success() {
        bail!("ended with {status}");
    }
    Ok(())
}

/// The cargo that runs us, so that a `+toolchain` choice holds.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(full: bool) -> Vec<String> {
        let programs = [("a", "x y"), ("b", "x y"), ("c", "y"), ("d", "")].map(|(name, older)| {
            let older = older.split_whitespace().map(str::to_owned).collect();
            (name.to_owned(), older)
        });
        plan("own", &programs, full)
            .iter()
            .map(|wanted| format!("{}/{}", wanted.version, wanted.name))
            .collect()
    }

    #[test]
    fn versions_take_turns() {
        assert_eq!(
            shown(false),
            ["own/a", "x/a", "own/b", "y/b", "own/c", "y/c", "own/d"]
        );
    }

    #[test]
    fn the_full_matrix_is_full() {
        assert_eq!(shown(true).len(), 9);
    }

    #[test]
    fn a_step_that_cannot_run_counts_as_failed() {
        let mut report = Report::default();
        report.step("broken", |_| -> Result<()> { bail!("no such tool") });
        report.step("fine", |tally| {
            tally.passed += 2;
            Ok(())
        });
        assert_eq!(
            report.tally,
            Tally {
                passed: 2,
                failed: 1
            }
        );
        assert_eq!(report.unwell, ["broken"]);
    }
}
