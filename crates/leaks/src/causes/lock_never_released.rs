//! Waiting for a sync.Mutex or sync.RWMutex.

use seam_runtime::WaitKind;

use crate::Cause;
use crate::Facts;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "lock-never-released",
    fits,
    waits: "it waits for a lock that is not released",
    means: "it waits for a lock that is not released",
    advice: "look for a path that returns without Unlock, for a lock taken twice, and for locks taken in two orders",
    suspect,
};

fn fits(facts: &Facts) -> bool {
    matches!(
        facts.key.kind,
        WaitKind::Mutex | WaitKind::ReadLock | WaitKind::WriteLock | WaitKind::Semaphore
    )
}

fn suspect(facts: &Facts) -> Option<&'static str> {
    // Where the lock is passed on, somebody gets it and leaves.
    let nobody_left = facts.in_all() >= facts.growth.counts.first().copied().unwrap_or(0);
    let stuck = facts.in_all() > 0 && nobody_left && facts.key.kind != WaitKind::Semaphore;
    stuck.then_some("the lock was not passed on in any look, but its holder is not known")
}
