//! The looks before the last, as far as verdicts need them: of each goroutine a few words, so that
//! of a million there are not several whole looks at a time.

use std::collections::HashMap;
use std::rc::Rc;

use seam_dump::{Dump, Goroutine, TimeNs};
use seam_runtime::{Status, WaitKind, WaitsOn};

use crate::cluster::{Shape, clusters};
use crate::{GroupKey, Look, group_key};

/// Looks that must agree that nothing can wake a goroutine, where there are as many.
const AGREE: usize = 3;

/// What was seen before.
#[derive(Default)]
pub struct History {
    pub(crate) keys: Keys,
    pub(crate) looks: Vec<Earlier>,
    incomplete: Option<String>,
}

impl History {
    /// Takes in a look. The next one must be later.
    pub fn add(&mut self, look: &Look) {
        let earlier = Earlier::of(look, &mut self.keys);
        self.looks.push(earlier);
        if self.incomplete.is_none() {
            self.incomplete.clone_from(&look.reach.incomplete);
        }
    }

    /// How many looks it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.looks.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.looks.is_empty()
    }

    /// When the first look was.
    #[must_use]
    pub fn begun_ns(&self) -> Option<TimeNs> {
        self.looks.first().map(|look| look.at_ns)
    }

    /// Why the mark of a look was not complete.
    #[must_use]
    pub fn incomplete(&self) -> Option<&str> {
        self.incomplete.as_deref()
    }

    /// Whether looks contradict each other in a way that more looks could settle: nothing could
    /// wake a goroutine in some, and it waits for the same in all.
    #[must_use]
    pub fn undecided(&mut self, last: &Look) -> bool {
        let mut numbers = self.keys.of(&last.dump);
        let all = last.dump.goroutines.iter().enumerate();
        let keys: Vec<(u32, u32)> = all.map(|(at, g)| (at as u32, numbers.number(g))).collect();
        keys.into_iter().any(|(at, number)| {
            let kind = self.keys.all[number as usize].kind;
            let votes = Votes::of(&self.looks, last, at, number, kind);
            votes.in_all && votes.dead > 0 && !votes.unreachable()
        })
    }
}

/// What looks say of one goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Votes {
    /// In how many looks just before the last it waited there for the same.
    pub(crate) since: usize,
    /// That is all of them.
    pub(crate) in_all: bool,
    looks: usize,
    /// In how many looks nothing could wake it.
    pub(crate) dead: usize,
    /// In how many of these only C knew what it waits on.
    pub(crate) only_through_c: usize,
}

impl Votes {
    pub(crate) fn of(earlier: &[Earlier], last: &Look, at: u32, key: u32, kind: WaitKind) -> Self {
        let goroutine = &last.dump.goroutines[at as usize];
        let settled = settled(goroutine, kind);
        let waits = last.dump.waits_on(goroutine);
        let then = earlier.iter().rev().map(|look| {
            let then = look.get(goroutine).filter(|then| then.key == key)?;
            (settled && then.settled && look.waits_on(then) == waits).then_some(then)
        });
        let is = |flags: &[bool]| flags.get(at as usize).copied().unwrap_or(false);
        let mut votes = Self {
            since: 0,
            in_all: false,
            looks: earlier.len() + 1,
            dead: usize::from(is(&last.reach.unreachable)),
            only_through_c: usize::from(is(&last.reach.only_through_c)),
        };
        for then in then.map_while(|then| then) {
            votes.since += 1;
            votes.dead += usize::from(then.unreachable);
            votes.only_through_c += usize::from(then.only_through_c);
        }
        votes.in_all = votes.since == earlier.len();
        votes
    }

    /// Nothing can wake it. What a mark reaches may be more than there is, so that one look that
    /// says otherwise is outvoted: by two to one, and three at least.
    pub(crate) fn unreachable(&self) -> bool {
        self.in_all && self.dead >= AGREE.min(self.looks) && 3 * self.dead >= 2 * self.looks
    }
}

/// Whether it waits, in the way that its group does.
fn settled(goroutine: &Goroutine, kind: WaitKind) -> bool {
    let parked = matches!(
        goroutine.common.status,
        Status::Waiting | Status::Leaked | Status::Syscall
    );
    parked && goroutine.kind == kind
}

