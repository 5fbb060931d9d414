//! Files that a dump is written to; the extension says what.

use std::path::Path;

use anyhow::{Context, Result};
use seam_dump::{Dump, Group};

use crate::failure::Failure;

/// A form that a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Debug2,
    Json,
}

fn form(path: &Path) -> Result<Form> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("txt") => Ok(Form::Debug2),
        Some("json") => Ok(Form::Json),
        _ => Err(Failure::new(
            format!("{}: its extension says no format", path.display()),
            "use .txt (the form of Go's own goroutine dump) or .json",
        )
        .into()),
    }
}

/// Whether a file's name says what to write, and it can be written, before anything is read.
pub(super) fn check(path: &Path) -> Result<()> {
    form(path)?;
    crate::record::writable(path, "goroutines.txt")
}

/// Writes a dump.
pub(super) fn write(path: &Path, dump: &Dump, groups: &[Group]) -> Result<()> {
    let text = match form(path)? {
        Form::Debug2 => seam_dump::debug2(dump),
        Form::Json => seam_dump::json(dump, groups),
    };
    crate::record::write_whole(path, text.as_bytes())
        .with_context(|| format!("writing {}", path.display()))
}
