//! What is known of a group over all looks: the material of verdicts.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use seam_dump::{Dump, Goroutine, Kind, Placed, TimeNs, describe};
use seam_runtime::{Channel, Deadline, Status, WaitsOn};

use crate::history::{Earlier, History, Votes};
use crate::id::own_functions;
use crate::{Context, GroupKey, Growth, Look};

/// How long a group's goroutines have waited, as far as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Age {
    /// The oldest member has waited at least so long: from the look that first saw it wait there.
    pub at_least_ns: TimeNs,
    /// And at most so long; `None` where nothing is known.
    pub at_most_ns: Option<TimeNs>,
}

/// A goroutine that waited for the same, in the same place, in each look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its place in the last look's dump.
    pub at: u32,
    /// It was there in every look.
    pub in_all: bool,
    /// And unreachable in enough of them.
    pub unreachable: bool,
    /// Reached only through C.
    pub only_through_c: bool,
}

/// Groups of the same origin whose stacks differ in a frame or two.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cluster {
    /// The id of the group that leads it.
    pub id: String,
    /// How many groups of the last look are in it.
    pub groups: usize,
    /// The numbers of all of them together.
    pub growth: Growth,
}

/// What is known of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its identity.
    pub key: GroupKey,
    /// Those of the last look.
    pub members: Vec<Member>,
    /// Its numbers over time.
    pub growth: Growth,
    /// The groups with nearly the same stack, this one among them.
    pub cluster: Cluster,
    /// How long.
    pub age: Age,
    /// The state in the runtime's words, of the first member.
    pub state: Rc<str>,
    /// Whether it is in C or in a system call.
    pub in_syscall: bool,
    /// Functions that are not the runtime's, innermost first, with file and line.
    pub stack: Vec<Placed>,
    /// How many of these, the innermost, are C.
    pub c_frames: usize,
    /// Where they were made.
    pub created_by: Option<Rc<Placed>>,
    /// Their first function.
    pub start: Option<Rc<str>>,
    /// The main goroutine is among them.
    pub main: bool,
    /// What the first member waits on.
    pub waits: Vec<WaitsOn>,
    /// The same in words.
    pub waits_on: Vec<String>,
    /// One of that is a channel that a timer sends on which runs.
    pub timer: bool,
    /// One is the end of this context.
    pub context: Option<Context>,
    /// What the group's goroutines hold while others wait for it, inferred.
    pub holds: Vec<String>,
    /// Threads of members have slept this long at least, where they are in C.
    pub asleep_ns: Option<TimeNs>,
}

impl Facts {
    /// Members that nothing can wake, by every look.
    #[must_use]
    pub fn unreachable(&self) -> u64 {
        self.members.iter().filter(|m| m.unreachable).count() as u64
    }

    /// The package of the function that the goroutines began with; empty where that is not known.
    #[must_use]
    pub fn package(&self) -> &str {
        let outermost = self.stack.last().map(|placed| &*placed.function);
        package(self.start.as_deref().or(outermost).unwrap_or_default())
    }

    /// Members at the last look.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.members.len() as u64
    }

    /// How many of them a verdict is about: those that nothing can wake, where there are such.
    #[must_use]
    pub fn faulty(&self) -> u64 {
        match self.unreachable() {
            0 => self.count(),
            some => some,
        }
    }

    /// Members that waited there in every look.
    #[must_use]
    pub fn in_all(&self) -> u64 {
        self.members.iter().filter(|m| m.in_all).count() as u64
    }

    /// Whether a function of the stack is called so.
    #[must_use]
    pub fn has_function(&self, is: impl Fn(&str) -> bool) -> bool {
        self.stack.iter().any(|placed| is(&placed.function))
    }

    /// Whether it waits for a descriptor without a deadline.
    #[must_use]
    pub fn io_without_deadline(&self) -> bool {
        let open = |on: &WaitsOn| {
            let none = Deadline::None;
            matches!(on, WaitsOn::Descriptor { deadline, .. } if *deadline == none)
        };
        self.waits.iter().any(open)
    }
}

/// The groups of the last look with what all looks tell of them.
#[must_use]
pub fn facts(looks: &[Look], keep: impl Fn(&Dump, &Goroutine) -> bool) -> Vec<Facts> {
    let Some((last, before)) = looks.split_last() else {
        return Vec::new();
    };
    let mut history = History::default();
    before.iter().for_each(|look| history.add(look));
    history.facts(last, keep)
}

