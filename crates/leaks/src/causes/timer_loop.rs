//! A loop around a ticker, a timer or time.Sleep that has no end.

use seam_runtime::WaitKind;

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "timer-loop",
    fits,
    means: "its loop waits for a timer again and again, and nothing tells it to end",
    advice: "stop the loop by a context or a channel, and the ticker by Stop",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.timer || facts.key.kind == WaitKind::Sleep
}
