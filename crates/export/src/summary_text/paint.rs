//! ANSI colours.
//!
//! Owns the codes: the 16 colours every terminal has, so that its own theme decides how they look.

use seam_profile::FunctionKind;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Bold,
    Dim,
    Good,
    Warn,
    Bad,
    Kind(FunctionKind),
}

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paint {
    pub(super) on: bool,
}

impl Paint {
    /// `text` in a style. Pad before: codes have no width but count as characters.
    pub(super) fn with(self, style: Style, text: &str) -> String {
        if !self.on || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{}m{text}\x1b[0m", code(style))
    }
}

fn code(style: Style) -> u8 {
    match style {
        Style::Bold => 1,
        Style::Dim | Style::Kind(FunctionKind::Unknown) => 2,
        Style::Bad => 31,
        Style::Good => 32,
        Style::Warn | Style::Kind(FunctionKind::C) => 33,
        Style::Kind(FunctionKind::GoRuntime) => 34,
        Style::Kind(FunctionKind::Kernel) => 35,
        Style::Kind(FunctionKind::Go) => 36,
    }
}

/// Characters of `text` that take a column.
pub(super) fn width(text: &str) -> usize {
    let mut in_code = false;
    let mut columns = 0;
    for char in text.chars() {
        match char {
            '\x1b' => in_code = true,
            'm' if in_code => in_code = false,
            _ if !in_code => columns += 1,
            _ => {}
        }
    }
    columns
}
