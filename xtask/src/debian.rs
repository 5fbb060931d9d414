//! Packages of other Debian suites and processors, fetched without touching the machine's own
//! package sources.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::processor::Processor;
use crate::run::{Run, step};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// apt with sources and lists of its own.
pub(crate) struct Apt {
    options: Vec<String>,
}

impl Apt {
    /// Its files go below `home`.
    pub(crate) fn new(home: &Path, suites: &[&str], processor: Processor) -> Result<Self> {
        let of = match processor {
            Processor::X86_64 => String::new(),
            Processor::Arm64 => format!("-{}", processor.debian()),
        };
        let own = home.join(format!("apt-{}{of}", suites.join("-")));
        for folder in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(own.join(folder))?;
        }
        let mirror = mirror(Path::new("/etc/apt"))?;
        let signed = match Path::new(KEYRING).exists() {
            true => format!("[signed-by={KEYRING}] "),
            false => String::new(),
        };
        let sources = suites.iter();
        let sources: String = sources
            .map(|suite| format!("deb {signed}{mirror} {suite} main\n"))
            .collect();
        let list = own.join("sources.list");
        let fresh = !list.exists();
        let set = |key: &str, value: &Path| format!("-o{key}={}", value.display());
        let apt = Self {
            options: vec![
                set("Dir::Etc::sourcelist", &list),
                set("Dir::Etc::sourceparts", Path::new("/dev/null")),
                set("Dir::State::lists", &own.join("lists")),
                set("Dir::Cache", &own.join("cache")),
                format!("-oAPT::Architecture={}", processor.debian()),
                format!("-oAPT::Architectures={}", processor.debian()),
            ],
        };
        if fresh {
            // Written only in the end: without it the lists are fetched again.
            let unfinished = own.join("sources.new");
            fs::write(&unfinished, sources)?;
            let update = apt.run("apt-get");
            let update = update.arg(set("Dir::Etc::sourcelist", &unfinished));
            step("looking what packages Debian has", || {
                update.args(["-qq", "update"]).seconds(600).ok()
            })?;
            fs::rename(&unfinished, &list)?;
        }
        Ok(apt)
    }

    /// `apt-get` and its kin.
    pub(crate) fn run(&self, program: &str) -> Run {
        Run::new(program).args(&self.options)
    }

    /// Fetches packages into a folder and unpacks them to another, without installing anything.
    pub(crate) fn unpack(&self, names: &[&str], folder: &Path, to: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        self.run("apt-get")
            .args(["-qq", "-oAPT::Sandbox::User=root", "download"])
            .args(names)
            .dir(folder)
            .seconds(600)
            .ok()?;
        for entry in fs::read_dir(folder)? {
            let package = entry?.path();
            if package.extension().is_some_and(|e| e == "deb") {
                Run::new("dpkg-deb").arg("-x").arg(&package).arg(to).ok()?;
                fs::remove_file(package)?;
            }
        }
        Ok(())
    }
}

/// The Debian mirror that the machine itself uses; both forms of a source list.
fn mirror(apt: &Path) -> Result<String> {
    let mut lists = vec![apt.join("sources.list")];
    let more = fs::read_dir(apt.join("sources.list.d"))
        .into_iter()
        .flatten();
    lists.extend(more.flatten().map(|entry| entry.path()));
    lists.sort();
    let texts: Vec<String> = lists
        .iter()
        .filter_map(|l| fs::read_to_string(l).ok())
        .collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let mut places = lines.filter_map(|line| {
        let line = line.trim();
        let rest = line
            .strip_prefix("URIs:")
            .or_else(|| line.strip_prefix("deb "))?;
        let mut words = rest.split_whitespace();
        words.find(|word| word.contains("://")).map(str::to_owned)
    });
    // Security updates have a mirror of their own, without the other suites.
    let place = places.find(|place| place.trim_end_matches('/').ends_with("/debian"));
    place.context("the machine's package sources name no Debian mirror")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_found_in_both_forms() {
        let home = tempfile::tempdir().unwrap();
        assert!(mirror(home.path()).is_err());
        fs::create_dir(home.path().join("sources.list.d")).unwrap();
        let own = "# x\nTypes: deb\nURIs: http://a.example/debian-security\n";
        fs::write(home.path().join("sources.list.d/a.sources"), own).unwrap();
        assert!(mirror(home.path()).is_err());
        let own = "deb [signed-by=/k] http://b.example/debian bookworm main\n";
        fs::write(home.path().join("sources.list"), own).unwrap();
        assert_eq!(mirror(home.path()).unwrap(), "http://b.example/debian");
    }
}
