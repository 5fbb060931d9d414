//! Completions for shells, made from the same table as the help texts.

use std::io::Write;

use anyhow::{Context, Result};
use clap_complete::Shell;

use crate::args;

/// Prints the completions for a shell.
pub(crate) fn print(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "seam", &mut script);
    match std::io::stdout().write_all(&script) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("printing the completions"),
    }
}
