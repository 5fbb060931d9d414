//! The file format of speedscope: sampled profiles over one table of frames.
//!
//! Owns the format. No frame is dropped and nothing is folded away. The first profile has all
//! threads, equal stacks as one; then comes each thread, the busiest first, in order of time.

use std::collections::{BTreeMap, HashMap};

use seam_profile::{Profile, SampleRow, StackFrame, StackId, ThreadId};
use serde::Serialize;

use crate::error::ExportError;
use crate::html::title;
use crate::names::printable;

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

#[derive(Serialize)]
struct File {
    #[serde(rename = "$schema")]
    schema: &'static str,
    exporter: String,
    name: String,
    #[serde(rename = "activeProfileIndex")]
    active_profile_index: u32,
    shared: Shared,
    profiles: Vec<Sampled>,
}

#[derive(Serialize)]
struct Shared {
    frames: Vec<Frame>,
}

#[derive(Clone, Serialize, PartialEq, Eq, Hash)]
struct Frame {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    file: String,
    #[serde(skip_serializing_if = "is_zero")]
    line: u32,
}

#[derive(Serialize)]
struct Sampled {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    unit: &'static str,
    #[serde(rename = "startValue")]
    start_value: u64,
    #[serde(rename = "endValue")]
    end_value: u64,
    /// Numbers of frames, root first.
    samples: Vec<Vec<u32>>,
    weights: Vec<u64>,
}

/// Writes the profile for speedscope. Samples without a stack have the one frame `[no stack]`.
///
/// # Errors
/// None that a profile can cause.
pub fn speedscope(profile: &Profile) -> Result<String, ExportError> {
    let mut frames = Frames::new(profile);
    let mut rows: Vec<_> = profile.samples().iter().collect();
    rows.sort_by_key(|row| row.time_ns);
    let mut all: BTreeMap<Option<StackId>, u64> = BTreeMap::new();
    let mut threads: HashMap<ThreadId, Vec<SampleRow>> = HashMap::new();
    for row in rows {
        *all.entry(row.stack).or_default() += u64::from(row.weight);
        threads.entry(row.thread).or_default().push(row);
    }
    let mut profiles = vec![frames.sampled("all threads".to_owned(), all)];
    let mut threads: Vec<_> = threads.into_iter().collect();
    threads.sort_by_key(|(thread, rows)| (std::cmp::Reverse(rows.len()), *thread));
    for (thread, rows) in threads {
        let stacks = rows
            .iter()
            .map(|row| (row.stack, u64::from(row.weight)))
            .collect();
        profiles.push(frames.sampled(thread_name(profile, thread), merged(stacks)));
    }
    let file = File {
        schema: SCHEMA,
        exporter: format!("seam {}", env!("CARGO_PKG_VERSION")),
        name: printable(&title(profile)),
        active_profile_index: 0,
        shared: Shared {
            frames: frames.rows,
        },
        profiles,
    };
    serde_json::to_string(&file).map_err(ExportError::Header)
}

/// Equal stacks that follow each other are one.
fn merged(stacks: Vec<(Option<StackId>, u64)>) -> Vec<(Option<StackId>, u64)> {
    let mut merged: Vec<(Option<StackId>, u64)> = Vec::new();
    for (stack, weight) in stacks {
        match merged.last_mut() {
            Some((last, sum)) if *last == stack => *sum += weight,
            _ => merged.push((stack, weight)),
        }
    }
    merged
}

fn thread_name(profile: &Profile, thread: ThreadId) -> String {
    let thread = profile.threads().get(thread);
    let name = printable(profile.text(thread.name));
    format!("thread {} {name}", thread.tid)
        .trim_end()
        .to_owned()
}

/// Interns frames; stacks are looked up once.
struct Frames<'a> {
    profile: &'a Profile,
    rows: Vec<Frame>,
    numbers: HashMap<Frame, u32>,
    stacks: HashMap<Option<StackId>, Vec<u32>>,
}

impl<'a> Frames<'a> {
    fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            rows: Vec::new(),
            numbers: HashMap::new(),
            stacks: HashMap::new(),
        }
    }

    fn sampled(
        &mut self,
        name: String,
        stacks: impl IntoIterator<Item = (Option<StackId>, u64)>,
    ) -> Sampled {
        let period_ns = self.profile.recording().sampling.period_ns;
        let (mut samples, mut weights) = (Vec::new(), Vec::new());
        for (stack, weight) in stacks {
            samples.push(self.stack(stack));
            weights.push(weight.saturating_mul(period_ns));
        }
        Sampled {
            kind: "sampled",
            name,
            unit: "nanoseconds",
            start_value: 0,
            end_value: weights.iter().sum(),
            samples,
            weights,
        }
    }

    fn stack(&mut self, stack: Option<StackId>) -> Vec<u32> {
        if let Some(numbers) = self.stacks.get(&stack) {
            return numbers.clone();
        }
        let mut frames = Vec::new();
        if let Some(stack) = stack {
            self.profile.frames_root_to_leaf(stack, &mut frames);
        }
        let mut numbers: Vec<u32> = frames.into_iter().map(|frame| self.frame(frame)).collect();
        if stack.is_none() {
            numbers.push(self.number(plain("[no stack]".to_owned())));
        }
        self.stacks.insert(stack, numbers.clone());
        numbers
    }

    fn frame(&mut self, frame: StackFrame) -> u32 {
        let profile = self.profile;
        let row = match frame {
            StackFrame::Elided { frames } => plain(format!("[{frames} frames not kept]")),
            StackFrame::Frame { frame, .. } => {
                let (frame, function) = profile.frame_function(frame);
                let name = printable(profile.text(function.name));
                let mut file = profile.text(function.file);
                // The file decides the colour; code without one is told apart by its module.
                if file.is_empty() {
                    let module = function
                        .module
                        .map(|module| profile.modules().get(module).path);
                    file = module.map_or("", |path| profile.text(path));
                }
                Frame {
                    name: if name.is_empty() {
                        "[no name]".to_owned()
                    } else {
                        name
                    },
                    file: printable(file),
                    line: frame.line,
                }
            }
        };
        self.number(row)
    }

    fn number(&mut self, row: Frame) -> u32 {
        if let Some(number) = self.numbers.get(&row) {
            return *number;
        }
        let number = self.rows.len() as u32;
        self.rows.push(row.clone());
        self.numbers.insert(row, number);
        number
    }
}

fn plain(name: String) -> Frame {
    Frame {
        name,
        file: String::new(),
        line: 0,
    }
}

// serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(line: &u32) -> bool {
    *line == 0
}