/// One of the earlier looks.
pub(crate) struct Earlier {
    pub(crate) at_ns: TimeNs,
    /// By the number of the key.
    pub(crate) counts: Vec<u64>,
    /// By runtime and number.
    all: Vec<Then>,
    waits: Vec<WaitsOn>,
}

/// A goroutine as it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Then {
    goid: u64,
    /// The number of its key.
    pub(crate) key: u32,
    first: u32,
    count: u32,
    runtime: u8,
    settled: bool,
    unreachable: bool,
    only_through_c: bool,
}

impl Earlier {
    fn of(look: &Look, keys: &mut Keys) -> Self {
        let (dump, reach) = (&look.dump, &look.reach);
        let mut counts: Vec<u64> = Vec::new();
        let is = |flags: &[bool], at: usize| flags.get(at).copied().unwrap_or(false);
        let mut numbers = keys.of(dump);
        let mut all: Vec<Then> = Vec::with_capacity(dump.goroutines.len());
        for (at, goroutine) in dump.goroutines.iter().enumerate() {
            let key = numbers.number(goroutine);
            if counts.len() <= key as usize {
                counts.resize(key as usize + 1, 0);
            }
            counts[key as usize] += 1;
            all.push(Then {
                goid: goroutine.goid,
                key,
                first: goroutine.waits.first,
                count: goroutine.waits.count,
                runtime: goroutine.common.runtime,
                settled: settled(goroutine, numbers.kind(key)),
                unreachable: is(&reach.unreachable, at),
                only_through_c: is(&reach.only_through_c, at),
            });
        }
        all.sort_unstable_by_key(|then| (then.runtime, then.goid));
        Self {
            at_ns: look.at_ns,
            counts,
            all,
            waits: dump.waits.clone(),
        }
    }

    pub(crate) fn count(&self, key: u32) -> u64 {
        self.counts.get(key as usize).copied().unwrap_or(0)
    }

    /// The goroutine with the same number.
    pub(crate) fn get(&self, goroutine: &Goroutine) -> Option<&Then> {
        let wanted = (goroutine.common.runtime, goroutine.goid);
        let found = self
            .all
            .binary_search_by_key(&wanted, |then| (then.runtime, then.goid));
        self.all.get(found.ok()?)
    }

    fn waits_on(&self, then: &Then) -> &[WaitsOn] {
        let first = then.first as usize;
        let end = first.saturating_add(then.count as usize);
        self.waits.get(first..end).unwrap_or_default()
    }
}

/// The keys of all looks by number: of a million goroutines few are different.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) all: Vec<GroupKey>,
    numbers: HashMap<GroupKey, u32>,
    /// What is compared of each; nothing of the runtime's own.
    shapes: Vec<Option<Shape>>,
}

/// The keys within one look.
pub(crate) struct OfLook<'a> {
    keys: &'a mut Keys,
    dump: &'a Dump,
    /// By what makes up a key: the stack, the creator, the kind, whether it is the runtime's.
    known: HashMap<(Option<u32>, usize, WaitKind, bool), u32>,
}

impl OfLook<'_> {
    pub(crate) fn number(&mut self, goroutine: &Goroutine) -> u32 {
        let creator = goroutine.common.creator.as_ref();
        let creator = creator.map_or(0, |c| Rc::as_ptr(c) as usize);
        let own = goroutine.is_the_runtimes();
        let short = (goroutine.stack, creator, goroutine.kind, own);
        let (keys, dump) = (&mut *self.keys, self.dump);
        *self.known.entry(short).or_insert_with(|| {
            let key = group_key(dump, goroutine);
            *keys.numbers.entry(key).or_insert_with_key(|key| {
                let shape = (!own).then(|| Shape::of(dump, goroutine));
                keys.shapes.push(shape);
                keys.all.push(key.clone());
                keys.all.len() as u32 - 1
            })
        })
    }

    fn kind(&self, number: u32) -> WaitKind {
        self.keys.all[number as usize].kind
    }
}

impl Keys {
    pub(crate) fn of<'a>(&'a mut self, dump: &'a Dump) -> OfLook<'a> {
        OfLook {
            keys: self,
            dump,
            known: HashMap::new(),
        }
    }

    /// By the number of a key the number of the one that leads its cluster.
    pub(crate) fn clusters(&self) -> Vec<usize> {
        let ids: Vec<&str> = self.all.iter().map(|key| key.id.as_str()).collect();
        clusters(&self.shapes, &ids)
    }
}
