//! Sending to a channel from which nobody receives.

use seam_runtime::{Direction, WaitKind, WaitsOn};

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "send-no-partner",
    fits,
    waits: "it sends to a channel",
    means: "it sends to a channel from which nobody can receive any more",
    advice: "give the channel room for every sender, or let the sender stop when its receiver has gone",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    let sends = |on: &WaitsOn| {
        let WaitsOn::Channel { direction, .. } = on else {
            return false;
        };
        *direction == Direction::Send
    };
    let only = !facts.waits.is_empty() && facts.waits.iter().all(sends);
    facts.key.kind == WaitKind::Send || facts.key.kind == WaitKind::Select && only
}
