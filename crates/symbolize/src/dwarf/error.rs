//! What can be wrong with debug information.

/// Why debug information could not be read, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DwarfError {
    /// All sections together are larger than what is read.
    #[error("more than {} MiB of debug sections", .0 >> 20)]
    TooLarge(u64),
    /// A section can't be had.
    #[error(transparent)]
    Section(#[from] seam_object::Error),
    /// A part contradicts the format.
    #[error("malformed DWARF: {0}")]
    Malformed(#[from] gimli::Error),
    /// Parts that refer to each other so often that reading them would not end in time.
    #[error("DWARF that takes more steps to read than its size can need")]
    Work,
    /// More calls inlined into each other than are kept.
    #[error("more than {0} calls inlined into each other")]
    Deep(usize),
}
