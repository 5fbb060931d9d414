//! A report as JSON. Owns the schema: exactly these keys. Adding one keeps the number, anything
//! else raises it.

use seam_dump::Placed;
use serde::Serialize;

use crate::{Judged, Report};

/// The number of the schema.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Out<'a> {
    schema: u32,
    target: Target<'a>,
    groups: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Target<'a> {
    pid: i32,
    name: &'a str,
    go: &'a [String],
    goroutines: u64,
    looks: u32,
    span_ns: u64,
    /// Why nothing could be shown to be unreachable; null where the mark is complete.
    mark_incomplete: Option<&'a str>,
    notes: &'a [String],
}

#[derive(Serialize)]
pub(crate) struct Group<'a> {
    /// The same in every run and build.
    id: &'a str,
    /// The id of the group that leads those whose stacks differ in a frame or two.
    cluster: &'a str,
    /// The package of the code that they began with.
    package: &'a str,
    /// `goroutine-leak`, `suspect` or `healthy`.
    verdict: &'static str,
    /// The cause class; null for healthy groups.
    cause: Option<&'static str>,
    /// `high`, `medium`, `low` or `none`.
    severity: &'static str,
    count: u64,
    /// How many of these nothing could wake.
    unreachable: u64,
    growth_per_s: f64,
    age: Age,
    /// Functions that are not the runtime's, innermost first.
    stack: Vec<Place<'a>>,
    created_by: Option<Place<'a>>,
    /// In words, that of one member.
    waits_on: &'a [String],
    /// What others wait for, inferred.
    holds: &'a [String],
}

#[derive(Serialize)]
struct Age {
    at_least_ns: u64,
    at_most_ns: Option<u64>,
}

#[derive(Serialize)]
struct Place<'a> {
    function: &'a str,
    file: &'a str,
    line: u32,
}

/// The report.
#[must_use]
pub fn json(report: &Report) -> String {
    let out = Out {
        schema: SCHEMA,
        target: Target {
            pid: report.pid,
            name: &report.name,
            go: &report.go,
            goroutines: report.goroutines,
            looks: report.looks,
            span_ns: report.span_ns,
            mark_incomplete: report.incomplete.as_deref(),
            notes: &report.notes,
        },
        groups: report.groups.iter().map(group).collect(),
    };
    pretty(&out)
}

pub(crate) fn pretty(out: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(out).unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) fn group(judged: &Judged) -> Group<'_> {
    let facts = &judged.facts;
    Group {
        id: &facts.key.id,
        cluster: &facts.cluster.id,
        package: facts.package(),
        verdict: judged.verdict.word(),
        cause: judged.cause.map(|cause| cause.name),
        severity: judged.severity.word(),
        count: facts.count(),
        unreachable: facts.unreachable(),
        growth_per_s: facts.growth.per_second,
        age: Age {
            at_least_ns: facts.age.at_least_ns,
            at_most_ns: facts.age.at_most_ns,
        },
        stack: facts.stack.iter().map(place).collect(),
        created_by: facts.created_by.as_deref().map(place),
        waits_on: &facts.waits_on,
        holds: &facts.holds,
    }
}

fn place(placed: &Placed) -> Place<'_> {
    Place {
        function: &placed.function,
        file: &placed.file,
        line: placed.line,
    }
}
