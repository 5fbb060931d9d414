//! On what the numbers were measured, and by which versions.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::paths;
use crate::run::Run;

/// The date of the measurement.
pub(crate) fn today() -> Result<String> {
    let date = Run::new("date").args(["-u", "+%Y-%m-%d"]).text()?;
    Ok(date.trim().to_owned())
}

/// Facts by name, in the order of the page.
pub(crate) fn facts(seam: &Path, go: &str, date: &str) -> Result<Vec<(String, String)>> {
    let first = |run: Run| -> Result<String> {
        let text = run.text()?;
        Ok(text.lines().next().unwrap_or_default().trim().to_owned())
    };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = std::thread::available_parallelism()?;
    let model = value(&read("/proc/cpuinfo"), "model name");
    let hypervisor = read("/proc/cpuinfo").contains(" hypervisor");
    let kind = if hypervisor {
        "a virtual machine"
    } else {
        "no virtual machine"
    };
    let load = read("/proc/loadavg");
    let load: Vec<_> = load.split(' ').take(3).collect();
    let git = Run::new("git").args(["describe", "--always", "--dirty"]);
    let system = value(&read("/etc/os-release").replace('=', ":"), "PRETTY_NAME");
    let seam = format!(
        "{}, commit {}",
        first(Run::new(seam).arg("--version"))?,
        first(git.dir(paths::root()))?
    );
    let facts = [
        ("date", date.to_owned()),
        ("machine", format!("{model}, {cpus} CPUs, {kind}")),
        ("memory", value(&read("/proc/meminfo"), "MemTotal")),
        ("system", system.trim_matches('"').to_owned()),
        ("kernel", first(Run::new("uname").arg("-srm"))?),
        ("load at the start", load.join(" ")),
        ("seam", seam),
        ("perf", first(Run::new("perf").arg("--version"))?),
        ("Go", go.to_owned()),
        ("Rust", first(Run::new("rustc").arg("--version"))?),
        ("gcc", first(Run::new("gcc").arg("--version"))?),
        (
            "clang for BPF",
            first(Run::new("clang-19").arg("--version"))?,
        ),
    ];
    Ok(facts.map(|(name, fact)| (name.to_owned(), fact)).into())
}

/// The value of a line `key : value`.
fn value(text: &str, key: &str) -> String {
    let mut lines = text.lines();
    lines
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        })
        .unwrap_or_else(|| "unknown".to_owned())
}
