//! Goroutines, and threads, that do the same: equal stack, wait and origin.

use std::hash::Hash;
use std::num::NonZeroU64;
use std::rc::Rc;

use foldhash::HashMap;

use crate::{Common, Dump, Goroutine, Thread, TimeNs};

/// Members that do the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Their places in [`Dump::goroutines`] or [`Dump::threads`], in order; never empty.
    pub members: Vec<u32>,
}

/// What can be a member of a group.
pub trait Member {
    /// How long it has waited at most, if anything is known.
    fn waited_at_most(&self) -> Option<TimeNs>;
    /// How long its thread has slept.
    fn asleep(&self) -> Option<TimeNs>;
}

impl Member for Goroutine {
    fn waited_at_most(&self) -> Option<TimeNs> {
        self.waited_at_most_ns.map(NonZeroU64::get)
    }
    fn asleep(&self) -> Option<TimeNs> {
        self.asleep_ns.map(NonZeroU64::get)
    }
}

impl Member for Thread {
    fn waited_at_most(&self) -> Option<TimeNs> {
        None
    }
    fn asleep(&self) -> Option<TimeNs> {
        self.asleep_ns
    }
}

/// Groups of the goroutines that `keep` accepts, largest first.
pub fn groups(dump: &Dump, keep: impl Fn(&Goroutine) -> bool) -> Vec<Group> {
    let kept = dump.goroutines.iter().enumerate().filter(|(_, g)| keep(g));
    // Labels may differ. Texts are compared once for each kind, not for each goroutine.
    let mut origins = HashMap::default();
    let mut of_kind: HashMap<*const Common, usize> = HashMap::default();
    by(kept.map(|(at, g)| {
        let kind = Rc::as_ptr(&g.common);
        let origin = *of_kind.entry(kind).or_insert_with(|| {
            let Common {
                runtime,
                state,
                creator,
                start,
                ..
            } = &*g.common;
            let next = origins.len();
            *origins
                .entry((runtime, state, creator, start))
                .or_insert(next)
        });
        (at, (origin, g.stack, g.trust, g.locked))
    }))
}

/// Groups of the threads that `keep` accepts, largest first.
pub fn thread_groups(dump: &Dump, keep: impl Fn(&Thread) -> bool) -> Vec<Group> {
    let kept = dump.threads.iter().enumerate().filter(|(_, t)| keep(t));
    by(kept.map(|(at, t)| (at, (t.state, t.stack, t.trust))))
}

fn by<K: Hash + Eq>(members: impl Iterator<Item = (usize, K)>) -> Vec<Group> {
    let mut numbers: HashMap<K, usize> = HashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    for (at, key) in members {
        let number = *numbers.entry(key).or_insert_with(|| {
            groups.push(Group {
                members: Vec::new(),
            });
            groups.len() - 1
        });
        groups[number].members.push(at as u32);
    }
    // Stable: equal sizes keep the order of the list.
    groups.sort_by_key(|group| std::cmp::Reverse(group.members.len()));
    groups
}

impl Group {
    /// The least and the greatest of what is known of how long members' threads have slept.
    #[must_use]
    pub fn asleep<M: Member>(&self, all: &[M]) -> Option<(TimeNs, TimeNs)> {
        let known = self.of(all).filter_map(Member::asleep);
        range(known)
    }

    /// The greatest of what members have waited at most; `None` where nothing is known of one.
    #[must_use]
    pub fn waited_at_most<M: Member>(&self, all: &[M]) -> Option<TimeNs> {
        let each = self.of(all).map(Member::waited_at_most);
        each.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// The members themselves.
    pub fn of<'a, M>(&'a self, all: &'a [M]) -> impl Iterator<Item = &'a M> {
        self.members.iter().filter_map(|at| all.get(*at as usize))
    }
}

fn range(mut values: impl Iterator<Item = TimeNs>) -> Option<(TimeNs, TimeNs)> {
    let first = values.next()?;
    Some(values.fold((first, first), |(low, high), value| {
        (low.min(value), high.max(value))
    }))
}
