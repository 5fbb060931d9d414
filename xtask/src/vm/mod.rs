//! Other kernels: boots Debian's in QEMU with the static seam and test programs in an initramfs,
//! records each program there, and judges the stacks here. Needs no image and no network inside.

mod guest;
mod kernels;
mod machine;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::bench::judge;
use crate::bench::page::{self, Section, row};
use crate::processor::Processor;
use crate::programs::{self, Variant, Wanted};
use crate::run::Run;
use crate::setup::{self, Go};
use crate::tally::Tally;
use crate::{dist, paths};

use guest::{OWN_CHOICE, Round};
use machine::Machine;

/// Which kernels.
#[derive(Args)]
pub(crate) struct Options {
    /// The newest Debian kernel of this series, printed and not written (repeatable; `newest` is
    /// that of all; default: 5.10, 6.1, 6.12, 6.18 and the newest)
    #[arg(long = "kernel", value_name = "X.Y")]
    series: Vec<String>,
    /// Only the kernel and the recordings of `cargo xtask test`
    #[arg(long, conflicts_with = "series")]
    quick: bool,
    /// The processor of the guest; anything but x86-64 is printed and not written
    #[arg(long, value_enum, default_value_t)]
    arch: Processor,
    /// Use this seam instead of building the static one
    #[arg(long, value_name = "FILE")]
    seam: Option<PathBuf>,
}

/// Debian's of arm64 from the one on that programs may call functions and each other (Linux 6.0).
const SERIES_ARM64: [&str; 4] = ["6.1", "6.12", "6.18", kernels::NEWEST];
const SERIES: [&str; 5] = ["5.10", "6.1", "6.12", "6.18", kernels::NEWEST];
/// The kernel that every test run boots: Debian 12's own.
const TESTED: &str = "6.1";
const PROGRAMS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// Those that every test run records by tail calls too: callbacks, and stacks that move.
const AGAIN: [&str; 2] = ["d", "f"];
/// Stacks of a program that say enough. Emulation is slow.
const ENOUGH: u64 = 20;
/// One stack in so many may end at a word that could not be read, on a processor that leaves it to
/// the kernel to mark pages as used: a huge page that is marked old can't be read by the walk until
/// the program touches it (docs/arm64.md).
const UNREAD_SHARE: u64 = 100;
/// The form for kernels without `bpf_loop`, as `SEAM_WALK` takes it.
const TAIL_CALLS: &str = "tail-calls";

const METHOD: &str = "\
Each kernel is Debian's for virtual machines, booted in QEMU without hardware virtualisation, with
two processors and an initramfs that holds the static seam and the test programs a to f
([tests/programs](../tests/programs/README.md)). Each program is recorded for 5 s at 99 samples a
second, and its stacks are held against its known call tree, as in the end-to-end tests. *Walk* is
the form in which the kernel side runs: by `bpf_loop`, or by tail calls where the kernel has no such
helper; on 6.1 the second was asked for too. *Whole* are stacks that are right to the last frame, of
those with a frame of the program's own; *samples* are all.";

/// One kernel by one form.
struct Seen {
    release: String,
    walk: String,
    programs: Vec<(&'static str, Result<Counts>)>,
}

struct Counts {
    all: u64,
    own: u64,
    whole: u64,
    /// Not whole, and told to be so for a word that could not be read, where that is excused.
    unread: u64,
}

/// The task `vm`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let go = setup::build()?;
    let seam = match &options.seam {
        Some(seam) => seam.clone(),
        None => dist::make(options.arch)?.join("seam"),
    };
    if options.quick {
        return test(&go, &seam, options.arch, &mut Tally::default());
    }
    let series = match (options.series.as_slice(), options.arch) {
        ([], Processor::X86_64) => SERIES.map(str::to_owned).to_vec(),
        ([], Processor::Arm64) => SERIES_ARM64.map(str::to_owned).to_vec(),
        (asked, _) => asked.to_vec(),
    };
    let mut seen = Vec::new();
    for series in &series {
        let again: &[_] = match series == TESTED {
            true => &PROGRAMS,
            false => &[],
        };
        seen.extend(look(&go, &seam, options.arch, series, again)?);
    }
    let failed: Vec<String> = seen.iter().flat_map(failures).collect();
    if !failed.is_empty() {
        bail!("not whole: {}", failed.join("; "));
    }
    if options.series.is_empty() && options.arch == Processor::X86_64 {
        write(&go, &seam, &seen)?;
    }
    Ok(())
}

/// The part of `cargo xtask test`: one kernel, by both forms of the walk.
pub(crate) fn test(go: &Go, seam: &Path, processor: Processor, tally: &mut Tally) -> Result<()> {
    let seen = look(go, seam, processor, TESTED, &AGAIN)?;
    let failed: Vec<String> = seen.iter().flat_map(failures).collect();
    let all: usize = seen.iter().map(|one| one.programs.len()).sum();
    tally.failed += failed.len() as u64;
    tally.passed += all.saturating_sub(failed.len()) as u64;
    if !failed.is_empty() {
        bail!("not whole: {}", failed.join("; "));
    }
    Ok(())
}

