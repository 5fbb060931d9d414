//! docs/goroutines.md.

use std::fmt::Write;

use super::Row;
use super::goker::Clusters;

const HEAD: &str = "\
# How well leaked goroutines are found

Written by `cargo xtask leaks`; see the [guide](guide-goroutines.md) for what the words mean.

";

const BUGS: &str = "
Real bugs of cockroach, etcd, grpc, hugo, istio, kubernetes, moby, serving and syncthing in
small form (GoKer), from the test data of Go's own leak profile. Each program runs its bug and
is then left as it hangs; seam looks at it from outside, by its default of three looks in two
seconds. The truth is what the program's runtime says afterwards: main only sleeps, so all that
waits on channels or locks leaks. Not every run shows its bug. A cause class counts as right
where the wait reason allows it.

";

const SUITE: &str = "
Program [y](../tests/programs/y): a fault in each mode, with its cause known by construction,
the same without the fault, and programs that only look like leaks: idle servers, pools,
streams, tickers, C threads with callbacks, long C, garbage, churn. Faults that only growth
shows are looked at for four seconds, every half. A lock that a variable leads to and that nobody
releases can't be shown to be leaked: behind it goroutines queue up (`queue`), or a few just wait
(`global`). The first shows by growth and counts as any fault; the second must be called suspect,
and is no fault that counts.

";

const CLUSTERS: &str = "
All bugs of GoKer hang in one process, and groups whose stacks differ in a frame or two are put into
clusters. A pair of groups in one cluster is right where both are of one bug.

| build | groups | pairs in a cluster | of one bug |
|---|--:|--:|--:|
";

/// What was measured.
pub(super) struct Figures<'a> {
    pub(super) bugs: &'a [Row],
    pub(super) suite: &'a [Row],
    pub(super) clusters: &'a [Clusters],
    /// Where the bugs' sources are from.
    pub(super) from: &'a str,
    pub(super) date: &'a str,
    pub(super) minutes: f64,
}

/// The page.
pub(super) fn text(figures: &Figures<'_>) -> String {
    let Figures {
        bugs,
        suite,
        from,
        date,
        minutes,
        ..
    } = *figures;
    let mut out = HEAD.to_owned();
    let _ = writeln!(
        out,
        "{date}, in {minutes:.0} minutes on two shared CPUs.\n\n## GoKer"
    );
    out += BUGS;
    let _ = writeln!(out, "The sources are those of {from}.\n");
    out += "| build | bug shown | found | recall | goroutines leaked | right | wrong | precision \
            | cause right |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for row in bugs {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.build,
            row.shown,
            row.found,
            share(row.found, row.shown),
            row.leaked,
            row.right,
            row.wrong,
            share(row.right, row.right + row.wrong),
            share(row.classed, row.groups),
        );
    }
    misses(bugs, &mut out);
    out += "\n## Program y\n";
    out += SUITE;
    out += "| build | faults | found | recall | without a fault | called leaked | precision \
            | cause right |\n|---|--:|--:|--:|--:|--:|--:|--:|\n";
    for row in suite {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.build,
            row.shown,
            row.found,
            share(row.found, row.shown),
            row.sound,
            row.flagged,
            share(row.right, row.right + row.wrong),
            share(row.classed, row.groups),
        );
    }
    misses(suite, &mut out);
    out += "\n## Clusters\n";
    out += CLUSTERS;
    for row in figures.clusters {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            row.build, row.groups, row.pairs, row.right
        );
    }
    out
}

fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        _ => format!("{:.1}%", 100.0 * part as f64 / whole as f64),
    }
}

fn misses(rows: &[Row], out: &mut String) {
    let mut first = true;
    for row in rows.iter().filter(|row| !row.misses.is_empty()) {
        if std::mem::take(&mut first) {
            out.push_str("\nWhat was missed or too much:\n\n");
        }
        let _ = writeln!(out, "- {}: {}", row.build, row.misses.join("; "));
    }
}
