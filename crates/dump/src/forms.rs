//! A dump as files for other programs.

pub(crate) mod debug2;
pub(crate) mod json;
