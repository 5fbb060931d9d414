//! The page: one HTML file that shows the profile without a server or a network.
//!
//! Owns the filling of the built page in `ui/dist` with data. The page promises: the template has
//! each placeholder once, the data is a deflated container (see `container`), in base64.

mod columns;
mod comparison;
mod container;
mod functions;
mod header;
mod samples;

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use seam_analyze::{Folder, Trees};
use seam_profile::Profile;

pub(crate) use functions::{edge_words, kind};
pub(crate) use header::{subtitle, title};

use crate::error::ExportError;
use crate::names::printable;

/// The page without data, built from `ui/`.
const TEMPLATE: &str = include_str!("../../../ui/dist/flame.html");
const DATA_MARK: &str = "@SEAM_DATA@";
const TITLE_MARK: &str = "@SEAM_TITLE@";
const SHEET_MARK: &str = "@SEAM_SHEET@";

/// Writes the profile as one HTML page.
///
/// # Errors
/// When the names alone exceed 4 GiB.
pub fn html(profile: &Profile) -> Result<String, ExportError> {
    let container = container(profile)?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(&container)
        .expect("writing to memory does not fail");
    let deflated = encoder.finish().expect("writing to memory does not fail");
    let sheet = seam_analyze::compare(profile).map(|all| comparison::sheet(&all));
    let sheet = sheet.unwrap_or_default();
    let data = STANDARD.encode(deflated);
    Ok(fill(TEMPLATE, &title(profile), &sheet, &data))
}

/// The data behind the page, not yet compressed.
pub(crate) fn container(profile: &Profile) -> Result<Vec<u8>, ExportError> {
    let folder = Folder::new(profile);
    let trees = Trees::build(&folder);
    let mut strings = header::PageStrings::default();
    let mut columns = container::Columns::default();
    let frames = functions::write(&folder, &trees, &mut strings, &mut columns);
    columns::write_trees(&trees, &frames, &mut columns);
    samples::write(profile, &trees, &mut columns);
    columns::write_threads(profile, &mut strings, &mut columns);
    container::encode(header::header(profile, strings), columns)
}

/// The title goes first: data is base64 and can't hold its mark, but a title could hold data's.
/// The sheet holds none.
fn fill(template: &str, title: &str, sheet: &str, data: &str) -> String {
    let (before, after) = template.split_once(DATA_MARK).unwrap_or((template, ""));
    let title = escaped(&printable(title));
    let before = before.replacen(SHEET_MARK, sheet, 1);
    let before = before.replacen(TITLE_MARK, &title, 1);
    [&before, data, after].concat()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' | '<' | '>' | '"' | '\'' => escaped.push_str(&format!("&#{};", char as u32)),
            _ => escaped.push(char),
        }
    }
    escaped
}
