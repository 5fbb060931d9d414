//! The page's header facts as JSON, and its strings.
//!
//! Owns title, subtitle, tier, quality strip and notes as the page shows them.

use std::collections::HashMap;

use seam_profile::{Counted, LabelsId, Profile, Recording};
use serde_json::{Map, Value, json};

use super::samples::time_step_ns;
use crate::names::printable;
use crate::numbers::seconds;
use crate::quality_words::{Level, WHOLE_LABEL, figures};
use crate::summary_text::core_share;

/// The page's strings; id 0 is empty.
pub(super) struct PageStrings {
    rows: Vec<String>,
    ids: HashMap<String, u32>,
}

impl Default for PageStrings {
    fn default() -> Self {
        let ids = HashMap::from([(String::new(), 0)]);
        Self {
            rows: vec![String::new()],
            ids,
        }
    }
}

impl PageStrings {
    pub(super) fn id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.rows.len() as u32;
        self.rows.push(text.to_owned());
        self.ids.insert(text.to_owned(), id);
        id
    }
}

/// Name of the process, or of the first and how many more.
pub(crate) fn title(profile: &Profile) -> String {
    let targets = &profile.recording().targets;
    match &targets[..] {
        [] => "profile".to_owned(),
        [only] => only.name.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.name, rest.len()),
    }
}

pub(super) fn header(profile: &Profile, strings: PageStrings) -> Map<String, Value> {
    let recording = profile.recording();
    let tier = recording.tier;
    let mut header = Map::new();
    let mut put = |name: &str, value| header.insert(name.to_owned(), value);
    put("title", json!(printable(&title(profile))));
    put("subtitle", json!(subtitle(recording)));
    put(
        "tier",
        json!(format!(
            "tier {} · {}{}",
            tier.number(),
            tier.words(),
            recording.grade.limits()
        )),
    );
    put("quality", Value::Array(quality(profile)));
    put("notes", json!(profile.quality().told.notes));
    put("unit", json!(recording.sampling.counted.unit()));
    put("period_ns", json!(recording.sampling.period_ns));
    put("time_step_ns", json!(time_step_ns(&recording.sampling)));
    let states: Vec<_> = profile.state_names().map(printable).collect();
    put("states", json!(states));
    let sets = 0..profile.labels().len();
    let sets: Vec<_> = sets
        .map(|row| labels(profile, LabelsId::new(row)))
        .collect();
    put("label_sets", json!(sets));
    put("strings", json!(strings.rows));
    header
}

/// The pairs of one set of labels.
fn labels(profile: &Profile, set: LabelsId) -> Map<String, Value> {
    let pairs = profile.labels().pairs(set);
    let text = |id| printable(profile.text(id));
    pairs
        .map(|(key, value)| (text(key), json!(text(value))))
        .collect()
}

/// Process, Go version, and how it was sampled.
pub(crate) fn subtitle(recording: &Recording) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(target) = recording.targets.first() {
        parts.push(format!("pid {}", target.pid));
        let version = target
            .go_version
            .iter()
            .map(|version| format!("Go {version}"));
        let facts: Vec<_> = version.chain(target.facts.iter().cloned()).collect();
        parts.extend(Some(printable(&facts.join(" · "))).filter(|facts| !facts.is_empty()));
    }
    let sampling = &recording.sampling;
    let time = seconds(recording.duration_ns);
    parts.push(match sampling.counted {
        Counted::CpuTime => format!(
            "{time} at {} Hz, {}",
            sampling.rate_hz,
            printable(&sampling.event)
        ),
        Counted::Goroutines => "every goroutine at one moment".to_owned(),
    });
    parts
}

fn quality(profile: &Profile) -> Vec<Value> {
    let row = |label: &str, value: &str, note: &str, level: Level| {
        let level = match level {
            Level::Plain => "",
            Level::Good => "good",
            Level::Warn => "warn",
            Level::Bad => "bad",
        };
        json!({ "label": label, "value": value, "note": note, "level": level })
    };
    let mut figures = figures(profile);
    // The page opens with what decides whether to trust it.
    figures.sort_by_key(|figure| figure.label != WHOLE_LABEL);
    let mut rows: Vec<_> = figures
        .iter()
        .map(|figure| row(figure.label, &figure.value, &figure.note, figure.level))
        .collect();
    if let Some(cost) = profile.cost() {
        let share = core_share(cost, profile.recording().duration_ns);
        rows.push(row("profiler cost", &share, "of a core", Level::Plain));
    }
    rows
}
