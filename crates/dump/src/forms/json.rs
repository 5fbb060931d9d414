//! A dump as JSON. Owns the schema: the structs are the documentation. Keys are stable; adding some
//! keeps the number, anything else raises it.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Serialize;

use seam_runtime::{Deadline, Direction, WaitKind, WaitsOn};

use crate::waits::{object, structure};
use crate::{Dump, Group, Kind, Stack, Trust};

/// The number of the schema.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    target: Target<'a>,
    /// Every stack once; `stack` of the others is an index into it.
    stacks: Vec<StackOut<'a>>,
    threads: Vec<Thread<'a>>,
    goroutines: Vec<Goroutine<'a>>,
    groups: Vec<GroupOut>,
    /// Only with --timers.
    timers: Vec<TimerOut<'a>>,
    not_seen: NotSeen,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Target<'a> {
    pid: i32,
    name: &'a str,
    go: &'a [String],
    read_ns: u64,
}

#[derive(Serialize)]
struct StackOut<'a> {
    /// Innermost first.
    frames: Vec<FrameOut<'a>>,
    elided: u32,
    whole: bool,
    end: &'static str,
}

#[derive(Serialize)]
struct FrameOut<'a> {
    function: &'a str,
    file: &'a str,
    line: u32,
    kind: &'static str,
    inlined: bool,
    /// Made by the compiler to wrap another function.
    wrapper: bool,
}

#[derive(Serialize)]
struct Thread<'a> {
    tid: i32,
    name: &'a str,
    state: char,
    cpu_ns: u64,
    asleep_ns: Option<u64>,
    waits_in: Option<&'a str>,
    wchan: &'a str,
    /// The kernel's functions, innermost first.
    kernel: &'a [String],
    goid: Option<u64>,
    stack: Option<u32>,
    trust: &'static str,
}

#[derive(Serialize)]
struct Goroutine<'a> {
    goid: u64,
    /// Index into `target.go`.
    runtime: u8,
    status: &'static str,
    /// What it waits for in the runtime's words, else its status.
    state: &'a str,
    waited_at_most_ns: Option<u64>,
    asleep_ns: Option<u64>,
    stack: Option<u32>,
    trust: &'static str,
    created_by: Option<Place<'a>>,
    parent: Option<u64>,
    start: Option<&'a str>,
    thread: Option<i32>,
    locked: bool,
    labels: BTreeMap<&'a str, &'a str>,
    /// What it waits on: several for select, none where that is not known.
    waits_on: Vec<WaitOut<'a>>,
    /// That may not be all.
    waits_cut: bool,
}

/// Something that goroutines wait on.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum WaitOut<'a> {
    Channel {
        /// Of the hchan; "0x0" is the nil channel.
        address: String,
        /// `send`, `receive` or `unknown`.
        direction: &'static str,
        len: Option<u32>,
        capacity: Option<u32>,
        element_bytes: Option<u16>,
        closed: Option<bool>,
        /// A timer sends on it; null where the build does not say.
        timer: Option<bool>,
        /// That timer was stopped, or has ended.
        timer_stopped: bool,
    },
    /// A lock, wait group, condition or other semaphore.
    Semaphore {
        /// Of the structure, where its kind is known.
        address: String,
        /// `sync.Mutex` and so on, or `semaphore`.
        of: &'static str,
    },
    Descriptor {
        fd: i32,
        write: bool,
        what: Option<&'a str>,
        /// `none`, `passed`, `set` or `unknown`.
        deadline: &'static str,
        deadline_in_ns: Option<u64>,
    },
    Timer {
        address: String,
        ends_in_ns: Option<i64>,
    },
}

#[derive(Serialize)]
struct Place<'a> {
    function: &'a str,
    file: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct GroupOut {
    count: usize,
    /// Their numbers, rising as in the runtime's list.
    goids: Vec<u64>,
    waited_at_most_ns: Option<u64>,
}

#[derive(Serialize)]
struct TimerOut<'a> {
    address: String,
    ends_in_ns: i64,
    period_ns: u64,
    calls: Option<&'a str>,
    channel: Option<String>,
}

#[derive(Serialize)]
struct NotSeen {
    moving: u64,
    go_only: u64,
    unreadable: u64,
    not_whole: u64,
}

