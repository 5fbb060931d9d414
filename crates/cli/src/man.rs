//! Manual pages, made from the same table as the help texts.

use std::io::Write;

use anyhow::{Context, Result};

use crate::args;
use crate::failure::Failure;

/// Prints the page of a verb, or of seam itself.
pub(crate) fn print(verb: Option<&str>) -> Result<()> {
    let mut command = args::command();
    command.build();
    let described = match verb {
        None => command,
        Some(verb) => {
            let found = command
                .get_subcommands()
                .find(|c| c.get_name() == verb)
                .cloned();
            let found = found.ok_or_else(|| {
                Failure::new(
                    format!("there is no verb {verb:?}"),
                    "seam --help lists the verbs",
                )
            })?;
            let name: &'static str = format!("seam-{verb}").leak();
            found.name(name)
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(described)
        .render(&mut page)
        .context("making the page")?;
    match std::io::stdout().write_all(&page) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("printing the page"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_page_has_its_sections() {
        let mut page = Vec::new();
        clap_mangen::Man::new(crate::args::command())
            .render(&mut page)
            .unwrap();
        let text = String::from_utf8(page).unwrap();
        assert!(
            text.contains(".SH NAME") && text.contains("record"),
            "{text}"
        );
    }
}
