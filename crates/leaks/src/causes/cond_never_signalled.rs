//! Waiting for a sync.Cond.

use seam_runtime::WaitKind;

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "cond-never-signalled",
    fits,
    waits: "it waits for a condition",
    means: "it waits for a condition that nobody can signal any more",
    advice: "look for a Signal or Broadcast that is missed, and for a Wait outside of a loop",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.key.kind == WaitKind::Cond
}
