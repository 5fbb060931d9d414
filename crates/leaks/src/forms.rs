//! The forms in which a report is shown.
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod suites;
pub(crate) mod text;
