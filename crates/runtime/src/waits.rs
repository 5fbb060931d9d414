//! What parked goroutines wait for: channels through their sudogs, locks and the like through the
//! semaphore's sudog, descriptors through netpoll's records, timers.
//!
//! Each link is checked from its other end: a sudog must name the goroutine, a poll record must
//! too. What can't be found is not guessed: the goroutine then waits on nothing known.

mod kind;
mod layout;
mod parked;
mod queue;
mod scases;

use std::collections::HashMap;

use seam_memory::{Memory, Objects};

pub use kind::WaitKind;
pub use layout::WaitLayout;
pub use scases::select_tables;

use parked::Slots;
use scases::nil_cases;

/// Words of a parked stack's innermost part in which records are looked for: the frames of gopark,
/// of the function that waits and of its caller have some 60, Go 1.19 to 1.27.
pub const TOP_WORDS: usize = 96;

/// A goroutine that waits, as far as its g and its stack tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Its g.
    pub g: u64,
    /// What its wait reason says.
    pub kind: WaitKind,
    /// `g.waiting`
    pub waiting: u64,
    /// `g.timer`
    pub timer: u64,
    /// Where it goes on: goroutines parked at one place keep their records in the same slot.
    pub pc: u64,
    /// The innermost words of its stack; of a select what [`select_tables`] gives.
    pub top: Vec<u64>,
}

/// Which end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It wants to send.
    Send,
    /// It wants to receive.
    Receive,
    /// Both queues of the channel have waiters, and it was found in neither.
    Unknown,
}

/// A deadline of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deadline {
    /// None is set.
    None,
    /// In the runtime's time.
    At(u64),
    /// It has passed.
    Passed,
    /// Where this build keeps it is not known.
    Unknown,
}

/// What a goroutine waits on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitsOn {
    /// A channel; 0 is the nil channel.
    Channel {
        /// Where its hchan lies.
        address: u64,
        /// What for.
        direction: Direction,
    },
    /// A semaphore: the word in a lock, wait group or condition that it sleeps on.
    Semaphore {
        /// Where the word, or the condition's list, lies.
        address: u64,
    },
    /// A descriptor of netpoll.
    Descriptor {
        /// Its number.
        fd: i32,
        /// It wants to write.
        write: bool,
        /// Its deadline in that direction.
        deadline: Deadline,
    },
    /// A timer.
    Timer {
        /// Where it lies.
        address: u64,
        /// When it ends, in the runtime's time.
        when: u64,
    },
}

/// A channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Channel {
    /// Elements in it.
    pub len: u32,
    /// Elements that it has room for.
    pub capacity: u32,
    /// Bytes of an element.
    pub element: u16,
    /// It was closed.
    pub closed: bool,
    /// A timer sends on it; `None` where this build does not say.
    pub timer: Option<bool>,
    /// That timer does not run: it was stopped, or has ended.
    pub timer_stopped: bool,
}

/// What was found of one goroutine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What it waits on: several for select; empty where nothing is known.
    pub on: Vec<WaitsOn>,
    /// Its records in queues, through which a wait object leads to the goroutine.
    pub sudogs: Vec<u64>,
    /// There are more cases than were read, or one of them made no sense.
    pub cut: bool,
}

/// Reads waits, and keeps the channels.
#[derive(Debug)]
pub struct Waits {
    layout: WaitLayout,
    /// Every channel that somebody waits on.
    pub channels: HashMap<u64, Channel>,
    /// Waits of which a structure made no sense, by the structure.
    pub nonsense: HashMap<&'static str, u64>,
    slots: Slots,
}

impl Waits {
    /// For a build.
    #[must_use]
    pub fn new(layout: WaitLayout) -> Self {
        Self {
            layout,
            channels: HashMap::new(),
            nonsense: HashMap::new(),
            slots: Slots::default(),
        }
    }

    /// Reads what some goroutines wait on.
    pub fn read(&mut self, memory: &impl Memory, parked: &[Parked]) -> Vec<Found> {
        let mut found = vec![Found::default(); parked.len()];
        self.queued(memory, parked, &mut found);
        for (one, found) in parked.iter().zip(&mut found) {
            match one.kind {
                WaitKind::NilSend => found.on.push(nil(Direction::Send)),
                WaitKind::NilReceive => found.on.push(nil(Direction::Receive)),
                WaitKind::Io => found.on.extend(self.descriptor(memory, one)),
                WaitKind::Sleep => found.on.extend(self.timer(memory, one)),
                WaitKind::Select | WaitKind::NoCases if !found.cut => {
                    nil_cases(&one.top, &mut found.on);
                }
                kind if kind.on_semaphore() && found.on.is_empty() => {
                    if let Some((sudog, address)) = self.semaphore(memory, one) {
                        found.sudogs.push(sudog);
                        found.on.extend(address);
                    }
                }
                _ => {}
            }
        }
        self.amid_lists(memory, parked, &mut found);
        found
    }

    /// A condition is known by the first and the last in its list; those between are found where
    /// these have kept it, once that is known.
    fn amid_lists(&mut self, memory: &impl Memory, parked: &[Parked], found: &mut [Found]) {
        for (one, found) in parked.iter().zip(found) {
            if let (WaitKind::Cond, [sudog], true) =
                (one.kind, &found.sudogs[..], found.on.is_empty())
            {
                let list = self.list(memory, one, *sudog);
                let on = list.map(|address| WaitsOn::Semaphore { address });
                found.on.extend(on);
            }
        }
    }

    fn timer(&self, memory: &impl Memory, parked: &Parked) -> Option<WaitsOn> {
        let when = self.layout.timer_when?;
        let address = Some(parked.timer).filter(|t| plausible(*t))?;
        let when = memory.word(address.wrapping_add(when)).ok()?;
        Some(WaitsOn::Timer { address, when })
    }

    fn misread(&mut self, what: &'static str) {
        *self.nonsense.entry(what).or_default() += 1;
    }
}

fn nil(direction: Direction) -> WaitsOn {
    WaitsOn::Channel {
        address: 0,
        direction,
    }
}

/// Whether this can be the address of a structure of the runtime.
fn plausible(address: u64) -> bool {
    address.is_multiple_of(8) && (0x1000..1 << 56).contains(&address)
}

/// Reads one structure many times over.
fn structures(memory: &impl Memory, addresses: &[u64], len: usize) -> Objects {
    let mut objects = Objects::default();
    objects.read(memory, addresses, len);
    objects
}
