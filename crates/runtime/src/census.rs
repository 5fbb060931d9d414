//! Who there was: cheap looks at all goroutines of a process again and again, without stacks, by
//! which each is known with the goroutine that made it, also when that has ended long since.

use std::collections::{HashMap, HashSet};

use seam_memory::{Memory, Objects};

use crate::look::plain_look;
use crate::test_names::TestNames;
use crate::{Goroutine, GoroutineList, Layout, Result, Status};

/// Goroutines that are remembered: some 100 MiB.
const KNOWN_MAX: usize = 1 << 20;
/// G's that are read at once.
const AT_ONCE: u64 = 2048;
/// Makers that are followed from one goroutine.
const GENERATIONS_MAX: usize = 1 << 16;

/// The main goroutine.
const MAIN: u64 = 1;

/// What is remembered of a goroutine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The goroutine that made it; 0 where that is not known.
    pub parent: u64,
    /// The return address of the go statement.
    pub gopc: u64,
    /// It runs a test; the name, once that was read.
    pub test: Option<Option<String>>,
    /// The look that was the first without it, by the caller's clock.
    pub gone_ns: Option<u64>,
}

/// All that were seen.
#[derive(Debug, Clone, Default)]
pub struct Census {
    known: HashMap<u64, Known>,
    alive: HashSet<u64>,
    names: TestNames,
    gs: Objects,
    /// This Go says who made a goroutine.
    has_parents: bool,
    /// Looks so far.
    pub looks: u64,
    /// Goroutines that there was no room to remember.
    pub forgotten: u64,
}

/// From which test a goroutine comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From the test on this goroutine.
    Test(u64),
    /// From none: from main, or from an init function.
    None,
    /// A goroutine between has come and gone unseen; the outermost that is known was made there.
    Unknown {
        /// The return address of the go statement.
        gopc: u64,
    },
}

impl Census {
    /// Looks once. `is_test` tells whether goroutines that were made at an address run tests.
    ///
    /// # Errors
    /// When the list of goroutines can't be read.
    pub fn look(
        &mut self,
        memory: &impl Memory,
        layout: &Layout,
        (allglen, allgptr): (u64, u64),
        now_ns: u64,
        is_test: impl Fn(u64) -> bool,
    ) -> Result<()> {
        self.has_parents = layout.has_parent();
        let list = GoroutineList::read(memory, allglen, allgptr)?;
        let mut alive = HashSet::with_capacity(self.alive.len());
        let mut first = 0;
        while first < list.len() {
            let addresses = list.addresses(memory, first, AT_ONCE)?;
            first += addresses.len() as u64;
            let read = plain_look(memory, layout, &addresses, &mut self.gs);
            for goroutine in read.into_iter().flatten().filter(|g| g.goid != 0) {
                if goroutine.status.lives() {
                    alive.insert(goroutine.goid);
                }
                self.note(memory, &goroutine, now_ns, &is_test);
            }
        }
        for goid in self.alive.difference(&alive) {
            if let Some(known) = self.known.get_mut(goid) {
                known.gone_ns.get_or_insert(now_ns);
            }
        }
        self.alive = alive;
        self.looks += 1;
        Ok(())
    }

    /// A dead one still says who it was, until its g is used again.
    fn note(
        &mut self,
        memory: &impl Memory,
        g: &Goroutine,
        now_ns: u64,
        is_test: impl Fn(u64) -> bool,
    ) {
        let unnamed = |known: &Known| known.test == Some(None);
        if self.known.get(&g.goid).is_some_and(|known| !unnamed(known)) {
            return;
        }
        if self.known.len() >= KNOWN_MAX {
            self.forgotten += 1;
            return;
        }
        let test = is_test(g.gopc).then(|| {
            let stack = (g.stack.start != 0 && g.status != Status::Copystack).then_some(&g.stack);
            self.names.of(memory, stack?)
        });
        let known = self.known.entry(g.goid).or_insert(Known {
            parent: g.parent,
            gopc: g.gopc,
            test: None,
            gone_ns: (!g.status.lives()).then_some(now_ns),
        });
        known.test = test;
    }

    /// What is known of a goroutine.
    #[must_use]
    pub fn get(&self, goid: u64) -> Option<&Known> {
        self.known.get(&goid)
    }

    /// Whether a goroutine was there at the last look.
    #[must_use]
    pub fn lives(&self, goid: u64) -> bool {
        self.alive.contains(&goid)
    }

    /// All goroutines that run tests.
    pub fn tests(&self) -> impl Iterator<Item = (u64, &Known)> {
        let all = self.known.iter().map(|(goid, known)| (*goid, known));
        all.filter(|(_, known)| known.test.is_some())
    }

    /// From which test a goroutine comes, by those that made it, one after the other.
    #[must_use]
    pub fn origin(&self, goid: u64) -> Origin {
        let mut at = goid;
        let mut gopc = 0;
        for _ in 0..GENERATIONS_MAX {
            let Some(known) = self.known.get(&at).filter(|_| at != 0) else {
                return Origin::Unknown { gopc };
            };
            if known.test.is_some() {
                return Origin::Test(at);
            }
            if known.parent == 0 && (self.has_parents || at == MAIN) {
                return Origin::None;
            }
            (at, gopc) = (known.parent, known.gopc);
        }
        Origin::Unknown { gopc }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(parent: u64, test: Option<&str>) -> Known {
        Known {
            parent,
            gopc: 100 + parent,
            test: test.map(|name| Some(name.to_owned())),
            gone_ns: None,
        }
    }

    #[test]
    fn origins_are_followed_through_the_dead() {
        let all = [
            (1, known(0, None)),
            (5, known(1, Some("TestA"))),
            (6, known(5, None)),
            (7, known(6, None)),
            (8, known(99, None)),
            (9, known(10, None)),
            (10, known(9, None)),
            (11, known(1, None)),
        ];
        let mut census = Census {
            has_parents: true,
            known: all.into_iter().collect(),
            ..Census::default()
        };
        assert_eq!(census.origin(7), Origin::Test(5));
        assert_eq!(census.origin(5), Origin::Test(5));
        assert_eq!(census.origin(11), Origin::None);
        assert_eq!(census.origin(8), Origin::Unknown { gopc: 199 });
        assert_eq!(census.origin(3), Origin::Unknown { gopc: 0 });
        // A circle, which only garbage makes, ends.
        assert!(matches!(census.origin(9), Origin::Unknown { .. }));
        assert_eq!(census.tests().count(), 1);
        // Up to Go 1.20 nobody knows.
        census.has_parents = false;
        census.known.insert(12, known(0, None));
        assert_eq!(census.origin(12), Origin::Unknown { gopc: 100 });
        assert_eq!(census.origin(1), Origin::None);
    }
}
