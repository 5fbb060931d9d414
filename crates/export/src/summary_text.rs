//! What `seam record` prints when it is done: one screen of at most 24 lines and 80 columns.
//!
//! Owns the screen's order (facts, quality, time, functions, crossings, then what the caller adds)
//! and how many lines each part gets.

mod edges;
mod flow;
mod functions;
mod paint;

use seam_analyze::Facts;
use seam_profile::{Cost, FunctionKind, Profile};

use crate::names::printable;
use crate::numbers::{bytes, percent, seconds, whole_percent};
use crate::quality_words::{Level, figures};
use flow::flow;
use paint::{Paint, Style};

/// Lines of the screen, and columns of each.
const LINES_MAX: usize = 24;
const COLUMNS: usize = 80;
/// Functions come before crossings where room is scarce, and are shown even if there is none.
const FUNCTIONS_MIN: usize = 5;

/// A line the caller adds at the end, such as what was written where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailerLine {
    /// One word, at most 9 characters: "cost", "wrote".
    pub label: String,
    /// The rest, cut to the width of the screen only if it wraps: paths stay whole.
    pub text: String,
}

/// How to write the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether to add ANSI colours. They only add: kinds are words too.
    pub color: bool,
    /// Lines to end with.
    pub trailer: Vec<TrailerLine>,
}

/// Writes the screen. Each line ends with a newline.
pub fn summary_text(profile: &Profile, facts: &Facts, options: &TextOptions) -> String {
    let paint = Paint { on: options.color };
    let mut lines = title(profile, paint);
    lines.extend(quality(profile, paint));
    lines.extend(flow("time", &time(facts), paint));
    // An empty line and a heading come before the functions.
    let taken = lines.len() + options.trailer.len() + 2;
    let room = LINES_MAX.saturating_sub(taken);
    let edges = edges::lines(profile, facts, room.saturating_sub(FUNCTIONS_MIN), paint);
    let room = room.saturating_sub(edges.len()).max(FUNCTIONS_MIN);
    lines.push(String::new());
    lines.extend(functions::lines(profile, facts, room, paint));
    lines.extend(edges);
    for line in &options.trailer {
        lines.push(
            format!("{:<10}{}", line.label, line.text)
                .trim_end()
                .to_owned(),
        );
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// What recording cost, for the line labelled "cost".
pub fn cost_words(cost: &Cost, duration_ns: u64) -> String {
    let share = core_share(cost, duration_ns);
    let mut words = format!("seam {share} of one core, {}", bytes(cost.memory_bytes()));
    if let Some(ns) = cost.bpf_ns_per_run() {
        words.push_str(&format!(
            "   {:.1} µs per sample in the kernel",
            ns as f64 / 1e3
        ));
    }
    words
}

/// Share of one core that seam itself used.
pub(crate) fn core_share(cost: &Cost, duration_ns: u64) -> String {
    percent(cost.seam_cpu_ns, duration_ns)
}

/// Processes named in the title; the JSON has all.
const TITLE_TARGETS: usize = 4;

fn title(profile: &Profile, paint: Paint) -> Vec<String> {
    let recording = profile.recording();
    let mut parts = Vec::new();
    let more = recording.targets.len().saturating_sub(TITLE_TARGETS);
    for target in recording.targets.iter().take(TITLE_TARGETS) {
        let name = paint.with(Style::Bold, &printable(&target.name));
        let version = target
            .go_version
            .iter()
            .map(|version| format!("Go {version}"));
        let facts: Vec<_> = version.chain(target.facts.iter().cloned()).collect();
        parts.push(format!("{name} (pid {})", target.pid));
        parts.extend(Some(printable(&facts.join(", "))).filter(|facts| !facts.is_empty()));
    }
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    let rate_hz = recording.sampling.rate_hz;
    parts.push(format!(
        "{} at {rate_hz} Hz",
        seconds(recording.duration_ns)
    ));
    parts.push(format!(
        "tier {}: {}{}",
        recording.tier.number(),
        recording.tier.words(),
        recording.grade.limits()
    ));
    flow::unlabelled(&parts)
}

fn quality(profile: &Profile, paint: Paint) -> Vec<String> {
    let phrase = |figure: &crate::quality_words::Figure| {
        let phrase = match figure.level {
            Level::Plain => figure.phrase.clone(),
            Level::Good => paint.with(Style::Good, &figure.phrase),
            Level::Warn => paint.with(Style::Warn, &figure.phrase),
            Level::Bad => paint.with(Style::Bad, &figure.phrase),
        };
        if figure.note.is_empty() {
            phrase
        } else {
            format!("{phrase} ({})", figure.note)
        }
    };
    let mut parts: Vec<_> = figures(profile).iter().map(phrase).collect();
    parts.extend(
        profile
            .quality()
            .told
            .notes
            .iter()
            .map(|note| printable(note)),
    );
    flow("quality", &parts, paint)
}

/// Shares by kind, in words; kinds that did not occur are left out, and what the runtime spent
/// less than 1% on.
fn time(facts: &Facts) -> Vec<String> {
    let shares = &facts.shares;
    let share = |weight| whole_percent(weight, facts.samples);
    let inside = [
        ("GC", shares.gc),
        ("idle spin", shares.idle),
        ("scheduler", shares.scheduler),
    ];
    let inside = inside
        .iter()
        .filter(|(_, weight)| *weight * 100 >= facts.samples.max(1));
    let inside: Vec<_> = inside
        .map(|(word, weight)| format!("{word} {}", share(*weight)))
        .collect();
    let part = |kind: &FunctionKind| {
        let weight = shares.kind(*kind);
        let text = format!("{} {}", kind_words(*kind), share(weight));
        let detailed = *kind == FunctionKind::GoRuntime && !inside.is_empty();
        let text = if detailed {
            format!("{text} ({})", inside.join(", "))
        } else {
            text
        };
        (weight > 0).then_some(text)
    };
    let parts: Vec<_> = FunctionKind::ALL.iter().filter_map(part).collect();
    if parts.is_empty() {
        vec!["no samples".to_owned()]
    } else {
        parts
    }
}

fn kind_words(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Go => "go",
        FunctionKind::GoRuntime => "go runtime",
        FunctionKind::C => "c",
        FunctionKind::Kernel => "kernel",
        FunctionKind::Unknown => "unknown",
    }
}
