//! The order of the crates: data flows from the first to the last, and a crate
//! uses only those before it. One crate alone talks to libbpf.

use super::{File, Finding, finding};

const ORDER: &[&str] = &[
    "wire",
    "object",
    "memory",
    "go",
    "runtime",
    "unwind",
    "capture",
    "symbolize",
    "edges",
    "profile",
    "analyze",
    "export",
    "dump",
    "leaks",
    "cli",
];

/// Packages that may link libbpf: capture, and the benchmark that runs the kernel's own stack walk
/// beside seam's, for which it loads a program of its own; it is no part of seam.
const LIBBPF: &[&str] = &["crates/capture", "benches/kernel"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut found = libbpf(file);
    found.extend(order(file));
    found
}

fn libbpf(file: &File) -> Vec<Finding> {
    let package = file.path.strip_suffix("/Cargo.toml");
    // The workspace only names versions.
    let Some(package) = package.filter(|package| !LIBBPF.contains(package)) else {
        return Vec::new();
    };
    let names = dependencies(&file.text).into_iter();
    names
        .filter(|(_, name)| name.starts_with("libbpf-"))
        .map(|(line, name)| finding(line, format!("{package} uses {name}; only capture may")))
        .collect()
}

fn order(file: &File) -> Vec<Finding> {
    let Some(name) = crate_name(&file.path) else {
        return Vec::new();
    };
    let Some(own) = place(name) else {
        let message = format!(
            "crate {name} has no place in the order ({})",
            ORDER.join(", ")
        );
        return vec![finding(1, message)];
    };
    let mut found = Vec::new();
    for (line, dependency) in dependencies(&file.text) {
        let Some(other) = dependency.strip_prefix("seam-") else {
            continue;
        };
        // A crate may name itself, to test with its own features switched on.
        if place(other).is_none_or(|other| other > own) {
            found.push(finding(
                line,
                format!("{name} uses {other}, which is not before it"),
            ));
        }
    }
    found
}

fn crate_name(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")
}

fn place(name: &str) -> Option<usize> {
    ORDER.iter().position(|&known| known == name)
}

/// The names in the dependency tables, with their lines.
pub(super) fn dependencies(toml: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let mut inside = false;
    for (index, line) in toml.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header.ends_with("dependencies");
            // [dependencies.NAME]
            if let Some((table, name)) = header.rsplit_once('.')
                && table.ends_with("dependencies")
            {
                names.push((index + 1, name));
            }
        } else if inside && line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
            names.push((index + 1, &line[..end.unwrap_or(line.len())]));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::{file, shown};
    use super::*;

    fn faults(name: &str, toml: &str) -> Vec<String> {
        shown(&check(&file(&format!("crates/{name}/Cargo.toml"), toml)))
    }

    #[test]
    fn names_are_read() {
        let toml = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb-c = \"1\"\n\
            [target.'cfg(unix)'.dev-dependencies]\nd = { path = \"x\" }\n[dependencies.e]\nf = 1\n[features]\ng = []";
        let names: Vec<_> = dependencies(toml)
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        assert_eq!(names, ["a", "b-c", "d", "e"]);
    }

    #[test]
    fn order() {
        assert!(faults("go", "[dependencies]\nseam-wire.workspace = true").is_empty());
        assert_eq!(
            faults("go", "[dependencies]\nseam-capture.workspace = true"),
            ["2: go uses capture, which is not before it"]
        );
        assert!(
            faults(
                "profile",
                "[dev-dependencies]\nseam-profile = { path = \".\" }"
            )
            .is_empty()
        );
        assert_eq!(faults("other", "").len(), 1);
        assert!(
            check(&file(
                "xtask/Cargo.toml",
                "[dependencies]\nseam-cli = \"1\""
            ))
            .is_empty()
        );
    }

    #[test]
    fn one_crate_links_libbpf() {
        assert!(
            faults(
                "capture",
                "[build-dependencies]\nlibbpf-cargo.workspace = true"
            )
            .is_empty()
        );
        assert_eq!(
            faults("unwind", "[dependencies]\nlibbpf-rs = \"1\"").len(),
            1
        );
        let at = |path: &str| check(&file(path, "[dependencies]\nlibbpf-rs = \"1\"")).len();
        assert_eq!(
            (at("benches/kernel/Cargo.toml"), at("xtask/Cargo.toml")),
            (0, 1)
        );
    }
}
