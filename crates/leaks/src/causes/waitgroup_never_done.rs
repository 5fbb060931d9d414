//! Waiting for a sync.WaitGroup.

use seam_runtime::WaitKind;

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "waitgroup-never-done",
    fits,
    waits: "it waits for a wait group that does not come to zero",
    means: "it waits for a wait group that does not come to zero",
    advice: "look for an Add without its Done, and for a Done that waits itself",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.key.kind == WaitKind::Group
}
