//! What is known of a group over all looks: the material of verdicts.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use seam_dump::{Dump, Goroutine, Kind, Placed, TimeNs, describe};
use seam_runtime::{Deadline, Status, WaitKind, WaitsOn};

use crate::cluster::{Shape, clusters};
use crate::id::own_functions;
use crate::{Context, GroupKey, Growth, Look, group_key};

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
    /// And unreachable in each.
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
    /// One of that is a channel that a timer sends on.
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

/// By what a goroutine is the same in two looks: its number, its place, what it waits on.
fn same<'a>(dump: &'a Dump, goroutine: &Goroutine, kind: WaitKind) -> Option<&'a [WaitsOn]> {
    let parked = matches!(
        goroutine.status,
        Status::Waiting | Status::Leaked | Status::Syscall
    );
    let settled = parked && goroutine.kind == kind;
    // A timer's record stays while its time changes: a goroutine that sleeps again is not the same.
    settled.then(|| dump.waits_on(goroutine))
}

/// The groups of the last look with what all looks tell of them.
#[must_use]
pub fn facts(looks: &[Look], keep: impl Fn(&Dump, &Goroutine) -> bool) -> Vec<Facts> {
    let Some((last, before)) = looks.split_last() else {
        return Vec::new();
    };
    let mut keys = Keys::default();
    let earlier: Vec<Earlier> = before.iter().map(|b| Earlier::of(b, &mut keys)).collect();
    let mut of_look = OfLook::default();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for (at, goroutine) in last.dump.goroutines.iter().enumerate() {
        if !keep(&last.dump, goroutine) {
            continue;
        }
        let key = keys.number(&last.dump, goroutine, &mut of_look) as usize;
        if groups.len() <= key {
            groups.resize_with(key + 1, Vec::new);
        }
        groups[key].push(at as u32);
    }
    let times: Vec<TimeNs> = looks.iter().map(|look| look.at_ns).collect();
    let clusters = keys.clusters();
    let each = groups.iter().enumerate();
    let each = each.filter(|(_, members)| !members.is_empty());
    let mut found: Vec<Facts> = each
        .map(|(number, members)| {
            let key = (number as u32, keys.all[number].clone());
            one(looks, last, &earlier, &times, key, members)
        })
        .collect();
    let numbers: HashMap<GroupKey, usize> = found.iter().map(|f| keys.place(&f.key)).collect();
    let mut known: HashMap<usize, Cluster> = HashMap::new();
    for facts in &mut found {
        let leader = clusters[numbers[&facts.key]];
        let cluster = known.entry(leader).or_insert_with(|| {
            let of = |number: usize| clusters.get(number) == Some(&leader);
            cluster(&keys.all[leader].id, &groups, &earlier, last, &times, of)
        });
        facts.cluster = cluster.clone();
    }
    found
}

/// All groups for which `of` holds, together.
fn cluster(
    id: &str,
    groups: &[Vec<u32>],
    earlier: &[Earlier<'_>],
    last: &Look,
    times: &[TimeNs],
    of: impl Fn(usize) -> bool,
) -> Cluster {
    let own = groups.iter().enumerate().filter(|(number, _)| of(*number));
    let own: Vec<&Vec<u32>> = own.map(|(_, members)| members).collect();
    let members = || own.iter().flat_map(|members| members.iter());
    let before = |look: &Earlier<'_>| -> u64 {
        let counts = look.counts.iter().enumerate();
        counts
            .filter(|(number, _)| of(*number))
            .map(|(_, count)| count)
            .sum()
    };
    let mut counts: Vec<u64> = earlier.iter().map(before).collect();
    counts.push(members().count() as u64);
    let stayed = members().filter(|at| {
        let goroutine = &last.dump.goroutines[**at as usize];
        let first = earlier.first();
        let then = first.and_then(|e| e.by_goid.get(&(goroutine.runtime, goroutine.goid)));
        then.is_some_and(|(_, key)| of(*key as usize))
    });
    Cluster {
        id: id.to_owned(),
        groups: own.iter().filter(|members| !members.is_empty()).count(),
        growth: Growth::of(counts, times, stayed.count() as u64),
    }
}

