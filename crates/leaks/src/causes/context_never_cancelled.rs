//! Waiting for the end of a context.

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "context-never-cancelled",
    fits,
    waits: "it waits for the end of a context",
    means: "it waits for the end of a context, and nobody who could end it knows the context any more",
    advice: "call the cancel function on every path, usually by defer",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    facts.key.kind.on_channels() && facts.context.is_some()
}
