//! What every stack of a test program must look like: its truth.json, held against a recording.

mod stack;

use std::collections::BTreeMap;

use regex::RegexSet;
use serde::Deserialize;

use crate::places;
use crate::pprof::{Pprof, Stack};
use crate::program::Said;
pub use stack::{is_rooted, is_thread_start};

/// Function → the functions it calls.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
struct Tree(BTreeMap<String, Tree>);

/// A truth.json; the format is described in tests/programs/README.md.
#[derive(Debug, Deserialize)]
pub struct Truth {
    app: Vec<String>,
    tree: Tree,
    ends: BTreeMap<String, String>,
    recursive: BTreeMap<String, usize>,
    goroutines: Vec<String>,
    threads: Vec<String>,
    #[serde(default)]
    extra_goroutines: Vec<String>,
    #[serde(default)]
    mangled: BTreeMap<String, String>,
}

/// The result of a check.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Samples that hold an application frame.
    pub application: i64,
    /// Other samples.
    pub other: i64,
    /// Samples by the application function they are in.
    pub innermost: BTreeMap<String, i64>,
    /// Samples that end where nothing more was proven.
    pub open: i64,
    /// Each wrong stack: what is wrong, and the stack.
    pub wrong: Vec<String>,
    /// Samples whose frames libgcc was overwriting, see `stack::is_half_installed`.
    pub half_installed: i64,
}

impl Truth {
    /// Reads a program's truth.
    ///
    /// # Panics
    /// When the file is missing or malformed.
    #[must_use]
    pub fn of(program: &str) -> Self {
        let path = places::repository()
            .join("tests/programs")
            .join(program)
            .join("truth.json");
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Checks every stack of a recording that lies between the program's marks.
    #[must_use]
    pub fn check(&self, profile: &Pprof, said: &Said) -> Verdict {
        self.check_parts(profile, said, &[])
    }

    /// The same for a recording that leaves out what it can't prove: stacks that end for one of
    /// these reasons must be a part of the tree, and goroutines may be missing, but not be others.
    #[must_use]
    pub fn check_parts(&self, profile: &Pprof, said: &Said, reasons: &[&str]) -> Verdict {
        let app = RegexSet::new(&self.app).expect("xtask checks the expressions");
        let mut checker = stack::Checker::new(self, app, said);
        checker.lenient = !reasons.is_empty();
        let ends = |s: &Stack| {
            let end = s.texts.get("end");
            end.is_some_and(|end| reasons.contains(&end.as_str()))
        };
        let mut verdict = Verdict::default();
        for stack in &profile.stacks {
            let path = checker.application_path(stack);
            match path.last() {
                Some(innermost) => {
                    verdict.application += stack.count;
                    *verdict.innermost.entry(innermost.clone()).or_default() += stack.count;
                }
                None => verdict.other += stack.count,
            }
            let checked = if ends(stack) {
                verdict.open += stack.count;
                checker.check_part(stack, &path)
            } else {
                checker.check(stack, &path)
            };
            match checked {
                Err(_) if stack::is_half_installed(stack) => verdict.half_installed += stack.count,
                Err(why) => verdict.wrong.push(format!("{why}: {}", stack.text())),
                Ok(()) => {}
            }
        }
        verdict
    }

    /// The functions without callees: where a spinning program is found most of the time.
    #[must_use]
    pub fn leaves(&self) -> Vec<&str> {
        let mut leaves = Vec::new();
        collect_leaves(&self.tree, 0, &mut leaves);
        leaves
    }
}

/// Whether two stacks are of one thread.
#[must_use]
pub fn thread_id(stack: &Stack) -> Option<i64> {
    stack.numbers.get("tid").copied()
}

/// A root without callees only waits, so it is no leaf of work.
fn collect_leaves<'a>(tree: &'a Tree, depth: usize, leaves: &mut Vec<&'a str>) {
    for (name, callees) in &tree.0 {
        if callees.0.is_empty() && depth > 0 {
            leaves.push(name);
        }
        collect_leaves(callees, depth + 1, leaves);
    }
}
