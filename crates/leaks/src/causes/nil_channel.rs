//! Waiting on nothing: the nil channel, or a select without a case that could be chosen.

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "nil-channel",
    fits,
    waits: "it waits on the nil channel or in a select without cases, which nothing can end",
    means: "it waits on the nil channel or in a select without cases, which nothing can end",
    advice: "find where the channel should have been made, or the field that was never set",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.key.kind.for_ever()
}