/// Boots one kernel and judges what was recorded there. Programs named in `again` are recorded by
/// tail calls, too.
fn look(
    go: &Go,
    seam: &Path,
    processor: Processor,
    series: &str,
    again: &'static [&'static str],
) -> Result<Vec<Seen>> {
    setup::virtual_machines()?;
    setup::cross(processor)?;
    let (judge, programs) = (judge::build()?, test_programs(go, processor)?);
    let kernel = kernels::newest(series, processor)?;
    println!("── {}", kernel.name);
    let round = |form, programs| Round { form, programs };
    let rounds = [round(OWN_CHOICE, &PROGRAMS[..]), round(TAIL_CALLS, again)];
    let rounds = rounds.into_iter().filter(|r| !r.programs.is_empty());
    let rounds: Vec<Round> = rounds.collect();
    let report = guest::boot(
        &Machine::of(processor),
        &kernel.image,
        seam,
        &programs,
        &rounds,
    )?;
    let mut seen = Vec::new();
    for Round { form, programs } in rounds {
        let walk = report.walks.get(form).cloned().unwrap_or_default();
        println!("   {}, walk by {walk:?}", report.release);
        let programs = programs.iter().map(|name| {
            let counts = judged(&judge, &report, form, name, processor);
            match &counts {
                Ok(c) => println!(
                    "   {name}: {} of {} whole, {} unread, {} samples",
                    c.whole, c.own, c.unread, c.all
                ),
                Err(error) => println!("   {name}: {error:#}"),
            }
            (*name, counts)
        });
        seen.push(Seen {
            release: report.release.clone(),
            walk,
            programs: programs.collect(),
        });
    }
    Ok(seen)
}

fn failures(seen: &Seen) -> Vec<String> {
    let programs = seen.programs.iter();
    let mut failed: Vec<String> = programs
        .filter(|(_, counts)| !counts.as_ref().is_ok_and(Counts::are_good))
        .map(|(name, _)| format!("{name} on {} by {:?}", seen.release, seen.walk))
        .collect();
    if seen.walk.is_empty() {
        failed.push(format!("no walk in the kernel on {}", seen.release));
    }
    failed
}

impl Counts {
    fn are_good(&self) -> bool {
        self.own >= ENOUGH
            && self.whole + self.unread == self.own
            && self.unread * UNREAD_SHARE <= self.own
    }
}

fn test_programs(go: &Go, processor: Processor) -> Result<Vec<PathBuf>> {
    let variant = Variant {
        processor,
        ..Variant::default()
    };
    let build = |name: &str| {
        let wanted = Wanted {
            version: go.version().to_owned(),
            name: name.to_owned(),
        };
        programs::build(go, &wanted, variant)
    };
    PROGRAMS.into_iter().map(build).collect()
}

fn judged(
    judge: &Path,
    report: &guest::Report,
    form: &str,
    name: &str,
    processor: Processor,
) -> Result<Counts> {
    let recording = format!("{form}/{name}");
    let profile = report.profiles.get(&recording);
    let profile = profile.with_context(|| format!("seam said: {}", report.told(&recording)))?;
    let text = Run::new(judge)
        .args(["whole", name, "seam"])
        .arg(profile)
        .dir(paths::root())
        .text()?;
    let counts: Value = serde_json::from_str(&text).context("the judge's answer")?;
    let of = |key: &str| counts[key].as_u64().unwrap_or(0);
    Ok(Counts {
        all: of("all"),
        own: of("counted"),
        whole: of("whole"),
        unread: match processor {
            Processor::X86_64 => 0,
            Processor::Arm64 => of("unread"),
        },
    })
}

fn write(go: &Go, seam: &Path, seen: &[Seen]) -> Result<()> {
    let mut section = Section::new("Kernels", METHOD);
    section.table(&table(seen));
    page::publish(&section, "cargo xtask vm", seam, go.version(), false)
}

fn table(seen: &[Seen]) -> Vec<Vec<String>> {
    let mut rows = vec![row(["kernel", "walk", "program", "samples", "whole"])];
    for one in seen {
        for (name, counts) in &one.programs {
            let Ok(counts) = counts else { continue };
            rows.push(vec![
                one.release.clone(),
                one.walk.clone(),
                (*name).to_owned(),
                counts.all.to_string(),
                format!("{} of {}", counts.whole, counts.own),
            ]);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(walk: &str, whole: u64) -> Seen {
        let counts = || Counts {
            all: 101,
            own: 100,
            whole,
            unread: 0,
        };
        Seen {
            release: "6.1".to_owned(),
            walk: walk.to_owned(),
            programs: PROGRAMS.map(|name| (name, Ok(counts()))).into(),
        }
    }

    #[test]
    fn only_whole_stacks_walked_in_the_kernel_pass() {
        assert!(failures(&seen("bpf_loop", 100)).is_empty());
        assert_eq!(failures(&seen("bpf_loop", 99)).len(), PROGRAMS.len());
        assert_eq!(failures(&seen("", 100)).len(), 1);
        let mut unread = seen("bpf_loop", 99);
        unread.programs.truncate(1);
        unread.programs[0].1.as_mut().unwrap().unread = 1;
        assert!(failures(&unread).is_empty());
        unread.programs[0].1.as_mut().unwrap().whole = 98;
        assert_eq!(failures(&unread).len(), 1);
        unread.programs[0].1.as_mut().unwrap().unread = 2;
        assert_eq!(failures(&unread).len(), 1, "more than are excused");
        let mut lost = seen("bpf_loop", 100);
        lost.programs[3].1 = Err(anyhow::anyhow!("seam said: no"));
        assert_eq!(failures(&lost), ["d on 6.1 by \"bpf_loop\""]);
    }

    #[test]
    fn rows() {
        let rows = table(&[seen("tail calls", 100)]);
        assert_eq!(rows.len(), 1 + PROGRAMS.len());
        assert_eq!(rows[1], ["6.1", "tail calls", "a", "101", "100 of 100"]);
    }
}
