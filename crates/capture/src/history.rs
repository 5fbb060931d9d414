//! What targets had mapped over the course of a recording: mapping sets by number, and which set
//! followed which. Owns no kernel state; `Session` decides when a set begins and ends.

use std::collections::HashMap;
use std::sync::Arc;

use crate::process_map::{MappedModule, ProcessMap};

/// All mapping sets that samples refer to.
#[derive(Debug, Clone, Default)]
pub struct MapHistory {
    maps: HashMap<u32, Arc<ProcessMap>>,
    next: HashMap<u32, u32>,
    previous: HashMap<u32, u32>,
}

impl MapHistory {
    /// Begins a set. 0 is none: a child right after its own exec, of which nothing is known yet.
    pub(crate) fn insert(&mut self, set: u32, map: ProcessMap) {
        if set != 0 {
            self.maps.insert(set, Arc::new(map));
        }
    }

    /// One process went from one set to another.
    pub(crate) fn follow(&mut self, old: u32, new: u32) {
        if old != 0 && new != 0 && !self.next.contains_key(&old) {
            self.next.insert(old, new);
            self.previous.insert(new, old);
        }
    }

    /// Two processes have a set from here on: what either maps next says nothing of the other.
    pub(crate) fn share(&mut self, set: u32) {
        if let Some(next) = self.next.insert(set, 0) {
            self.previous.remove(&next);
        }
    }

    /// Drops a set's mappings unless samples may need them.
    pub(crate) fn forget(&mut self, set: u32, used: impl Fn(u32) -> bool) {
        let before = self.previous.get(&set);
        if !used(set) && !before.is_some_and(|set| used(*set)) {
            self.maps.remove(&set);
        }
    }

    /// What a sample's address lay in. The kernel side notes a mapping before user space hears of
    /// it (bpf/late.h), so what the set has not, the next one of the process may have.
    #[must_use]
    pub fn find(&self, set: u32, address: u64) -> Option<&MappedModule> {
        let own = self.maps.get(&set).and_then(|map| map.find(address));
        own.or_else(|| self.maps.get(self.next.get(&set)?)?.find(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::executable_entries;
    use crate::module::Modules;

    /// A set with one anonymous page of code.
    fn map(start: u64) -> ProcessMap {
        let line = format!("{start:x}-{:x} r-xp 00000000 00:00 0 \n", start + 4096);
        let mut map = ProcessMap::default();
        for entry in executable_entries(&line) {
            map.insert(1, &entry, &mut Modules::default());
        }
        map
    }

    #[test]
    fn the_next_set_is_looked_at_too_and_no_other() {
        let mut history = MapHistory::default();
        for set in 1..=3 {
            history.insert(set, map(u64::from(set) << 20));
        }
        history.follow(1, 2);
        history.follow(2, 3);
        assert_eq!(history.find(1, 1 << 20).map(|m| m.start), Some(1 << 20));
        assert_eq!(history.find(1, 2 << 20).map(|m| m.start), Some(2 << 20));
        assert!(history.find(1, 3 << 20).is_none());
        assert!(history.find(2, 1 << 20).is_none());
    }

    #[test]
    fn set_0_has_nothing() {
        let mut history = MapHistory::default();
        history.insert(0, map(1 << 20));
        assert!(history.find(0, 1 << 20).is_none());
    }

    #[test]
    fn a_shared_set_has_no_next() {
        let mut history = MapHistory::default();
        history.insert(1, map(1 << 20));
        history.insert(2, map(2 << 20));
        history.share(1);
        history.follow(1, 2);
        assert!(history.find(1, 2 << 20).is_none());
    }

    #[test]
    fn what_a_used_set_may_need_is_kept() {
        let mut history = MapHistory::default();
        for set in 1..=3 {
            history.insert(set, map(u64::from(set) << 20));
            history.follow(set - 1, set);
        }
        for set in 1..=3 {
            history.forget(set, |set| set == 1);
        }
        assert!(history.find(1, 2 << 20).is_some());
        assert!(history.find(3, 3 << 20).is_none());
    }
}
