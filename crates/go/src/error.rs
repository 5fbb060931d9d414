//! What can be wrong with a Go module.

/// Why something of a Go module could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ELF file itself.
    #[error(transparent)]
    Elf(#[from] seam_object::Error),
    /// A table that contradicts itself or its size.
    #[error("malformed {what}: {detail}")]
    Malformed {
        /// The table.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// Older than what seam reads (pclntab before Go 1.18).
    #[error("a pclntab of Go 1.17 or older is not supported")]
    TooOld,
    /// Something that every Go module has is not there.
    #[error("{0} was not found")]
    Missing(&'static str),
}

impl Error {
    pub(crate) fn malformed(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Malformed {
            what,
            detail: detail.to_string(),
        }
    }
}
