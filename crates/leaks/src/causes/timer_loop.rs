//! A loop around a ticker, a timer or time.Sleep that has no end.

use seam_runtime::WaitKind;

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "timer-loop",
    fits,
    waits: "it waits for a timer, as a loop does that nothing tells to end",
    means: "it waits for a timer, as a loop does that nothing tells to end",
    advice: "stop the loop by a context or a channel, and the ticker by Stop",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.timer || facts.key.kind == WaitKind::Sleep
}
