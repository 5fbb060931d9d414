//! Which goroutines are leaked, and why: several looks at a process, groups of goroutines that do
//! the same in all of them, a verdict for each group with its cause class, and the forms that show
//! it.
//!
//! Values in, text out: nothing here reads a process, a file or a clock. How far something is known
//! is part of each verdict; what is missing for one is said.

mod cause;
mod causes;
mod cluster;
mod facts;
mod forms;
mod growth;
mod history;
mod id;
mod judge;
mod look;
mod suite;

#[cfg(test)]
mod tests;

pub use cause::Cause;
pub use causes::CAUSES;
pub use facts::{Age, Cluster, Facts, Member, facts};
pub use forms::json::{SCHEMA, json};
pub use forms::junit::junit;
pub use forms::suites::{outcome_json, outcome_junit, outcome_text};
pub use forms::text::text;
pub use growth::Growth;
pub use history::History;
pub use id::{GroupKey, group_key};
pub use judge::{Judged, Severity, Verdict, judge};
pub use look::{Context, Look, Reach, Report};
pub use suite::{Outcome, Owner, Suite, Test, left_behind};
