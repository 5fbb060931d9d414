//! What the terminal is told: colours or none, and standard output whose reader may have left.

use std::io::{IsTerminal, Write};

use anyhow::{Context, Result};
use clap::ColorChoice;

/// Whether to colour what goes to stdout.
pub(crate) fn colored(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
        }
    }
}

/// Prints to stdout; a closed pipe is no error.
pub(crate) fn print(text: &str, what: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.with_context(|| format!("printing the {what}")),
    }
}
