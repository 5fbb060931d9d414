//! The screen: what the process is, groups of goroutines, threads, what was not seen.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use seam_runtime::WaitsOn;

use crate::waits::{Waiters, lines, waiters};
use crate::words::{age, clean, count, file_name, short, thousands, without_types};
use crate::{Dump, Frame, Goroutine, Group, Kind, Stack, Thread, Timer, Trust};

/// Columns of a line of frames.
const COLUMNS: usize = 80;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Groups of each kind; the rest is counted.
    pub groups_max: usize,
    /// Goroutines of the runtime itself that are not among the groups.
    pub own_workers: usize,
    /// Each frame on a line of its own, and the numbers of all members.
    pub full: bool,
}

/// The screen for some groups of a dump.
#[must_use]
pub fn text(dump: &Dump, goroutines: &[Group], threads: &[Group], options: TextOptions) -> String {
    let mut out = String::new();
    head(dump, &mut out);
    let (shown, rest) = goroutines.split_at(goroutines.len().min(options.groups_max));
    let waiters = waiters(dump);
    for group in shown {
        goroutine_group(dump, &waiters, group, options, &mut out);
    }
    more(rest, "goroutine", &mut out);
    own_workers(options.own_workers, &mut out);
    if !threads.is_empty() && !goroutines.is_empty() {
        out.push_str("threads\n");
    }
    let (shown, rest) = threads.split_at(threads.len().min(options.groups_max));
    for group in shown {
        thread_group(dump, group, options, &mut out);
    }
    more(rest, "thread", &mut out);
    timers(dump, &mut out);
    not_seen(dump, &mut out);
    out
}

/// Timers that do the same are one line: how many, the soonest, the period, what they call.
fn timers(dump: &Dump, out: &mut String) {
    let mut groups: BTreeMap<(&str, u64), Vec<&Timer>> = BTreeMap::new();
    for timer in &dump.timers {
        let calls = timer.calls.as_deref().unwrap_or("an unknown function");
        groups
            .entry((calls, timer.period_ns))
            .or_default()
            .push(timer);
    }
    if !groups.is_empty() {
        out.push_str("timers\n");
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, timers)| std::cmp::Reverse(timers.len()));
    for ((calls, period), timers) in groups {
        let soonest = timers.iter().map(|t| t.when_ns).min().unwrap_or(0);
        let when = match soonest.checked_sub(dump.now_ns) {
            Some(left) => format!("in {}", age(left)),
            None => "due".to_owned(),
        };
        let every = if period > 0 {
            format!(", every {}", age(period))
        } else {
            String::new()
        };
        let number = timers.len() as u64;
        let what = if number == 1 { "timer" } else { "timers" };
        let _ = writeln!(
            out,
            "{:>7} {what}  {when}{every}, calls {}",
            thousands(number),
            clean(calls)
        );
        waiting_for(dump, &timers, out);
    }
}

/// Who waits for the channels of timers.
fn waiting_for(dump: &Dump, timers: &[&Timer], out: &mut String) {
    const FEW: usize = 6;
    let channels: HashSet<u64> = timers.iter().filter_map(|t| t.channel).collect();
    let waits = |g: &&Goroutine| {
        let mut on = dump.waits_on(g).iter();
        on.any(|on| matches!(on, WaitsOn::Channel { address, .. } if channels.contains(address)))
    };
    let goids: Vec<String> = dump
        .goroutines
        .iter()
        .filter(waits)
        .map(|g| g.goid.to_string())
        .collect();
    if !goids.is_empty() {
        let more = if goids.len() > FEW { ", …" } else { "" };
        let shown = goids[..goids.len().min(FEW)].join(", ");
        let _ = writeln!(out, "        goroutine {shown}{more} waits for it");
    }
}

fn head(dump: &Dump, out: &mut String) {
    let mut parts = vec![format!("{} (pid {})", clean(&dump.name), dump.pid)];
    parts.push(match &dump.go[..] {
        [] => "no Go".to_owned(),
        go => go.join(", "),
    });
    parts.push(count(dump.threads.len() as u64, "thread"));
    if !dump.go.is_empty() {
        parts.push(count(dump.goroutines.len() as u64, "goroutine"));
    }
    let read = age(dump.read_ns);
    parts.push(match dump.core {
        true => format!("of a core file, read in {read}"),
        false => format!("read in {read}, nothing stopped"),
    });
    let _ = writeln!(out, "{}", parts.join("   "));
}

fn more(rest: &[Group], what: &str, out: &mut String) {
    if rest.is_empty() {
        return;
    }
    let members = rest.iter().map(|group| group.members.len() as u64).sum();
    let groups = count(rest.len() as u64, "more group");
    let _ = writeln!(
        out,
        "{:>7} {groups}, {}: --all shows them",
        "…",
        count(members, what)
    );
}

