//! The screen: leaked groups first, then suspects, then what is healthy in one line.

use std::fmt::Write;

use seam_dump::{Placed, age, clean, count, file_name, short, thousands, without_types};

use crate::{Judged, Report, Verdict};

/// Columns of a line of frames.
const COLUMNS: usize = 80;
/// Suspect groups that are shown without --all.
const SUSPECTS_MAX: usize = 10;

/// The screen; `all` shows healthy groups too.
#[must_use]
pub fn text(report: &Report, all: bool) -> String {
    let mut out = String::new();
    head(report, &mut out);
    for group in report.of(Verdict::Leak) {
        one(report.goroutines, group, &mut out);
    }
    let limit = if all { usize::MAX } else { SUSPECTS_MAX };
    for group in report.of(Verdict::Suspect).take(limit) {
        one(report.goroutines, group, &mut out);
    }
    let left = report.of(Verdict::Suspect).count().saturating_sub(limit);
    if left > 0 {
        let _ = writeln!(
            out,
            "… {}: --all shows them",
            count(left as u64, "more suspect group")
        );
    }
    if all {
        report
            .of(Verdict::Healthy)
            .for_each(|group| one(report.goroutines, group, &mut out));
    } else {
        healthy(report, &mut out);
    }
    tail(report, &mut out);
    out
}

fn head(report: &Report, out: &mut String) {
    let go = if report.go.is_empty() {
        "no Go".to_owned()
    } else {
        report.go.join(", ")
    };
    let looked = match report.looks {
        _ if report.core => "of a core file".to_owned(),
        1 => "looked once, nothing stopped".to_owned(),
        looks => format!(
            "looked {looks} times in {}, nothing stopped",
            age(report.span_ns)
        ),
    };
    let _ = writeln!(
        out,
        "{} (pid {})   {}   {}   {looked}",
        clean(&report.name),
        report.pid,
        clean(&go),
        count(report.goroutines, "goroutine"),
    );
    let (leaks, suspects) = (
        report.of(Verdict::Leak),
        report.of(Verdict::Suspect).count(),
    );
    let (mut groups, mut goroutines) = (0, 0);
    for leak in leaks {
        groups += 1;
        goroutines += leak.facts.faulty();
    }
    let leaked = match groups {
        0 => "no leak found".to_owned(),
        _ => format!(
            "{} in {}",
            count(goroutines, "leaked goroutine"),
            count(groups, "group")
        ),
    };
    let _ = match suspects {
        0 => writeln!(out, "{leaked}"),
        _ => writeln!(out, "{leaked}, {}", count(suspects as u64, "suspect group")),
    };
}

/// A group; `all` is the number of all goroutines, of which it is a share.
pub(crate) fn one(all: u64, group: &Judged, out: &mut String) {
    let facts = &group.facts;
    let cause = group
        .cause
        .map_or(String::new(), |cause| format!("  {}", cause.name));
    let severity = match group.verdict {
        Verdict::Healthy => String::new(),
        _ => format!("  {}", group.severity.word()),
    };
    let (number, of) = (facts.faulty(), facts.count());
    let share = share(number, all);
    let what = count(of, "goroutine");
    let word = match what.split_once(' ') {
        Some((of, word)) if number < facts.count() => format!("of {of} {word}"),
        other => other.map_or("", |(_, word)| word).to_owned(),
    };
    let _ = writeln!(out);
    let verdict = group.verdict.word();
    let _ = writeln!(out, "{verdict}{cause}{severity}   {}", facts.key.id);
    let _ = writeln!(
        out,
        "{:>7} {word} ({share})  {}{}{}",
        thousands(number),
        clean(&facts.state),
        ages(group),
        growth(group),
    );
    for on in &facts.waits_on {
        let _ = writeln!(out, "        {on}");
    }
    if let Some(context) = &facts.context {
        let _ = writeln!(out, "        context {}", clean(&context.chain.join(" ← ")));
    }
    frames(&facts.stack, out);
    if let Some(creator) = &facts.created_by {
        let _ = writeln!(out, "        created by {}", placed(creator));
    }
    if facts.cluster.groups > 1 {
        let others = count(facts.cluster.groups as u64 - 1, "group");
        let id = &facts.cluster.id;
        let _ = writeln!(
            out,
            "        cluster {id}: {others} more with nearly this stack"
        );
    }
    for held in &facts.holds {
        let _ = writeln!(
            out,
            "        holds {held} (inferred: its stack points there)"
        );
    }
    let _ = writeln!(out, "  why   {}", group.because);
    if let Some(cause) = group.cause {
        let ends = facts.unreachable() == 0;
        let what = if ends { cause.waits } else { cause.means };
        let _ = writeln!(out, "        {what}");
        let _ = writeln!(out, "  next  {}", cause.advice);
    }
}

fn share(number: u64, all: u64) -> String {
    match (100 * number + all / 2).checked_div(all) {
        Some(0) if number > 0 => "under 1%".to_owned(),
        percent => format!("{}%", percent.unwrap_or(0).min(100)),
    }
}

fn ages(group: &Judged) -> String {
    let age_of = group.facts.age;
    let mut words = String::new();
    // One look tells nothing.
    if age_of.at_least_ns > 0 {
        let _ = write!(words, ", at least {}", age(age_of.at_least_ns));
    }
    if let Some(most) = age_of.at_most_ns {
        let _ = write!(words, ", at most {}", age(most));
    }
    words
}

fn growth(group: &Judged) -> String {
    let growth = &group.facts.growth;
    if !growth.grew() {
        return String::new();
    }
    let counts: Vec<String> = growth.counts.iter().map(|c| thousands(*c)).collect();
    format!(
        ", {:+.1} a second ({}; fit {:.2})",
        growth.per_second,
        counts.join(" → "),
        growth.confidence
    )
}

fn frames(stack: &[Placed], out: &mut String) {
    let mut line = String::from("        ");
    for (at, frame) in stack.iter().enumerate() {
        let word = placed(frame);
        let columns = line.chars().count() + word.chars().count() + 3;
        if at > 0 && columns > COLUMNS {
            let _ = writeln!(out, "{line} ←");
            line = format!("        {word}");
        } else {
            line.push_str(if at == 0 { "" } else { " ← " });
            line.push_str(&word);
        }
    }
    if !stack.is_empty() {
        let _ = writeln!(out, "{line}");
    }
}

fn placed(placed: &Placed) -> String {
    let function = clean(&without_types(short(&placed.function)));
    if placed.file.is_empty() {
        return function;
    }
    format!(
        "{function} {}:{}",
        clean(file_name(&placed.file)),
        placed.line
    )
}

fn healthy(report: &Report, out: &mut String) {
    let (mut groups, mut goroutines) = (0, 0);
    for group in report.of(Verdict::Healthy) {
        groups += 1;
        goroutines += group.facts.count();
    }
    if groups > 0 {
        let _ = writeln!(
            out,
            "\nhealthy  {} in {}: --all shows them",
            count(goroutines, "goroutine"),
            count(groups, "group")
        );
    }
}

fn tail(report: &Report, out: &mut String) {
    if report.ignored > 0 {
        let _ = writeln!(out, "ignored  {}", count(report.ignored, "goroutine"));
    }
    if let Some(why) = &report.incomplete {
        let _ = writeln!(out, "not seen  the mark is not complete: {}", clean(why));
    }
    for note in &report.notes {
        let _ = writeln!(out, "note      {}", clean(note));
    }
}
