//! What can go wrong while a table is built.

/// Why no table could be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ELF file itself.
    #[error(transparent)]
    Elf(#[from] seam_object::Error),
    /// The Go part.
    #[error(transparent)]
    Go(#[from] seam_go::Error),
    /// Unwind information that contradicts itself.
    #[error("malformed {section}: {detail}")]
    Cfi {
        /// The section.
        section: &'static str,
        /// What the parser said.
        detail: String,
    },
    /// The file is for another processor.
    #[error("machine {0} is not supported")]
    Machine(u16),
    /// More code or rows than a table can hold.
    #[error("a table of {words} words is larger than the format's limit")]
    TooLarge {
        /// Words that would be needed.
        words: u64,
    },
    /// The file maps no code.
    #[error("no executable code")]
    NoCode,
}
