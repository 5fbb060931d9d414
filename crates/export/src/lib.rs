//! A profile as bytes for others: folded stacks, pprof, speedscope, a page, a picture, summaries.
//!
//! Owns one format per module and the spelling of names and numbers they share. Bytes out; the
//! caller writes the files. Machine formats (folded, pprof, speedscope) keep every frame; what
//! people look at (page, picture, summaries) folds the plumbing of cgo.
//!
//! Does not: open files, read clocks, or compute facts (`seam-analyze` does).

mod comparison_text;
mod error;
mod folded;
mod html;
mod kind_codes;
mod names;
mod numbers;
mod pprof;
mod quality_words;
mod speedscope;
mod summary_json;
mod summary_text;
mod svg;

#[cfg(test)]
mod tests;

pub use comparison_text::comparison_text;
pub use error::ExportError;
pub use folded::folded;
pub use html::html;
pub use names::{base_name, fit, printable, short_name};
pub use pprof::pprof;
pub use speedscope::speedscope;
pub use summary_json::{SCHEMA, summary_json};
pub use summary_text::{TextOptions, TrailerLine, cost_words, summary_text};
pub use svg::svg;