fn own_workers(number: usize, out: &mut String) {
    if number > 0 {
        let what = if number == 1 {
            "goroutine"
        } else {
            "goroutines"
        };
        let _ = writeln!(
            out,
            "{number:>7} {what}  the runtime's own: --all shows them"
        );
    }
}

fn goroutine_group(
    dump: &Dump,
    waiters: &Waiters,
    group: &Group,
    options: TextOptions,
    out: &mut String,
) {
    let Some(first) = group.of(&dump.goroutines).next() else {
        return;
    };
    let number = group.members.len() as u64;
    let what = count(number, "goroutine");
    let what = what.split_once(' ').map_or("", |(_, word)| word);
    let mut parts = vec![clean(&first.common.state)];
    parts.extend(ages(dump, group));
    if let (Some(go), 2..) = (
        dump.go.get(usize::from(first.common.runtime)),
        dump.go.len(),
    ) {
        parts.push(clean(go));
    }
    if first.locked {
        parts.push("locked to thread".to_owned());
    }
    parts.extend(doubt(first.trust));
    let _ = writeln!(out, "{:>7} {what}  {}", thousands(number), parts.join(", "));
    members(dump, group, options, out);
    for line in lines(dump, waiters, group.of(&dump.goroutines)) {
        let _ = writeln!(out, "        {line}");
    }
    if let Some(stack) = first.stack {
        stack_text(dump, stack, options, out);
    }
    origin(first, number, out);
}

/// What is to be said of a stack that is not certain.
fn doubt(trust: Trust) -> Option<String> {
    match trust {
        Trust::Moving => Some("moving: not certain".to_owned()),
        Trust::GoOnly => Some("C frames not known".to_owned()),
        Trust::Sampled => Some("a sample".to_owned()),
        Trust::Running | Trust::Certain => None,
    }
}

/// How long a group has waited, as far as that is known.
fn ages(dump: &Dump, group: &Group) -> Vec<String> {
    if let Some((low, high)) = group.asleep(&dump.goroutines) {
        return vec![asleep(low, high)];
    }
    let most = group.waited_at_most(&dump.goroutines);
    most.map(|ns| format!("at most {}", age(ns)))
        .into_iter()
        .collect()
}

fn asleep(low: u64, high: u64) -> String {
    match (age(low), age(high)) {
        (low, high) if low == high => format!("thread asleep {high}"),
        (low, high) => format!("threads asleep {low} to {high}"),
    }
}

/// The goroutines' numbers and threads: all of them or the first few.
fn members(dump: &Dump, group: &Group, options: TextOptions, out: &mut String) {
    const FEW: usize = 6;
    let limit = if options.full { usize::MAX } else { FEW };
    let shown = group.of(&dump.goroutines).take(limit).map(|g| {
        let thread = g.thread.map(|tid| format!(" on thread {tid}"));
        format!("{}{}", g.goid, thread.unwrap_or_default())
    });
    let shown: Vec<String> = shown.collect();
    let left = group.members.len() - shown.len();
    let more = if left > 0 { ", …" } else { "" };
    let _ = writeln!(out, "        goroutine {}{more}", shown.join(", "));
}

fn origin(goroutine: &Goroutine, number: u64, out: &mut String) {
    // The main goroutine is made by the runtime's start code.
    if let Some(creator) = goroutine
        .common
        .creator
        .as_ref()
        .filter(|_| goroutine.goid != 1)
    {
        let _ = write!(
            out,
            "        created by {} {}:{}",
            clean(&without_types(short(&creator.function))),
            clean(file_name(&creator.file)),
            creator.line
        );
        match goroutine.parent.filter(|_| number == 1) {
            Some(parent) => {
                let _ = writeln!(out, " in goroutine {parent}");
            }
            None => out.push('\n'),
        }
    }
    let labels = &goroutine.common.labels;
    if number == 1 && !labels.is_empty() {
        let labels = labels.iter();
        let labels: Vec<String> = labels.map(|(k, v)| clean(&format!("{k}={v}"))).collect();
        let _ = writeln!(out, "        labels {}", labels.join(" "));
    }
}

fn thread_group(dump: &Dump, group: &Group, options: TextOptions, out: &mut String) {
    let Some(first) = group.of(&dump.threads).next() else {
        return;
    };
    let number = group.members.len() as u64;
    let what = if number == 1 { "thread" } else { "threads" };
    let mut parts = vec![state_word(dump, first).to_owned()];
    if let Some((low, high)) = group.asleep(&dump.threads) {
        parts.push(match (age(low), age(high)) {
            (low, high) if low == high => format!("for {high}"),
            (low, high) => format!("for {low} to {high}"),
        });
    }
    parts.extend(doubt(first.trust));
    let _ = writeln!(out, "{:>7} {what}  {}", thousands(number), parts.join(", "));
    let limit = if options.full { usize::MAX } else { 6 };
    for thread in group.of(&dump.threads).take(limit) {
        let _ = writeln!(out, "        {}", thread_line(dump, thread));
    }
    let left = group.members.len().saturating_sub(limit);
    if left > 0 {
        let _ = writeln!(out, "        … {} more", thousands(left as u64));
    }
    if options.full {
        for function in &first.kernel {
            let _ = writeln!(out, "        krn  {}", clean(function));
        }
    }
    if let Some(stack) = first.stack {
        stack_text(dump, stack, options, out);
    }
}

