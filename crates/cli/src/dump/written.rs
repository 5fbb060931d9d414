//! Files that a dump is written to; the extension says what.

use std::path::Path;

use anyhow::{Context, Result};
use seam_dump::{Dump, Goroutine, Group};

use super::profile;

use crate::failure::Failure;

/// A form that a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Debug2,
    Json,
    Pprof,
    Page,
}

fn form(path: &Path) -> Result<Form> {
    let name = path.file_name().and_then(|n| n.to_str());
    if name.is_some_and(|name| name.ends_with(".pb.gz")) {
        return Ok(Form::Pprof);
    }
    match path.extension().and_then(|e| e.to_str()) {
        Some("html") => Ok(Form::Page),
        Some("txt") => Ok(Form::Debug2),
        Some("json") => Ok(Form::Json),
        _ => Err(Failure::new(
            format!("{}: its extension says no format", path.display()),
            "use .txt (the form of Go's own goroutine dump), .json, .pb.gz (pprof) or .html",
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
pub(super) fn write(
    path: &Path,
    dump: &Dump,
    groups: &[Group],
    chosen: &dyn Fn(&Goroutine) -> bool,
) -> Result<()> {
    let bytes = match form(path)? {
        Form::Debug2 => seam_dump::debug2(dump).into_bytes(),
        Form::Json => seam_dump::json(dump, groups).into_bytes(),
        Form::Pprof => seam_export::pprof(&profile::of(dump, chosen)),
        Form::Page => seam_export::html(&profile::of(dump, chosen))?.into_bytes(),
    };
    crate::record::write_whole(path, &bytes).with_context(|| format!("writing {}", path.display()))
}
