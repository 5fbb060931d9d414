//! A context type of the program's own: package context can't link to it, and makes a goroutine for
//! each child that waits for either to end (`(*cancelCtx).propagateCancel`, context/context.go, Go
//! 1.19 to 1.27).

use crate::Cause;
use crate::Facts;
use crate::cause::never_suspect;

/// The class.
pub(super) const CAUSE: Cause = Cause {
    name: "ctx-chain-broken",
    fits,
    waits: "a context was made from one of a type that package context does not know, which costs a goroutine until one of them ends",
    means: "a context was made from one of a type that package context does not know, which costs a goroutine until one of them ends",
    advice: "embed a context made by package context instead of writing Done and Err, or cancel the child",
    suspect: never_suspect,
};

fn fits(facts: &Facts) -> bool {
    let start = facts.start.as_deref().unwrap_or_default();
    // Up to Go 1.20 a function, since then a method.
    start.starts_with("context.propagateCancel.func")
        || start.starts_with("context.(*cancelCtx).propagateCancel.func")
}