fn thread_line(dump: &Dump, thread: &Thread) -> String {
    let name = format!("{} {}", thread.tid, clean(&thread.name));
    let mut parts = vec![name.trim_end().to_owned()];
    if let Some(goid) = thread.goid {
        parts.push(format!("goroutine {goid}"));
    }
    parts.extend(thread.waits_in.as_deref().map(clean));
    if !dump.core {
        parts.push(format!("CPU {}", age(thread.cpu_ns)));
    }
    parts.join("   ")
}

fn state_word(dump: &Dump, thread: &Thread) -> &'static str {
    match thread.state {
        _ if dump.core => "in the core",
        'R' => "running or ready",
        'S' => "asleep",
        'D' => "waiting for a device",
        'T' => "stopped",
        't' => "held by a debugger",
        'Z' | 'X' => "ended",
        'I' => "idle",
        _ => "in an unknown state",
    }
}

fn stack_text(dump: &Dump, stack: u32, options: TextOptions, out: &mut String) {
    let Some(stack) = dump.stacks.get(stack as usize) else {
        return;
    };
    if options.full {
        let gap = stack.gap();
        for (at, frame) in stack.frames.iter().enumerate() {
            if gap == Some(at) {
                let _ = writeln!(out, "        …    {} left out", left_out(stack));
            }
            let _ = writeln!(out, "        {:4} {}", kind(frame), placed(frame));
        }
    } else if stack.frames.is_empty() && stack.whole {
        let _ = writeln!(out, "        (no user stack: {})", stack.end);
    } else {
        in_few_lines(stack, out);
    }
    if stack.elided > 0 && !options.full {
        let left_out = left_out(stack);
        let _ = writeln!(out, "        ({left_out} left out of the middle)");
    }
    if !stack.whole {
        let _ = writeln!(out, "        (the stack ends here: {})", stack.end);
    }
}

/// Frames that were not kept; what was inlined into them is not known.
fn left_out(stack: &Stack) -> String {
    let calls = thousands(u64::from(stack.elided));
    format!("{calls} frames, and what was inlined into them,")
}

/// Innermost first, joined by arrows. What the runtime does to wait is not shown, and a function
/// that calls itself stands once for all its frames in a row.
fn in_few_lines(stack: &Stack, out: &mut String) {
    let own = |f: &&std::rc::Rc<Frame>| f.kind == Kind::Runtime;
    let skip = stack.frames.iter().take_while(own).count();
    let mut frames = &stack.frames[skip..];
    while let [before @ .., last] = frames
        && (last.kind == Kind::Runtime || last.wrapper)
    {
        frames = before;
    }
    let frames = if frames.is_empty() {
        &stack.frames[..]
    } else {
        frames
    };
    let mut line = String::from("        ");
    let rows = frames.chunk_by(|a, b| a.place == b.place);
    for (at, row) in rows.enumerate() {
        let times = match row.len() {
            1 => String::new(),
            times => format!(" ({} times)", thousands(times as u64)),
        };
        let word = placed(&row[0]) + &times;
        let arrow = if at == 0 { "" } else { " ← " };
        let columns = line.chars().count() + word.chars().count() + 3;
        if at > 0 && columns > COLUMNS {
            let _ = writeln!(out, "{line} ←");
            line = format!("        {word}");
        } else {
            line.push_str(arrow);
            line.push_str(&word);
        }
    }
    let _ = writeln!(out, "{line}");
}

fn placed(frame: &Frame) -> String {
    let function = clean(&without_types(short(&frame.place.function)));
    if frame.place.file.is_empty() {
        return function;
    }
    let file = clean(file_name(&frame.place.file));
    format!("{function} {file}:{}", frame.place.line)
}

fn kind(frame: &Frame) -> &'static str {
    match frame.kind {
        Kind::Go => "go",
        Kind::Runtime => "rt",
        Kind::C => "c",
        Kind::Unknown => "?",
    }
}

fn not_seen(dump: &Dump, out: &mut String) {
    let counts = &dump.counts;
    let all = [
        (counts.moving, "moving while they were read"),
        (counts.go_only, "in C or a system call, Go frames only"),
        (counts.not_whole, "without a whole stack"),
        (counts.unreadable, "that can't be read"),
    ];
    for (number, what) in all.into_iter().filter(|(number, _)| *number > 0) {
        let _ = writeln!(out, "not seen  {} {what}", count(number, "goroutine"));
    }
    for note in &dump.notes {
        let _ = writeln!(out, "note      {}", clean(note));
    }
}
