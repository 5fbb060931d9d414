//! A profile as bytes for others to read: folded stacks, pprof, one HTML page, summaries.
//!
//! Owns one format per module and the spelling of names and numbers they share. Bytes out; the
//! caller writes the files. Machine formats (folded, pprof) keep every frame; what people look at
//! (page, summaries) folds the plumbing of cgo.
//!
//! Does not: open files, read clocks, or compute facts (`seam-analyze` does).

mod error;
mod folded;
mod html;
mod names;
mod numbers;
mod pprof;
mod quality_words;
mod summary_json;
mod summary_text;

#[cfg(test)]
mod tests;

pub use error::ExportError;
pub use folded::folded;
pub use html::html;
pub use names::{base_name, fit, printable, short_name};
pub use pprof::pprof;
pub use summary_json::{SCHEMA, summary_json};
pub use summary_text::{TextOptions, TrailerLine, cost_words, summary_text};
