//! A report as JUnit's XML, as CI systems read it: a test case for each group, failed if it is a
//! leak.

use std::fmt::Write;

use seam_dump::count;

use crate::{Judged, Report, Verdict};

/// The report.
#[must_use]
pub fn junit(report: &Report) -> String {
    let leaks = report.of(Verdict::Leak).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let _ = writeln!(
        out,
        "  <testsuite name=\"goroutines of {}\" tests=\"{}\" failures=\"{leaks}\">",
        escape(&report.name),
        report.groups.len(),
    );
    for group in &report.groups {
        case(group, &mut out);
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(group: &Judged, out: &mut String) {
    let top = group.facts.stack.first();
    let name = top.map_or("?", |placed| &placed.function);
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\"",
        escape(&group.facts.key.id),
        escape(name)
    );
    if group.verdict == Verdict::Healthy {
        out.push_str("/>\n");
        return;
    }
    out.push_str(">\n");
    failure(group, out);
    out.push_str("    </testcase>\n");
}

/// What is wrong with a group.
pub(crate) fn failure(group: &Judged, out: &mut String) {
    let cause = group.cause.map_or("unknown", |cause| cause.name);
    let element = if group.verdict == Verdict::Leak {
        "failure"
    } else {
        "system-out"
    };
    let attributes = if element == "failure" {
        format!(" type=\"{cause}\" message=\"{}\"", escape(&group.because))
    } else {
        String::new()
    };
    let _ = writeln!(
        out,
        "      <{element}{attributes}>{}",
        escape(&summary(group))
    );
    for placed in &group.facts.stack {
        let line = format!("{} {}:{}", placed.function, placed.file, placed.line);
        let _ = writeln!(out, "{}", escape(&line));
    }
    let _ = writeln!(out, "</{element}>");
}

fn summary(group: &Judged) -> String {
    let cause = group.cause.map_or("unknown", |cause| cause.name);
    let word = group.verdict.word();
    let goroutines = count(group.facts.faulty(), "goroutine");
    format!("{word} {cause}: {goroutines}; {}", group.because)
}

/// Text that XML 1.0 allows: five characters have names, control characters no place at all.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