impl History {
    /// The groups of the last look with what all looks tell of them.
    #[must_use]
    pub fn facts(&mut self, last: &Look, keep: impl Fn(&Dump, &Goroutine) -> bool) -> Vec<Facts> {
        let groups = self.groups(last, keep);
        let times = self.times(last);
        let clusters = self.keys.clusters();
        let mut known: HashMap<usize, Cluster> = HashMap::new();
        let each = groups.iter().enumerate();
        let each = each.filter(|(_, members)| !members.is_empty());
        each.map(|(number, members)| {
            let leader = clusters[number];
            let cluster = known.entry(leader).or_insert_with(|| {
                let of = |number: usize| clusters.get(number) == Some(&leader);
                let id = &self.keys.all[leader].id;
                cluster(id, &groups, &self.looks, last, &times, of)
            });
            Facts {
                cluster: cluster.clone(),
                ..one(self, last, &times, number as u32, members)
            }
        })
        .collect()
    }

    /// The places of the last look's goroutines by the number of their key.
    fn groups(&mut self, last: &Look, keep: impl Fn(&Dump, &Goroutine) -> bool) -> Vec<Vec<u32>> {
        let mut numbers = self.keys.of(&last.dump);
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for (at, goroutine) in last.dump.goroutines.iter().enumerate() {
            if !keep(&last.dump, goroutine) {
                continue;
            }
            let key = numbers.number(goroutine) as usize;
            if groups.len() <= key {
                groups.resize_with(key + 1, Vec::new);
            }
            groups[key].push(at as u32);
        }
        groups
    }

    fn times(&self, last: &Look) -> Vec<TimeNs> {
        let before = self.looks.iter().map(|look| look.at_ns);
        before.chain([last.at_ns]).collect()
    }
}

/// All groups for which `of` holds, together.
fn cluster(
    id: &str,
    groups: &[Vec<u32>],
    earlier: &[Earlier],
    last: &Look,
    times: &[TimeNs],
    of: impl Fn(usize) -> bool,
) -> Cluster {
    let own = groups.iter().enumerate().filter(|(number, _)| of(*number));
    let own: Vec<&Vec<u32>> = own.map(|(_, members)| members).collect();
    let members = || own.iter().flat_map(|members| members.iter());
    let before = |look: &Earlier| -> u64 {
        let counts = look.counts.iter().enumerate();
        counts
            .filter(|(number, _)| of(*number))
            .map(|(_, count)| count)
            .sum()
    };
    let mut counts: Vec<u64> = earlier.iter().map(before).collect();
    counts.push(members().count() as u64);
    let (mut stayed, mut moved) = (0, 0);
    for at in members() {
        let goroutine = &last.dump.goroutines[*at as usize];
        let then = earlier.first().and_then(|first| first.get(goroutine));
        let here = then.map(|then| of(then.key as usize));
        stayed += u64::from(here == Some(true));
        moved += u64::from(here == Some(false));
    }
    Cluster {
        id: id.to_owned(),
        groups: own.iter().filter(|members| !members.is_empty()).count(),
        growth: Growth {
            moved,
            ..Growth::of(counts, times, stayed)
        },
    }
}

