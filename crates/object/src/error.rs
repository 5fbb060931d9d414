//! What can be wrong with an ELF file.

/// Why an ELF file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file does not start like an ELF file.
    #[error("not an ELF file")]
    NotElf,
    /// 32-bit or big-endian: no such program is supported.
    #[error("{0} ELF files are not supported")]
    Unsupported(&'static str),
    /// Headers that contradict themselves or the file's size.
    #[error("malformed ELF {what}: {detail}")]
    Malformed {
        /// The part that was being read.
        what: &'static str,
        /// What the parser said of it.
        detail: String,
    },
    /// A part is larger than seam is willing to read.
    #[error("ELF {what} of {bytes} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// The part.
        what: &'static str,
        /// Its claimed size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
}

impl Error {
    pub(crate) fn malformed(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Malformed {
            what,
            detail: detail.to_string(),
        }
    }
}
