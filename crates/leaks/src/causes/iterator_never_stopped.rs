//! Waiting for the other side of an iter.Pull.

use seam_runtime::WaitKind;

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "iterator-never-stopped",
    fits,
    waits: "it waits for the other side of an iter.Pull",
    means: "it waits for the other side of an iter.Pull, which can never come back",
    advice: "call the stop function of iter.Pull on every path, usually by defer",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.key.kind == WaitKind::Coroutine
}
