//! Receiving from channels to which nobody sends, and which nobody closes.

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "receive-no-partner",
    fits,
    waits: "it waits for channels",
    means: "it waits for channels to which nobody can send any more, and which nobody can close",
    advice: "close the channel when its senders are done, on every path",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.key.kind.on_channels()
}