/// The report with some groups of its goroutines.
#[must_use]
pub fn json(dump: &Dump, groups: &[Group]) -> String {
    let report = Report {
        schema: SCHEMA,
        target: Target {
            pid: dump.pid,
            name: &dump.name,
            go: &dump.go,
            read_ns: dump.read_ns,
        },
        stacks: dump.stacks.iter().map(stack).collect(),
        threads: dump.threads.iter().map(thread).collect(),
        goroutines: dump.goroutines.iter().map(|g| goroutine(dump, g)).collect(),
        groups: groups.iter().map(|group| group_out(dump, group)).collect(),
        timers: dump.timers.iter().map(|t| timer(dump, t)).collect(),
        not_seen: NotSeen {
            moving: dump.counts.moving,
            go_only: dump.counts.go_only,
            unreadable: dump.counts.unreadable,
            not_whole: dump.counts.not_whole,
        },
        notes: &dump.notes,
    };
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn stack(stack: &Stack) -> StackOut<'_> {
    StackOut {
        frames: stack
            .frames
            .iter()
            .map(|frame| FrameOut {
                function: &frame.place.function,
                file: &frame.place.file,
                line: frame.place.line,
                kind: match frame.kind {
                    Kind::Go => "go",
                    Kind::Runtime => "go-runtime",
                    Kind::C => "c",
                    Kind::Unknown => "unknown",
                },
                inlined: frame.inlined,
                wrapper: frame.wrapper,
            })
            .collect(),
        elided: stack.elided,
        whole: stack.whole,
        end: stack.end,
    }
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Certain => "certain",
        Trust::GoOnly => "go-only",
        Trust::Moving => "moving",
        Trust::Sampled => "sampled",
        Trust::Running => "running",
    }
}

fn thread(thread: &crate::Thread) -> Thread<'_> {
    Thread {
        tid: thread.tid,
        name: &thread.name,
        state: thread.state,
        cpu_ns: thread.cpu_ns,
        asleep_ns: thread.asleep_ns,
        waits_in: thread.waits_in.as_deref(),
        wchan: &thread.wchan,
        kernel: &thread.kernel,
        goid: thread.goid,
        stack: thread.stack,
        trust: trust(thread.trust),
    }
}

fn wait<'a>(dump: &'a Dump, kind: WaitKind, on: &WaitsOn) -> WaitOut<'a> {
    let address = || format!("{:#x}", object(kind, on).unwrap_or(0));
    match on {
        WaitsOn::Channel {
            address: at,
            direction,
        } => {
            let channel = dump.channels.get(at);
            WaitOut::Channel {
                address: address(),
                direction: match direction {
                    Direction::Send => "send",
                    Direction::Receive => "receive",
                    Direction::Unknown => "unknown",
                },
                len: channel.map(|c| c.len),
                capacity: channel.map(|c| c.capacity),
                element_bytes: channel.map(|c| c.element),
                closed: channel.map(|c| c.closed),
                timer: channel.and_then(|c| c.timer),
                timer_stopped: channel.is_some_and(|c| c.timer_stopped),
            }
        }
        WaitsOn::Semaphore { .. } => WaitOut::Semaphore {
            address: address(),
            of: structure(kind),
        },
        WaitsOn::Descriptor {
            fd,
            write,
            deadline,
        } => WaitOut::Descriptor {
            fd: *fd,
            write: *write,
            what: dump.descriptors.get(fd).map(String::as_str),
            deadline: match deadline {
                Deadline::None => "none",
                Deadline::At(_) => "set",
                Deadline::Passed => "passed",
                Deadline::Unknown => "unknown",
            },
            deadline_in_ns: match deadline {
                Deadline::At(when) if dump.now_ns != 0 => when.checked_sub(dump.now_ns),
                _ => None,
            },
        },
        WaitsOn::Timer { when, .. } => WaitOut::Timer {
            address: address(),
            ends_in_ns: (dump.now_ns != 0).then(|| when.wrapping_sub(dump.now_ns) as i64),
        },
    }
}

fn goroutine<'a>(dump: &'a Dump, goroutine: &'a crate::Goroutine) -> Goroutine<'a> {
    let common = &*goroutine.common;
    let pairs = common.labels.iter();
    let on = dump.waits_on(goroutine).iter();
    Goroutine {
        goid: goroutine.goid,
        runtime: common.runtime,
        status: common.status.word(),
        state: &common.state,
        waited_at_most_ns: goroutine.waited_at_most_ns.map(NonZeroU64::get),
        asleep_ns: goroutine.asleep_ns.map(NonZeroU64::get),
        stack: goroutine.stack,
        trust: trust(goroutine.trust),
        created_by: common.creator.as_ref().map(|place| Place {
            function: &place.function,
            file: &place.file,
            line: place.line,
        }),
        parent: goroutine.parent.map(NonZeroU64::get),
        start: common.start.as_deref(),
        thread: goroutine.thread,
        locked: goroutine.locked,
        labels: pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect(),
        waits_on: on.map(|on| wait(dump, goroutine.kind, on)).collect(),
        waits_cut: goroutine.waits.cut,
    }
}

fn timer<'a>(dump: &Dump, timer: &'a crate::Timer) -> TimerOut<'a> {
    TimerOut {
        address: format!("{:#x}", timer.address),
        ends_in_ns: timer.when_ns.wrapping_sub(dump.now_ns) as i64,
        period_ns: timer.period_ns,
        calls: timer.calls.as_deref(),
        channel: timer.channel.map(|address| format!("{address:#x}")),
    }
}

fn group_out(dump: &Dump, group: &Group) -> GroupOut {
    GroupOut {
        count: group.members.len(),
        goids: group.of(&dump.goroutines).map(|g| g.goid).collect(),
        waited_at_most_ns: group.waited_at_most(&dump.goroutines),
    }
}
