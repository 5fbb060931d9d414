//! Kernels of other Debian suites.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::debian::Apt;
use crate::paths;
use crate::processor::Processor;
use crate::run::{Run, step};

/// Suites whose kernels are looked at.
const SUITES: [&str; 5] = [
    "bullseye",
    "bookworm",
    "bookworm-backports",
    "trixie",
    "trixie-backports",
];
/// Small kernels for virtual machines. Newer versions have the image in linux-binary.
const PATTERN: &str = "^linux-(image|binary)-[0-9].*-cloud-";

pub(super) struct Kernel {
    pub(super) name: String,
    pub(super) image: PathBuf,
}

/// What stands for the newest of all series.
pub(super) const NEWEST: &str = "newest";

/// The newest kernel of a series such as `6.12`.
pub(super) fn newest(series: &str, processor: Processor) -> Result<Kernel> {
    let home = paths::target().join("vm");
    let apt = Apt::new(&home, suites_of(series), processor)?;
    let listed = apt
        .run("apt-cache")
        .args(["search", "--names-only"])
        .arg(format!("{PATTERN}{}$", processor.debian()));
    let listed = listed.text()?;
    let names = listed.lines().filter_map(|line| line.split(' ').next());
    let newest = names
        .filter(|name| is_of(name, series))
        // Where a version has both, linux-binary has the image.
        .max_by_key(|name| (numbers(name), name.starts_with("linux-binary")));
    let Some(name) = newest.map(str::to_owned) else {
        bail!("Debian has no kernel {series}\nhint: {}", known(&listed));
    };
    let image = home.join(&name).join("vmlinuz");
    if !image.exists() {
        step(&format!("fetching {name}"), || {
            fetch(&apt, &home, &name, &image)
        })?;
    }
    Ok(Kernel { name, image })
}

fn fetch(apt: &Apt, home: &Path, name: &str, image: &Path) -> Result<()> {
    let folder = home.join(name);
    let files = folder.join("files");
    apt.unpack(&[name], &folder, &files)?;
    let found = Run::new("find")
        .arg(&files)
        .args(["-name", "vmlinuz*", "-type", "f"])
        .text()?;
    let found = found
        .lines()
        .next()
        .context("the package holds no kernel")?;
    fs::copy(found, image)?;
    fs::remove_dir_all(files)?;
    Ok(())
}

/// Where to look for a series: Debian 12's own kernel needs no other lists.
fn suites_of(series: &str) -> &'static [&'static str] {
    match series {
        "6.1" => &["bookworm"],
        _ => &SUITES,
    }
}

/// `linux-image-6.12.95+deb12-cloud-amd64` is of 6.12 and not of 6.1.
fn is_of(name: &str, series: &str) -> bool {
    if series == NEWEST {
        return true;
    }
    let version = name.splitn(3, '-').nth(2).unwrap_or_default();
    let rest = version.strip_prefix(series);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// All numbers of a name, by which versions are ordered.
fn numbers(name: &str) -> Vec<u64> {
    let parts = name.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

fn known(listed: &str) -> String {
    let names = listed.lines().filter_map(|line| line.split(' ').next());
    let mut series: Vec<String> = names
        .map(|name| {
            let numbers = numbers(name);
            let two = numbers.iter().take(2).map(u64::to_string);
            two.collect::<Vec<_>>().join(".")
        })
        .collect();
    series.sort();
    series.dedup();
    format!("it has {}", series.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_told_apart() {
        let name = "linux-image-6.12.95+deb12-cloud-amd64";
        assert!(is_of(name, "6.12") && !is_of(name, "6.1") && !is_of(name, "6.12.9"));
        assert!(is_of("linux-binary-7.0.13+deb13-cloud-amd64", "7.0"));
        assert!(is_of(name, NEWEST));
    }

    #[test]
    fn newer_is_greater() {
        let older = numbers("linux-image-6.12.9+deb12-cloud-amd64");
        assert!(numbers("linux-image-6.12.10+deb12-cloud-amd64") > older);
        let listed = "linux-image-6.1.0-50-cloud-amd64 - x\nlinux-image-5.10.0-3-cloud-amd64 - y";
        assert_eq!(known(listed), "it has 5.10, 6.1");
    }
}
