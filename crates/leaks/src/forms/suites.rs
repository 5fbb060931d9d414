//! What the programs that a command has run have left behind: the screen, JSON and JUnit.

use std::fmt::Write;

use seam_dump::{clean, count};
use serde::Serialize;

use super::json::{Group, SCHEMA, group, pretty};
use super::junit::{escape, failure};
use super::text::one;
use crate::{Judged, Outcome, Suite, Test, Verdict};

/// The screen; `all` shows what is healthy, too.
#[must_use]
pub fn outcome_text(outcome: &Outcome, all: bool) -> String {
    let mut out = String::new();
    for suite in &outcome.suites {
        of_suite(suite, all, &mut out);
    }
    if outcome.suites.is_empty() {
        out.push_str("no Go program was run, but Go's own\n");
    }
    for note in &outcome.notes {
        let _ = writeln!(out, "not seen  {}", clean(note));
    }
    out
}

fn of_suite(suite: &Suite, all: bool, out: &mut String) {
    let what = match suite.tests.len() {
        0 => String::new(),
        tests => format!("{} seen   ", count(tests as u64, "test")),
    };
    let _ = writeln!(
        out,
        "{} (pid {})   {}   {what}{} at its end",
        clean(&suite.package),
        suite.pid,
        clean(&suite.go.join(", ")),
        count(suite.goroutines, "goroutine"),
    );
    let _ = writeln!(out, "{}", leaked(suite));
    let shown = |group: &&Judged| all || group.verdict != Verdict::Healthy;
    for test in suite.tests.iter().filter(|t| !t.groups.is_empty()) {
        let _ = writeln!(out, "\n{}", heading(test));
        for group in test.groups.iter().filter(shown) {
            one(suite.goroutines, group, out);
        }
    }
    let others = suite.others.iter().any(|group| shown(&group));
    if others && !suite.tests.is_empty() {
        out.push_str("\nof no test that is known\n");
    }
    for group in suite.others.iter().filter(shown) {
        one(suite.goroutines, group, out);
    }
    tail(suite, out);
    out.push('\n');
}

fn leaked(suite: &Suite) -> String {
    let of = |verdict: Verdict| {
        let groups = suite.groups().filter(|(_, group)| group.verdict == verdict);
        groups.map(|(_, group)| group.facts.count()).sum::<u64>()
    };
    let leaks = |test: &&Test| test.groups.iter().any(|g| g.verdict == Verdict::Leak);
    let tests = suite.tests.iter().filter(leaks).count() as u64;
    let leaked = match (of(Verdict::Leak), tests) {
        (0, _) if suite.goroutines == 0 => "not looked at".to_owned(),
        (0, _) => "no leak found".to_owned(),
        (number, 0) => count(number, "leaked goroutine"),
        (number, tests) => format!(
            "{} of {}",
            count(number, "leaked goroutine"),
            count(tests, "test")
        ),
    };
    match of(Verdict::Suspect) {
        0 => leaked,
        number => format!("{leaked}, {}", count(number, "suspect goroutine")),
    }
}

fn heading(test: &Test) -> String {
    let mut line = clean(&test.name);
    if test.running {
        line.push_str("   still running when the process ended");
    }
    if test.inferred {
        line.push_str("   inferred from the name of a function: the test was shorter than a look");
    }
    line
}

fn tail(suite: &Suite, out: &mut String) {
    let mut line = |word: &str, text: &str| {
        let _ = writeln!(out, "{word:<9} {}", clean(text));
    };
    if suite.ignored > 0 {
        line("ignored", &count(suite.ignored, "goroutine"));
    }
    if suite.unknown > 0 {
        let number = count(suite.unknown, "goroutine");
        let why = "whoever made them came and went between two looks, or is not told (Go 1.20)";
        line("not seen", &format!("whose {number} are: {why}"));
    }
    if let Some(why) = &suite.incomplete {
        line("not seen", &format!("the mark is not complete: {why}"));
    }
    for note in &suite.notes {
        line("note", note);
    }
}

#[derive(Serialize)]
struct Out<'a> {
    schema: u32,
    command: &'a [String],
    /// As a shell gives it.
    exit_code: u8,
    programs: Vec<Program<'a>>,
    not_seen: &'a [String],
}

#[derive(Serialize)]
struct Program<'a> {
    pid: i32,
    name: &'a str,
    package: &'a str,
    go: &'a [String],
    goroutines: u64,
    looks: u64,
    mark_incomplete: Option<&'a str>,
    tests: Vec<OneTest<'a>>,
    /// Goroutines of no test that is known.
    others: Vec<Group<'a>>,
    /// Those that come from a goroutine that nobody saw.
    unknown: u64,
    notes: &'a [String],
}

#[derive(Serialize)]
struct OneTest<'a> {
    name: &'a str,
    running: bool,
    inferred: bool,
    groups: Vec<Group<'a>>,
}

/// As JSON.
#[must_use]
pub fn outcome_json(outcome: &Outcome) -> String {
    pretty(&Out {
        schema: SCHEMA,
        command: &outcome.command,
        exit_code: outcome.exit_code,
        programs: outcome.suites.iter().map(program).collect(),
        not_seen: &outcome.notes,
    })
}

fn program(suite: &Suite) -> Program<'_> {
    Program {
        pid: suite.pid,
        name: &suite.name,
        package: &suite.package,
        go: &suite.go,
        goroutines: suite.goroutines,
        looks: suite.looks,
        mark_incomplete: suite.incomplete.as_deref(),
        tests: suite.tests.iter().map(one_test).collect(),
        others: suite.others.iter().map(group).collect(),
        unknown: suite.unknown,
        notes: &suite.notes,
    }
}

fn one_test(test: &Test) -> OneTest<'_> {
    OneTest {
        name: &test.name,
        running: test.running,
        inferred: test.inferred,
        groups: test.groups.iter().map(group).collect(),
    }
}

/// As JUnit's XML: a suite for each program, a case for each of its tests that was seen.
#[must_use]
pub fn outcome_junit(outcome: &Outcome) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for suite in &outcome.suites {
        let mut cases = Vec::new();
        for test in &suite.tests {
            cases.push(case(suite, &test.name, &test.groups));
        }
        if suite.others.iter().any(|g| g.verdict != Verdict::Healthy) || cases.is_empty() {
            cases.push(case(suite, "(no test)", &suite.others));
        }
        let failures = cases.iter().filter(|(_, failed)| *failed).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\">",
            escape(&suite.package),
            cases.len(),
        );
        cases.iter().for_each(|(text, _)| out.push_str(text));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// A test's case, and whether it failed.
fn case(suite: &Suite, name: &str, groups: &[Judged]) -> (String, bool) {
    let mut out = format!(
        "    <testcase classname=\"{}\" name=\"{}\">\n",
        escape(&suite.package),
        escape(name)
    );
    let bad = groups.iter().filter(|g| g.verdict != Verdict::Healthy);
    bad.for_each(|group| failure(group, &mut out));
    out.push_str("    </testcase>\n");
    (out, groups.iter().any(|g| g.verdict == Verdict::Leak))
}
