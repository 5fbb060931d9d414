//! The part of a truth.json that building and checking need. Its format is
//! described in tests/programs/README.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use regex::RegexSet;
use serde::Deserialize;

use crate::toolchains;

/// Function → the functions it calls.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Tree(pub(super) BTreeMap<String, Tree>);

#[derive(Debug, Deserialize)]
pub(super) struct Truth {
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of the file"))]
    pub(super) program: String,
    pub(super) build: Build,
    app: Vec<String>,
    roots: Vec<String>,
    pub(super) tree: Tree,
    ends: BTreeMap<String, String>,
    pub(super) recursive: BTreeMap<String, u32>,
    #[serde(default)]
    pub(super) mangled: BTreeMap<String, String>,
}

/// How to build it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Build {
    pub(super) kind: String,
    /// The oldest Go that builds it, such as `1.23`; every one that seam knows when left out.
    #[serde(default)]
    pub(super) min_go: Option<String>,
    #[serde(default)]
    pub(super) cflags: String,
    #[serde(default)]
    pub(super) sources: Vec<String>,
}

impl Build {
    /// What a Go version lacks to build it.
    pub(super) fn too_new(&self, version: &str) -> Result<Option<String>> {
        let Some(oldest) = &self.min_go else {
            return Ok(None);
        };
        let older = toolchains::minor(version)? < toolchains::minor(oldest)?;
        Ok(older.then(|| format!("needs Go {oldest} or newer")))
    }
}

impl Truth {
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("truth.json");
        serde_json::from_slice(&super::read(&path)?)
            .with_context(|| format!("cannot understand {}", path.display()))
    }

    /// Every function and the functions it calls, wherever it stands in the tree.
    pub(super) fn calls(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut calls = BTreeMap::new();
        collect(&self.tree, &mut calls);
        for name in self.recursive.keys() {
            calls.entry(name.as_str()).or_default().push(name);
        }
        for callees in calls.values_mut() {
            callees.sort_unstable();
            callees.dedup();
        }
        calls
    }

    /// What the parts of the file contradict each other in.
    pub(super) fn inconsistent(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let outer: BTreeSet<_> = self.tree.0.keys().collect();
        if outer != self.roots.iter().collect() {
            faults.push("roots are not the outer keys of tree".to_owned());
        }
        if outer != self.ends.keys().collect() {
            faults.push("ends are not given for exactly the roots".to_owned());
        }
        let app = RegexSet::new(&self.app).context("app holds a bad expression")?;
        for name in self.calls().keys().filter(|name| !app.is_match(name)) {
            faults.push(format!("app does not match {name}"));
        }
        if app.is_match("main._Cfunc_seam_x") {
            faults.push("app matches what cgo generates".to_owned());
        }
        Ok(faults)
    }

    /// The name of a function in the ELF symbol table.
    pub(super) fn symbol<'a>(&'a self, name: &'a str) -> &'a str {
        self.mangled.get(name).map_or(name, String::as_str)
    }
}

fn collect<'a>(tree: &'a Tree, calls: &mut BTreeMap<&'a str, Vec<&'a str>>) {
    for (name, callees) in &tree.0 {
        let known = calls.entry(name).or_default();
        known.extend(callees.0.keys().map(String::as_str));
        collect(callees, calls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_a_consistent_truth_file() {
        for name in crate::programs::all().unwrap() {
            let truth = Truth::read(&crate::programs::source(&name).unwrap()).unwrap();
            assert_eq!(truth.program, name);
            assert_eq!(
                truth.inconsistent().unwrap(),
                Vec::<String>::new(),
                "{name}"
            );
        }
    }

    #[test]
    fn old_versions_are_told() {
        let build = Build {
            min_go: Some("1.23".to_owned()),
            ..Build::default()
        };
        let told = |version: &str| build.too_new(version).unwrap();
        assert_eq!(told("go1.22.12").unwrap(), "needs Go 1.23 or newer");
        assert_eq!(told("go1.23.0"), None);
        assert_eq!(Build::default().too_new("go1.19").unwrap(), None);
    }

    #[test]
    fn inconsistencies_are_named() {
        let text = r#"{"program": "x", "build": {"kind": "c"}, "app": ["^main"],
            "roots": ["b"], "ends": {}, "recursive": {}, "tree": {"a": {}}}"#;
        let truth: Truth = serde_json::from_str(text).unwrap();
        assert_eq!(
            truth.inconsistent().unwrap(),
            [
                "roots are not the outer keys of tree",
                "ends are not given for exactly the roots",
                "app does not match a",
                "app matches what cgo generates",
            ]
        );
    }
}
