//! Checks of the documentation: links inside the repository lead somewhere, and
//! each dependency is explained.

use std::collections::BTreeSet;

use super::{File, Finding, edges, finding};

/// Relative links of a Markdown file that lead to nothing.
pub(super) fn links(file: &File, paths: &BTreeSet<String>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for target in targets(line) {
            let path = target.split('#').next().unwrap_or_default();
            let outside = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
            if !outside && !exists(&resolve(&file.path, path), paths) {
                found.push(finding(
                    number,
                    format!("the link to {target} leads nowhere"),
                ));
            }
        }
    }
    found
}

/// What stands in the brackets of `[text](target)`, outside `code`.
fn targets(line: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    for (at, _) in line.match_indices("](") {
        let in_code = line[..at].matches('`').count() % 2 == 1 && line[at..].contains('`');
        let rest = &line[at + 2..];
        if let Some(end) = rest.find(')').filter(|_| !in_code) {
            targets.extend(rest[..end].split_whitespace().next());
        }
    }
    targets
}

/// A path relative to a file, from the root.
fn resolve(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = match link.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.split('/').collect(),
    };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn exists(path: &str, paths: &BTreeSet<String>) -> bool {
    let folder = format!("{path}/");
    path.is_empty() || paths.contains(path) || paths.iter().any(|known| known.starts_with(&folder))
}

/// Dependencies without a line in CONTRIBUTING.md that names them as code.
pub(super) fn unexplained(file: &File, contributing: &str) -> Vec<Finding> {
    edges::dependencies(&file.text)
        .into_iter()
        .filter(|(_, name)| !name.starts_with("seam-"))
        .filter(|(_, name)| !contributing.contains(&format!("`{name}`")))
        .map(|(line, name)| finding(line, format!("CONTRIBUTING.md does not say why `{name}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{file, shown};
    use super::*;

    #[test]
    fn dead_links() {
        let paths = BTreeSet::from(["README.md".to_owned(), "docs/a.md".to_owned()]);
        let faults = |text: &str| shown(&links(&file("docs/b.md", text), &paths));
        assert!(faults("[a](a.md) [r](../README.md#top) [d](.) [h](#here)").is_empty());
        assert!(faults("[x](https://example.invalid/y) `[x](gone.md)`").is_empty());
        assert!(faults("```\n[x](gone.md)\n```").is_empty());
        assert_eq!(
            faults("\n[x](gone.md)"),
            ["2: the link to gone.md leads nowhere"]
        );
    }

    #[test]
    fn dependencies_are_explained() {
        let toml = file(
            "crates/x/Cargo.toml",
            "[dependencies]\nanyhow = \"1\"\nseam-go = \"1\"",
        );
        assert!(unexplained(&toml, "| `anyhow` | errors |").is_empty());
        assert_eq!(unexplained(&toml, "nothing").len(), 1);
    }
}
