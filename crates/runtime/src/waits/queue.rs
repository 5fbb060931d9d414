//! Goroutines that `g.waiting` leads from: to the sudogs, one for each case of a select, and to
//! their channels. From Go 1.26 on the sudogs of semaphores hang there too.

use std::collections::HashMap;

use seam_memory::Memory;

use super::layout::QueueLayout;
use super::{Channel, Direction, Found, Parked, WaitKind, Waits, WaitsOn, plausible, structures};
use crate::layout::word;

/// Cases of one select that are read: the largest written by hand have some dozens.
const CASES_MAX: usize = 128;

/// A case: the goroutine's place in the batch, its sudog, its channel or semaphore.
struct Case {
    of: usize,
    sudog: u64,
    channel: u64,
}

impl Waits {
    /// Reads the waits of all that have a sudog.
    pub(super) fn queued(&mut self, memory: &impl Memory, parked: &[Parked], found: &mut [Found]) {
        let Some(layout) = self.layout.queue else {
            return;
        };
        let cases = self.cases(memory, &layout, parked, found);
        let mut addresses: Vec<u64> = cases.iter().map(|case| case.channel).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let queues = self.channels(memory, &layout, &addresses);
        for case in cases {
            let direction = match parked[case.of].kind {
                WaitKind::Send => Direction::Send,
                WaitKind::Receive => Direction::Receive,
                _ => queues
                    .get(&case.channel)
                    .map_or(Direction::Unknown, |queues| queues.of(case.sudog)),
            };
            found[case.of].on.push(WaitsOn::Channel {
                address: case.channel,
                direction,
            });
        }
    }

    /// The cases on channels; those on semaphores are noted at once.
    fn cases(
        &mut self,
        memory: &impl Memory,
        layout: &QueueLayout,
        parked: &[Parked],
        found: &mut [Found],
    ) -> Vec<Case> {
        let mut cases = Vec::new();
        let waits = |p: &Parked| p.kind.on_channels() || p.kind.on_semaphore();
        let heads = parked.iter().enumerate().filter(|(_, p)| waits(p));
        let mut next: Vec<(usize, u64)> = heads.map(|(at, p)| (at, p.waiting)).collect();
        for round in 0..=CASES_MAX {
            next.retain(|(_, sudog)| *sudog != 0);
            if round == CASES_MAX {
                next.iter().for_each(|(at, _)| found[*at].cut = true);
                break;
            }
            let addresses: Vec<u64> = next.iter().map(|(_, sudog)| *sudog).collect();
            let read = structures(memory, &addresses, layout.sudog_bytes);
            let mut after = Vec::new();
            for ((at, sudog), bytes) in next.into_iter().zip(read.iter()) {
                let Some(bytes) = bytes.filter(|b| word(b, layout.sudog_g) == parked[at].g) else {
                    found[at].cut = true;
                    self.misread("sudog");
                    continue;
                };
                found[at].sudogs.push(sudog);
                if parked[at].kind.on_semaphore() {
                    let address = word(bytes, layout.elem);
                    found[at].on.push(WaitsOn::Semaphore { address });
                    continue;
                }
                let channel = word(bytes, layout.c);
                if plausible(channel) {
                    cases.push(Case {
                        of: at,
                        sudog,
                        channel,
                    });
                } else {
                    found[at].cut = true;
                    self.misread("sudog");
                }
                after.push((at, word(bytes, layout.waitlink)));
            }
            if after.is_empty() {
                break;
            }
            next = after;
        }
        cases
    }

    /// Reads channels, keeps what they are, and gives their queues.
    fn channels(
        &mut self,
        memory: &impl Memory,
        layout: &QueueLayout,
        addresses: &[u64],
    ) -> HashMap<u64, Queues> {
        let read = structures(memory, addresses, layout.chan_bytes);
        let mut queues = HashMap::with_capacity(addresses.len());
        for (address, bytes) in addresses.iter().zip(read.iter()) {
            let known = bytes.and_then(|bytes| Some((bytes, channel(layout, bytes)?)));
            let Some((bytes, channel)) = known else {
                self.misread("hchan");
                continue;
            };
            let timer = layout.timer.map_or(0, |at| word(bytes, at));
            let channel = Channel {
                timer_stopped: timer != 0 && self.is_stopped(memory, timer),
                ..channel
            };
            self.channels.insert(*address, channel);
            let (receive, send) = (word(bytes, layout.recvq), word(bytes, layout.sendq));
            queues.insert(*address, Queues { receive, send });
        }
        queues
    }
}

impl Waits {
    /// Whether a timer does not run (`timer.when`, cleared by `timer.stop` and `unlockAndRun`,
    /// runtime/time.go, Go 1.23 to 1.27).
    fn is_stopped(&self, memory: &impl Memory, timer: u64) -> bool {
        let when = self.layout.timer_when;
        when.is_some_and(|when| memory.word(timer.wrapping_add(when)) == Ok(0))
    }
}

/// The first sudogs of both queues of a channel.
struct Queues {
    receive: u64,
    send: u64,
}

impl Queues {
    /// In which of them a sudog stands. Both have waiters only where one select both sends and
    /// receives.
    fn of(&self, sudog: u64) -> Direction {
        match (self.receive, self.send) {
            (0, 0) => Direction::Unknown,
            (_, 0) => Direction::Receive,
            (0, _) => Direction::Send,
            (first, _) if first == sudog => Direction::Receive,
            (_, first) if first == sudog => Direction::Send,
            _ => Direction::Unknown,
        }
    }
}

/// A channel from its hchan; `None` if it can be none.
fn channel(layout: &QueueLayout, bytes: &[u8]) -> Option<Channel> {
    let (len, capacity) = (word(bytes, layout.qcount), word(bytes, layout.dataqsiz));
    let closed = word(bytes, layout.closed) as u32;
    let sound = len <= capacity && closed <= 1;
    Some(Channel {
        len: u32::try_from(len).ok().filter(|_| sound)?,
        capacity: u32::try_from(capacity).ok()?,
        element: word(bytes, layout.elemsize) as u16,
        closed: closed == 1,
        timer: layout.timer.map(|at| word(bytes, at) != 0),
        timer_stopped: false,
    })
}
