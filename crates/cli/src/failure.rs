//! How errors reach the user: one line saying what failed and why, one with what to do.

use std::fmt;

use crate::args;

/// The exit code of every error.
const EXIT_ERROR: u8 = 2;

/// An error with what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Prints an error and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> std::process::ExitCode {
    eprintln!("error: {}", in_one_line(error));
    let hint = error
        .downcast_ref::<Failure>()
        .and_then(|f| f.hint.clone())
        .or_else(|| {
            error
                .downcast_ref::<seam_capture::Error>()
                .and_then(|e| e.hint(args::verb()))
        });
    if let Some(hint) = hint {
        eprintln!("hint:  {hint}");
    }
    std::process::ExitCode::from(EXIT_ERROR)
}

/// An error and its causes; those it has told itself are not told again.
fn in_one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn causes_are_told_once() {
        let told = anyhow!("denied").context("reading x: denied");
        assert_eq!(in_one_line(&told), "reading x: denied");
        let other: anyhow::Error = Err::<(), _>(anyhow!("denied\nat all"))
            .context("reading x")
            .expect_err("it is an error");
        assert_eq!(in_one_line(&other), "reading x: denied at all");
    }
}
