//! Folded stacks: one line per distinct stack, `comm;root;…;leaf count`, sorted.
//!
//! Owns the format, as read by FlameGraph, inferno, speedscope and others. No frame is dropped and
//! nothing is folded away: the name is the format's own. Kernel frames end in `_[k]`, inlined ones
//! in `_[i]`.

use std::collections::BTreeMap;

use seam_profile::{FunctionKind, Profile, StackFrame, StackId, StringId, ThreadId};

/// Writes the profile as folded stacks. Samples without a stack have the one frame `[no stack]`.
pub fn folded(profile: &Profile) -> String {
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for ((comm, stack), weight) in weights(profile) {
        *lines.entry(line(profile, comm, stack)).or_default() += weight;
    }
    let mut text = String::new();
    for (line, weight) in lines {
        text.push_str(&line);
        text.push(' ');
        text.push_str(&weight.to_string());
        text.push('\n');
    }
    text
}

/// A thread's name and its process, by which lines are told apart.
type Comm = (StringId, u32);

fn weights(profile: &Profile) -> BTreeMap<(Comm, Option<StackId>), u64> {
    let mut weights = BTreeMap::new();
    for sample in profile.samples().iter() {
        let key = (comm(profile, sample.thread), sample.stack);
        *weights.entry(key).or_default() += u64::from(sample.weight);
    }
    weights
}

fn comm(profile: &Profile, thread: ThreadId) -> Comm {
    let thread = profile.threads().get(thread);
    // A name is enough; without one the process stands in.
    (
        thread.name,
        if thread.name == StringId::EMPTY {
            thread.pid
        } else {
            0
        },
    )
}

fn line(profile: &Profile, (name, pid): Comm, stack: Option<StackId>) -> String {
    let mut line = clean(profile.text(name));
    if line.is_empty() {
        let target = profile
            .recording()
            .targets
            .iter()
            .find(|target| target.pid == pid);
        line = target.map_or(format!("pid {pid}"), |target| clean(&target.name));
    }
    let mut frames = Vec::new();
    match stack {
        Some(stack) => profile.frames_root_to_leaf(stack, &mut frames),
        None => line.push_str(";[no stack]"),
    }
    for frame in frames {
        line.push(';');
        push_frame(profile, frame, &mut line);
    }
    line
}

fn push_frame(profile: &Profile, frame: StackFrame, line: &mut String) {
    let (frame, inlined) = match frame {
        StackFrame::Frame { frame, inlined, .. } => (frame, inlined),
        StackFrame::Elided { frames } => {
            line.push_str(&format!("[{frames} frames not kept]"));
            return;
        }
    };
    let (_, function) = profile.frame_function(frame);
    let name = clean(profile.text(function.name));
    line.push_str(if name.is_empty() { "[no name]" } else { &name });
    if function.kind == FunctionKind::Kernel {
        line.push_str("_[k]");
    } else if inlined {
        line.push_str("_[i]");
    }
}

/// A name without the characters that separate frames and lines.
fn clean(name: &str) -> String {
    let plain = |char: char| match char {
        ';' => ':',
        char if char.is_control() => ' ',
        char => char,
    };
    name.chars().map(plain).collect()
}
