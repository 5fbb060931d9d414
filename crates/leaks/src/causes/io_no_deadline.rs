//! Waiting for a descriptor without a deadline.

use seam_runtime::WaitKind;

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "io-no-deadline",
    fits,
    waits: "it waits for a descriptor, and no deadline is set",
    means: "it waits for a descriptor, and no deadline is set",
    advice: "set a deadline, or close the descriptor when its work is over",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.key.kind == WaitKind::Io && facts.io_without_deadline()
}
