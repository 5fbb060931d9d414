//! The reasons for which a walk ends, by code. The table is generated; this looks codes up.

use crate::generated::ENDS;

/// Why a stack walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The stable number stored in records.
    pub code: u8,
    /// The stable kebab-case name.
    pub id: &'static str,
    /// The stack is whole: it ends where a stack begins.
    pub root: bool,
    /// One sentence without capital and full stop.
    pub sentence: &'static str,
}

/// What a code means; unknown codes read as `not-walked`.
#[must_use]
pub fn end(code: u8) -> &'static End {
    ENDS.iter().find(|e| e.code == code).unwrap_or(&ENDS[0])
}

/// Every end there is, by rising code.
#[must_use]
pub fn all() -> &'static [End] {
    ENDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_rise_and_ids_differ() {
        assert!(all().windows(2).all(|w| w[0].code < w[1].code));
        for (i, a) in all().iter().enumerate() {
            assert!(all().iter().skip(i + 1).all(|b| a.id != b.id));
        }
    }
}
