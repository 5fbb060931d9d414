//! `--name`: processes by a regular expression, for every verb that takes it.

use anyhow::Result;

use crate::failure::Failure;

/// The processes that `--name` means.
pub(crate) fn pids(pattern: &str) -> Result<Vec<i32>> {
    let regex = regex::Regex::new(pattern).map_err(|e| {
        let text = e.to_string();
        let detail = text.lines().last().unwrap_or_default().trim().to_owned();
        Failure::new(
            format!("--name {pattern:?} is no regular expression: {detail}"),
            "quote special characters with a backslash: --name 'my\\.server'",
        )
    })?;
    Ok(seam_capture::find_by_name(pattern, |text| {
        regex.is_match(text)
    })?)
}
