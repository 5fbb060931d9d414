//! In C, and not coming back.

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "stuck-in-c",
    fits,
    waits: "it is in C and does not come back",
    means: "it is in C and does not come back",
    advice: "the C stack shows where; a lock or a descriptor there is waited for without a time limit",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.in_syscall && facts.c_frames > 0
}