/// The keys of all looks by number: of a million goroutines few are different.
#[derive(Default)]
struct Keys {
    all: Vec<GroupKey>,
    numbers: HashMap<GroupKey, u32>,
    /// What is compared of each; nothing of the runtime's own.
    shapes: Vec<Option<Shape>>,
}

/// What makes up a key, within one look: the stack, the creator, the kind, whether it is the
/// runtime's.
type OfLook = HashMap<(Option<u32>, usize, WaitKind, bool), u32>;

impl Keys {
    fn number(&mut self, dump: &Dump, goroutine: &Goroutine, of_look: &mut OfLook) -> u32 {
        let creator = goroutine.creator.as_ref();
        let creator = creator.map_or(0, |c| Rc::as_ptr(c) as usize);
        let own = goroutine.is_the_runtimes();
        let short = (goroutine.stack, creator, goroutine.kind, own);
        *of_look.entry(short).or_insert_with(|| {
            let key = group_key(dump, goroutine);
            *self.numbers.entry(key).or_insert_with_key(|key| {
                let shape = (!own).then(|| Shape::of(dump, goroutine));
                self.shapes.push(shape);
                self.all.push(key.clone());
                self.all.len() as u32 - 1
            })
        })
    }
}

impl Keys {
    /// By the number of a key the number of the one that leads its cluster.
    fn clusters(&self) -> Vec<usize> {
        let ids: Vec<&str> = self.all.iter().map(|key| key.id.as_str()).collect();
        clusters(&self.shapes, &ids)
    }

    fn place(&self, key: &GroupKey) -> (GroupKey, usize) {
        let number = self.numbers.get(key).copied().unwrap_or(0);
        (key.clone(), number as usize)
    }
}

/// A look that was not the last, by what it is asked for.
struct Earlier<'a> {
    look: &'a Look,
    /// By the number of the key.
    counts: Vec<u64>,
    /// By runtime and number: its place, its key's number.
    by_goid: HashMap<(u8, u64), (u32, u32)>,
}

impl<'a> Earlier<'a> {
    fn of(look: &'a Look, keys: &mut Keys) -> Self {
        let mut counts: Vec<u64> = Vec::new();
        let mut of_look = OfLook::default();
        let mut by_goid = HashMap::with_capacity(look.dump.goroutines.len());
        for (at, goroutine) in look.dump.goroutines.iter().enumerate() {
            let key = keys.number(&look.dump, goroutine, &mut of_look);
            if counts.len() <= key as usize {
                counts.resize(key as usize + 1, 0);
            }
            counts[key as usize] += 1;
            by_goid.insert((goroutine.runtime, goroutine.goid), (at as u32, key));
        }
        Self {
            look,
            counts,
            by_goid,
        }
    }

    fn count(&self, key: u32) -> u64 {
        self.counts.get(key as usize).copied().unwrap_or(0)
    }

    /// The place of a goroutine that was in the same group and waited on the same.
    fn same(&self, dump: &Dump, goroutine: &Goroutine, key: u32, kind: WaitKind) -> Option<u32> {
        let (at, before) = self.by_goid.get(&(goroutine.runtime, goroutine.goid))?;
        let then = self.look.dump.goroutines.get(*at as usize)?;
        let settled = same(dump, goroutine, kind)?;
        let equal = *before == key && same(&self.look.dump, then, kind)? == settled;
        equal.then_some(*at)
    }
}