fn one(history: &History, last: &Look, times: &[TimeNs], number: u32, places: &[u32]) -> Facts {
    let (dump, earlier) = (&last.dump, &history.looks);
    let key = history.keys.all[number as usize].clone();
    let mut members = Vec::with_capacity(places.len());
    let mut oldest = last.at_ns;
    let (mut stayed, mut moved) = (0, 0);
    for at in places {
        let goroutine = &dump.goroutines[*at as usize];
        let votes = Votes::of(earlier, last, *at, number, key.kind);
        oldest = oldest.min(times[times.len() - 1 - votes.since]);
        let first = earlier.first().and_then(|look| look.get(goroutine));
        let here = first.map(|then| then.key == number);
        stayed += u64::from(here == Some(true));
        moved += u64::from(here == Some(false));
        let dead = votes.unreachable();
        // What C keeps, it keeps where it is: a word that was there in one look only was an old
        // one.
        let kept_by_c = votes.only_through_c == votes.dead;
        members.push(Member {
            at: *at,
            in_all: votes.in_all,
            unreachable: dead && !kept_by_c,
            only_through_c: dead && kept_by_c,
        });
    }
    let mut counts: Vec<u64> = earlier.iter().map(|look| look.count(number)).collect();
    counts.push(places.len() as u64);
    let all = || places.iter().map(|at| &dump.goroutines[*at as usize]);
    let at_most = all()
        .map(|g| g.waited_at_most_ns)
        .try_fold(0, |most: u64, of| Some(most.max(of?.get())));
    let asleep = all().filter_map(|g| Some(g.asleep_ns?.get())).min();
    let oldest_asleep = all().filter_map(|g| Some(g.asleep_ns?.get())).max();
    let seen = last.at_ns.saturating_sub(oldest);
    let first = places[0];
    // The member that says most stands for all: one that nothing can wake, if there is one.
    let shown = members
        .iter()
        .find(|m| m.unreachable)
        .map_or(first, |m| m.at);
    let goroutine = &dump.goroutines[shown as usize];
    let stack = goroutine.stack.and_then(|id| dump.stacks.get(id as usize));
    let waits = dump.waits_on(goroutine).to_vec();
    let context = |at: &u32| last.reach.contexts.get(at).cloned();
    let mut holds: Vec<String> = places
        .iter()
        .filter_map(|at| last.reach.holds.get(at))
        .flatten()
        .cloned()
        .collect::<HashSet<_>>()
        .into_iter()
        .collect();
    holds.sort();
    Facts {
        growth: Growth {
            moved,
            ..Growth::of(counts, times, stayed)
        },
        cluster: Cluster::default(),
        age: Age {
            at_least_ns: oldest_asleep.unwrap_or(0).max(seen),
            at_most_ns: at_most.map(|most| most.max(seen)),
        },
        state: Rc::clone(&goroutine.common.state),
        in_syscall: goroutine.common.status == Status::Syscall,
        stack: stack.map_or_else(Vec::new, placed),
        c_frames: stack.map_or(0, |stack| {
            let c = stack
                .frames
                .iter()
                .take_while(|f| matches!(f.kind, Kind::C | Kind::Unknown));
            c.count()
        }),
        created_by: goroutine
            .common
            .creator
            .clone()
            .filter(|_| goroutine.goid != 1),
        start: goroutine.common.start.clone(),
        main: all().any(|g| g.goid == 1),
        waits_on: waits
            .iter()
            .map(|on| describe(dump, key.kind, on))
            .collect(),
        timer: on_timers(dump, places),
        waits,
        context: places.iter().find_map(context),
        holds,
        asleep_ns: asleep,
        members,
        key,
    }
}

/// Frames that are not the runtime's, each function once in a row.
fn placed(stack: &seam_dump::Stack) -> Vec<Placed> {
    let mut frames = stack.frames.iter();
    let each = own_functions(stack).filter_map(|function| {
        let frame = frames.find(|f| &*f.place.function == function)?;
        Some(frame.place.clone())
    });
    each.collect()
}

/// Whether members wait for a timer that runs, among other things. Of one alone what was read may
/// not be all: it went on meanwhile.
fn on_timers(dump: &Dump, places: &[u32]) -> bool {
    const ASKED: usize = 16;
    let some = places.iter().take(ASKED);
    let mut waits = some.flat_map(|at| dump.waits_on(&dump.goroutines[*at as usize]));
    waits.any(|on| of_timer(dump, on))
}

/// Whether a timer sends on a channel, and runs. Up to Go 1.22, and in later ones for modules of
/// before (asynctimerchan), the channel does not say so: then one of time.Time with room for one is
/// taken to be a timer's (time.NewTicker, time/tick.go), and to run.
fn of_timer(dump: &Dump, on: &WaitsOn) -> bool {
    const TIME_BYTES: u16 = 24;
    let WaitsOn::Channel { address, .. } = on else {
        return false;
    };
    let channel = dump.channels.get(address);
    let sends = |c: &Channel| c.timer == Some(true) || c.element == TIME_BYTES && c.capacity == 1;
    channel.is_some_and(|c| sends(c) && !c.timer_stopped)
}

/// `example.com/x` of `example.com/x.(*T).run.func1`; C has none.
fn package(function: &str) -> &str {
    let last = function.rfind('/').map_or(0, |slash| slash + 1);
    let name = &function[last..];
    name.find('.').map_or("", |dot| &function[..last + dot])
}
