//! Samples and their labels.
//!
//! Owns the merging of samples that agree in stack and labels, which the format asks for.

use std::borrow::Cow;
use std::collections::HashMap;

use seam_profile::{
    Counted, LabelsId, Profile, SampleFlags, SampleRow, StackId, StateId, ThreadId,
};

use super::proto::{Label, Sample};
use super::signed;
use super::tables::{Strings, stackless_location};

/// All that two samples must agree in to be one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    stack: Option<StackId>,
    thread: ThreadId,
    goid: u64,
    m: Option<u32>,
    p: Option<u32>,
    state: StateId,
    cpu: u32,
    end: u8,
    unwound: &'static str,
    labels: LabelsId,
}

impl Key {
    fn new(row: &SampleRow) -> Self {
        Self {
            stack: row.stack,
            thread: row.thread,
            goid: row.go.goid,
            m: row.go.m,
            p: row.go.p,
            state: row.go.state,
            cpu: row.cpu,
            end: row.end.reason,
            unwound: unwound(row.flags),
            labels: row.go.labels,
        }
    }
}

/// String ids of the labels' keys.
struct Keys {
    goid: i64,
    tid: i64,
    thread: i64,
    m: i64,
    p: i64,
    state: i64,
    cpu: i64,
    end: i64,
    unwound: i64,
    /// Unit of all numbers. Readers drop a number 0 without a unit, and CPU, M and P 0 exist.
    unit: i64,
}

pub(super) fn samples(profile: &Profile, strings: &mut Strings) -> Vec<Sample> {
    let mut rows: Vec<(Key, u64)> = Vec::new();
    let mut row_of: HashMap<Key, usize> = HashMap::new();
    for row in profile.samples().iter() {
        let key = Key::new(&row);
        let at = *row_of.entry(key).or_insert_with(|| {
            rows.push((key, 0));
            rows.len() - 1
        });
        rows[at].1 += u64::from(row.weight);
    }
    let keys = Keys {
        goid: strings.id("goid"),
        tid: strings.id("tid"),
        thread: strings.id("thread"),
        m: strings.id("m"),
        p: strings.id("p"),
        state: strings.id("state"),
        cpu: strings.id("cpu"),
        end: strings.id("end"),
        unwound: strings.id("unwound"),
        unit: strings.id("id"),
    };
    let counted = profile.recording().sampling.counted;
    let period_ns = profile.recording().sampling.period_ns;
    let sample = |(key, weight): (Key, u64)| Sample {
        location_id: location_ids(profile, key.stack),
        value: match counted {
            Counted::CpuTime => vec![signed(weight), signed(weight.saturating_mul(period_ns))],
            Counted::Goroutines => vec![signed(weight)],
        },
        label: labels(profile, strings, &keys, &key),
    };
    rows.into_iter().map(sample).collect()
}

fn location_ids(profile: &Profile, stack: Option<StackId>) -> Vec<u64> {
    match stack {
        Some(stack) => {
            let locations = profile.stacks().leaf_to_root(stack);
            locations
                .map(|location| u64::from(location.raw()) + 1)
                .collect()
        }
        None => vec![stackless_location(profile)],
    }
}

fn labels(profile: &Profile, strings: &mut Strings, keys: &Keys, sample: &Key) -> Vec<Label> {
    let number = |key, num| Label {
        key,
        num,
        num_unit: keys.unit,
        str: 0,
    };
    let thread = profile.threads().get(sample.thread);
    let mut labels = Vec::new();
    // A goroutine that waits is on no thread.
    if profile.recording().sampling.counted == Counted::CpuTime {
        labels.push(number(keys.tid, i64::from(thread.tid)));
        labels.push(number(keys.cpu, i64::from(sample.cpu)));
    }
    if sample.goid > 0 {
        labels.push(number(keys.goid, signed(sample.goid)));
    }
    labels.extend(sample.m.map(|m| number(keys.m, i64::from(m))));
    labels.extend(sample.p.map(|p| number(keys.p, i64::from(p))));
    let texts = [
        (keys.thread, profile.text(thread.name)),
        (keys.state, profile.state_name(sample.state)),
        (keys.end, broken(profile, sample.end)),
        (keys.unwound, sample.unwound),
    ];
    for (key, text) in texts {
        if !text.is_empty() {
            labels.push(Label {
                key,
                str: strings.id(text),
                ..Label::default()
            });
        }
    }
    let own = profile.labels().pairs(sample.labels);
    labels.extend(own.map(|(key, value)| Label {
        key: strings.id(&own_key(profile.text(key))),
        str: strings.id(profile.text(value)),
        ..Label::default()
    }));
    labels
}

/// A key of the program's own; where it is one of ours too, it is told apart.
fn own_key(key: &str) -> Cow<'_, str> {
    match key {
        "goid" | "tid" | "thread" | "m" | "p" | "state" | "cpu" | "end" | "unwound" => {
            Cow::Owned(format!("label.{key}"))
        }
        _ => Cow::Borrowed(key),
    }
}

/// What a stack rests on besides unwind information; empty for nothing.
fn unwound(flags: SampleFlags) -> &'static str {
    if flags.has(SampleFlags::GUESSED) {
        "guessed"
    } else if flags.has(SampleFlags::FRAME_POINTERS) {
        "frame-pointers"
    } else {
        ""
    }
}

/// Why a stack is not whole; empty for whole ones, which need no label.
fn broken(profile: &Profile, code: u8) -> &str {
    let reasons = profile.quality().end_reasons.iter();
    let reason = reasons
        .map(|counted| &counted.reason)
        .find(|reason| reason.code == code);
    reason
        .filter(|reason| !reason.root)
        .map_or("", |reason| reason.name.as_str())
}
