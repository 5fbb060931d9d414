//! What goroutines wait on, in words: channels, locks by the functions that wait, descriptors,
//! timers.

use seam_runtime::{Channel, Deadline, Direction, WaitKind, WaitsOn};

use crate::words::{age, clean, thousands};
use crate::{Dump, Goroutine, Stack};

/// The functions that wait on a semaphore, by which it is known whose it is: from Go 1.20 on the
/// wait reason tells a lock, from 1.25 on a wait group.
const WAITERS: [(&str, WaitKind); 7] = [
    ("sync.(*WaitGroup).Wait", WaitKind::Group),
    ("sync.(*RWMutex).RLock", WaitKind::ReadLock),
    ("sync.(*RWMutex).rLockSlow", WaitKind::ReadLock),
    ("sync.(*RWMutex).Lock", WaitKind::WriteLock),
    ("sync.(*Mutex).Lock", WaitKind::Mutex),
    ("sync.(*Mutex).lockSlow", WaitKind::Mutex),
    ("internal/sync.(*Mutex).lockSlow", WaitKind::Mutex),
];

impl Stack {
    /// What kind of wait this is, where the functions say more than the wait reason.
    pub fn wait(&self, kind: WaitKind) -> WaitKind {
        if kind != WaitKind::Semaphore {
            return kind;
        }
        // The innermost says it: RWMutex.Lock waits for other writers on a Mutex.
        let of = |function: &str| WAITERS.iter().find(|(name, _)| *name == function);
        let frames = self.frames.iter();
        let found = frames
            .map(|f| of(&f.place.function))
            .find_map(|found| found);
        found.map_or(kind, |(_, kind)| *kind)
    }
}

/// Where in its structure the word lies that is waited on (sync/mutex.go, rwmutex.go, waitgroup.go,
/// cond.go, Go 1.19 to 1.27).
fn inside(kind: WaitKind) -> u64 {
    match kind {
        WaitKind::Mutex => 4,
        WaitKind::ReadLock => 12,
        WaitKind::WriteLock | WaitKind::Group => 8,
        WaitKind::Cond => 16,
        _ => 0,
    }
}

/// The structure that a semaphore lies in.
pub(crate) fn structure(kind: WaitKind) -> &'static str {
    match kind {
        WaitKind::Mutex => "sync.Mutex",
        WaitKind::ReadLock | WaitKind::WriteLock => "sync.RWMutex",
        WaitKind::Group => "sync.WaitGroup",
        WaitKind::Cond => "sync.Cond",
        _ => "semaphore",
    }
}

/// The address by which people know what is waited on: that of the lock, not of the word in it.
#[must_use]
pub fn object(kind: WaitKind, on: &WaitsOn) -> Option<u64> {
    match on {
        WaitsOn::Channel { address, .. } | WaitsOn::Timer { address, .. } => Some(*address),
        WaitsOn::Semaphore { address } => Some(address.wrapping_sub(inside(kind))),
        WaitsOn::Descriptor { .. } => None,
    }
}

/// How many wait on each channel, lock and so on.
pub type Waiters = foldhash::HashMap<u64, u64>;

/// Counts them.
#[must_use]
pub fn waiters(dump: &Dump) -> Waiters {
    let mut all = Waiters::default();
    for goroutine in &dump.goroutines {
        for on in dump.waits_on(goroutine) {
            if let Some(address) = object(goroutine.kind, on).filter(|a| *a != 0) {
                *all.entry(address).or_default() += 1;
            }
        }
    }
    all
}

/// One thing that a goroutine waits on: `receive from chan 0xc000… (0 of 0)`.
#[must_use]
pub fn describe(dump: &Dump, kind: WaitKind, on: &WaitsOn) -> String {
    match on {
        WaitsOn::Channel { address, direction } => {
            let verb = match direction {
                Direction::Send => "send to",
                Direction::Receive => "receive from",
                Direction::Unknown => "send to or receive from",
            };
            match (address, dump.channels.get(address)) {
                (0, _) => format!("{verb} the nil channel"),
                (_, None) => format!("{verb} chan {address:#x}"),
                (_, Some(channel)) => format!("{verb} chan {address:#x} ({})", contents(channel)),
            }
        }
        WaitsOn::Semaphore { .. } => {
            let usage = match kind {
                WaitKind::ReadLock => ", to read",
                WaitKind::WriteLock => ", to write",
                _ => "",
            };
            let address = object(kind, on).unwrap_or(0);
            format!("{} {address:#x}{usage}", structure(kind))
        }
        WaitsOn::Descriptor {
            fd,
            write,
            deadline,
        } => {
            let verb = if *write { "write to" } else { "read from" };
            let what = dump
                .descriptors
                .get(fd)
                .map(|what| format!(" ({})", clean(what)));
            let what = what.unwrap_or_default();
            format!("{verb} fd {fd}{what}, {}", until(dump, *deadline))
        }
        WaitsOn::Timer { .. } if dump.now_ns == 0 => "timer".to_owned(),
        WaitsOn::Timer { when, .. } => match when.checked_sub(dump.now_ns) {
            Some(left) => format!("timer, {} left", age(left)),
            None => "timer, due".to_owned(),
        },
    }
}

fn contents(channel: &Channel) -> String {
    let mut text = format!("{} of {}", channel.len, channel.capacity);
    if channel.closed {
        text.push_str(", closed");
    }
    if channel.timer == Some(true) {
        text.push_str(match channel.timer_stopped {
            true => ", of a timer that does not run",
            false => ", of a timer",
        });
    }
    text
}

fn until(dump: &Dump, deadline: Deadline) -> String {
    match deadline {
        Deadline::None => "no deadline".to_owned(),
        Deadline::Passed => "deadline passed".to_owned(),
        Deadline::Unknown => "deadline not known".to_owned(),
        Deadline::At(_) if dump.now_ns == 0 => "deadline set".to_owned(),
        Deadline::At(when) => match when.checked_sub(dump.now_ns) {
            Some(left) => format!("deadline in {}", age(left)),
            None => "deadline passed".to_owned(),
        },
    }
}

/// What members of a group wait on, as lines: what they share, else what the first waits on and how
/// many different ones there are.
pub(crate) fn lines<'a>(
    dump: &Dump,
    waiters: &Waiters,
    members: impl Iterator<Item = &'a Goroutine>,
) -> Vec<String> {
    /// Cases of a select that are shown.
    const CASES: usize = 6;
    let mut first: Option<&Goroutine> = None;
    let mut others = foldhash::HashSet::default();
    for member in members {
        first.get_or_insert(member);
        others.insert(dump.waits_on(member));
    }
    let Some(first) = first else {
        return Vec::new();
    };
    let on = dump.waits_on(first);
    let mut lines = Vec::new();
    for on in on.iter().take(CASES) {
        let mut line = describe(dump, first.kind, on);
        let count = object(first.kind, on).and_then(|address| waiters.get(&address));
        if let Some(count) = count.filter(|count| **count > 1) {
            line += &format!(", {} wait on it", thousands(*count));
        }
        lines.push(line);
    }
    if on.len() > CASES {
        lines.push(format!("… {} more cases", on.len() - CASES));
    }
    if first.waits.cut {
        lines.push("… there may be more cases".to_owned());
    }
    if others.len() > 1 && !on.is_empty() {
        lines.push(format!(
            "… {} different ones in this group",
            thousands(others.len() as u64)
        ));
    }
    lines
}
