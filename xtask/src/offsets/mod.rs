//! The offsets of the Go runtime's structures by release: `crates/go/src/offsets/generated.rs`,
//! made of the DWARF of programs that real toolchains build.
//!
//! Of each minor the first and the newest release are asked. Where they differ, the releases
//! between are bisected: what is equal at both ends is taken to be equal in between.

mod table;
mod toolchain;

use anyhow::{Result, bail};
use clap::Args;
use seam_go::{Field, Offsets, Release, Row};

use crate::{codegen, paths, setup, toolchains};
use toolchain::Toolchains;

/// The oldest minor in the table.
const OLDEST_MINOR: u32 = 19;

/// What to do.
#[derive(Args)]
pub(crate) struct Options {
    /// Fetch and change nothing: compare the table with the toolchains that are here
    #[arg(long)]
    check: bool,
}

/// The task `offsets`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let go = setup::build()?;
    let mut programs = Toolchains::new(&go)?;
    if options.check {
        return check(&mut programs, &toolchains::installed(&go)?);
    }
    let mut rows = Vec::new();
    for (minor, newest) in toolchains::newest_by_minor(&go)? {
        if minor < OLDEST_MINOR {
            continue;
        }
        let mut read = |patch| programs.offsets(Release { minor, patch });
        let ends = ((0, read(0)?), (newest, read(newest)?));
        for (patches, offsets) in split(ends, &mut read)? {
            rows.push((minor, patches, offsets));
        }
    }
    let path = paths::root().join("crates/go/src/offsets/generated.rs");
    codegen::settle(&path, table::rust(&rows).as_bytes(), false)?;
    println!("   {} rows in {}", rows.len(), paths::shown(&path));
    Ok(())
}

/// Compares each release that is here with its row.
fn check(programs: &mut Toolchains, installed: &[Release]) -> Result<()> {
    let mut wrong = Vec::new();
    for &release in installed {
        let Some(row) = Row::of(release) else {
            println!("   Go {release} is not in the table: cargo xtask offsets");
            continue;
        };
        let offsets = programs.offsets(release)?;
        let differs = |f: &&Field| offsets.get(**f) != row.offsets().get(**f);
        for field in Field::ALL.iter().filter(differs) {
            wrong.push(format!("Go {release}: {}", field.name()));
        }
    }
    if !wrong.is_empty() {
        bail!(
            "the table differs from the toolchains: {}\nhint: run `cargo xtask offsets` and \
             commit the result",
            wrong.join(", ")
        );
    }
    Ok(())
}

/// A patch release and its offsets.
type At = (u32, Offsets);
/// Patch releases, first and newest, and the offsets that they share.
type Span = ((u32, u32), Offsets);

/// Cuts the patches between two that were read into runs of equal offsets.
fn split(
    (first, newest): (At, At),
    read: &mut impl FnMut(u32) -> Result<Offsets>,
) -> Result<Vec<Span>> {
    if first.1 == newest.1 {
        return Ok(vec![((first.0, newest.0), first.1)]);
    }
    if newest.0 - first.0 == 1 {
        return Ok(vec![
            ((first.0, first.0), first.1),
            ((newest.0, newest.0), newest.1),
        ]);
    }
    let middle = first.0.midpoint(newest.0);
    let middle = (middle, read(middle)?);
    let mut spans = split((first, middle), read)?;
    for span in split((middle, newest), read)? {
        match spans.last_mut() {
            Some(last) if last.1 == span.1 => last.0.1 = span.0.1,
            _ => spans.push(span),
        }
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_between_patches_are_found() {
        // Which patch has which of three real layouts.
        let mut layouts: Vec<_> = Row::all().map(|row| row.offsets()).collect();
        layouts.dedup();
        let layout = |patch| layouts[usize::from(patch >= 3) + usize::from(patch >= 7)];
        let mut asked = 0;
        let mut read = |patch| {
            asked += 1;
            Ok(layout(patch))
        };
        let ends = ((0, layout(0)), (20, layout(20)));
        let spans = split(ends, &mut read).unwrap();
        let patches: Vec<_> = spans.iter().map(|s| s.0).collect();
        assert_eq!(patches, [(0, 2), (3, 6), (7, 20)]);
        assert!(asked < 12, "{asked}");
    }
}