fn one(
    looks: &[Look],
    last: &Look,
    earlier: &[Earlier<'_>],
    times: &[TimeNs],
    (number, key): (u32, GroupKey),
    places: &[u32],
) -> Facts {
    let dump = &last.dump;
    let mut members = Vec::with_capacity(places.len());
    let mut oldest = last.at_ns;
    let mut stayed = 0;
    for at in places {
        let goroutine = &dump.goroutines[*at as usize];
        let then: Vec<Option<u32>> = earlier
            .iter()
            .map(|look| look.same(dump, goroutine, number, key.kind))
            .collect();
        let since = then.iter().rev().take_while(|at| at.is_some()).count();
        oldest = oldest.min(looks[looks.len() - 1 - since].at_ns);
        let goid = (goroutine.runtime, goroutine.goid);
        let first = earlier.first().and_then(|look| look.by_goid.get(&goid));
        stayed += u64::from(first.is_some_and(|(_, before)| *before == number));
        let in_all = since == earlier.len();
        let places = || {
            let before = earlier.iter().zip(&then);
            let before = before.filter_map(|(e, at)| Some((e.look, (*at)?)));
            before.chain([(last, *at)])
        };
        let dead = in_all && places().all(|(look, at)| is(&look.reach.unreachable, at));
        // What C keeps, it keeps where it is: a word that was there in one look only was an old
        // one.
        let kept_by_c = places().all(|(look, at)| is(&look.reach.only_through_c, at));
        members.push(Member {
            at: *at,
            in_all,
            unreachable: dead && !kept_by_c,
            only_through_c: dead && kept_by_c,
        });
    }
    let mut counts: Vec<u64> = earlier.iter().map(|look| look.count(number)).collect();
    counts.push(places.len() as u64);
    let all = || places.iter().map(|at| &dump.goroutines[*at as usize]);
    let at_most = all()
        .map(|g| g.waited_at_most_ns)
        .try_fold(0, |most: u64, of| Some(most.max(of?)));
    let asleep = all().filter_map(|g| g.asleep_ns).min();
    let oldest_asleep = all().filter_map(|g| g.asleep_ns).max();
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
        growth: Growth::of(counts, times, stayed),
        cluster: Cluster::default(),
        age: Age {
            at_least_ns: oldest_asleep.unwrap_or(0).max(seen),
            at_most_ns: at_most.map(|most| most.max(seen)),
        },
        state: Rc::clone(&goroutine.state),
        in_syscall: goroutine.status == Status::Syscall,
        stack: stack.map_or_else(Vec::new, placed),
        c_frames: stack.map_or(0, |stack| {
            let c = stack
                .frames
                .iter()
                .take_while(|f| matches!(f.kind, Kind::C | Kind::Unknown));
            c.count()
        }),
        created_by: goroutine.creator.clone().filter(|_| goroutine.goid != 1),
        start: goroutine.start.clone(),
        main: all().any(|g| g.goid == 1),
        waits_on: waits
            .iter()
            .map(|on| describe(dump, key.kind, on))
            .collect(),
        timer: waits.iter().any(|on| of_timer(dump, on)),
        waits,
        context: places.iter().find_map(context),
        holds,
        asleep_ns: asleep,
        members,
        key,
    }
}

fn is(flags: &[bool], at: u32) -> bool {
    flags.get(at as usize).copied().unwrap_or(false)
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

/// Whether a timer sends on a channel. Up to Go 1.22, and in later ones for modules of before
/// (asynctimerchan), the channel does not say so: then one of time.Time with room for one is taken
/// to be a timer's (time.NewTicker, time/tick.go).
fn of_timer(dump: &Dump, on: &WaitsOn) -> bool {
    const TIME_BYTES: u16 = 24;
    let WaitsOn::Channel { address, .. } = on else {
        return false;
    };
    let channel = dump.channels.get(address);
    channel.is_some_and(|c| c.timer == Some(true) || c.element == TIME_BYTES && c.capacity == 1)
}

/// `example.com/x` of `example.com/x.(*T).run.func1`; C has none.
fn package(function: &str) -> &str {
    let last = function.rfind('/').map_or(0, |slash| slash + 1);
    let name = &function[last..];
    name.find('.').map_or("", |dot| &function[..last + dot])
}
