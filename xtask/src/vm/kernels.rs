//! Kernels of other Debian suites, fetched without touching the machine's own package sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::run::{Run, step};

/// Suites whose kernels are looked at.
const SUITES: [&str; 5] = [
    "bullseye",
    "bookworm",
    "bookworm-backports",
    "trixie",
    "trixie-backports",
];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Small kernels for virtual machines. Newer versions have the image in linux-binary.
const PATTERN: &str = "^linux-(image|binary)-[0-9].*-cloud-amd64$";

pub(super) struct Kernel {
    pub(super) name: String,
    pub(super) image: PathBuf,
}

/// What stands for the newest of all series.
pub(super) const NEWEST: &str = "newest";

/// The newest kernel of a series such as `6.12`.
pub(super) fn newest(series: &str) -> Result<Kernel> {
    let home = paths::target().join("vm");
    let apt = Apt::new(&home, suites_of(series))?;
    let listed = apt
        .run("apt-cache")
        .args(["search", "--names-only", PATTERN]);
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
    fs::create_dir_all(&folder)?;
    apt.run("apt-get")
        .args(["-qq", "-oAPT::Sandbox::User=root", "download", name])
        .dir(&folder)
        .seconds(600)
        .ok()?;
    let package = only_file(&folder, |file| file.ends_with(".deb"))?;
    Run::new("dpkg-deb")
        .arg("-x")
        .arg(&package)
        .arg(folder.join("files"))
        .ok()?;
    let found = Run::new("find")
        .arg(folder.join("files"))
        .args(["-name", "vmlinuz*", "-type", "f"])
        .text()?;
    let found = found
        .lines()
        .next()
        .context("the package holds no kernel")?;
    fs::copy(found, image)?;
    fs::remove_dir_all(folder.join("files"))?;
    fs::remove_file(package)?;
    Ok(())
}

fn only_file(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_str().is_some_and(&wanted) {
            return Ok(path);
        }
    }
    bail!("nothing was downloaded to {}", folder.display())
}

/// apt with sources and lists of its own.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn new(home: &Path, suites: &[&str]) -> Result<Self> {
        let own = home.join(format!("apt-{}", suites.join("-")));
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
            ],
        };
        if fresh {
            // Written only in the end: without it the lists are fetched again.
            let unfinished = own.join("sources.new");
            fs::write(&unfinished, sources)?;
            let update = apt.run("apt-get");
            let update = update.arg(set("Dir::Etc::sourcelist", &unfinished));
            step("looking what kernels Debian has", || {
                update.args(["-qq", "update"]).seconds(600).ok()
            })?;
            fs::rename(&unfinished, &list)?;
        }
        Ok(apt)
    }

    fn run(&self, program: &str) -> Run {
        Run::new(program).args(&self.options)
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

    #[test]
    fn newer_is_greater() {
        let older = numbers("linux-image-6.12.9+deb12-cloud-amd64");
        assert!(numbers("linux-image-6.12.10+deb12-cloud-amd64") > older);
        let listed = "linux-image-6.1.0-50-cloud-amd64 - x\nlinux-image-5.10.0-3-cloud-amd64 - y";
        assert_eq!(known(listed), "it has 5.10, 6.1");
    }
}
