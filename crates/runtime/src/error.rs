//! Why a runtime's structures can't be read.

use seam_go::Field;
use seam_memory::Unreadable;

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field's place is not known for this build of Go.
    #[error("where this build of Go keeps {0} is not known")]
    Unknown(Field),
    /// What lies there can't be this structure.
    #[error("{what} at {address:#x} makes no sense: {found}")]
    Nonsense {
        /// The structure, as the runtime names it.
        what: &'static str,
        /// Where it should be.
        address: u64,
        /// What was found.
        found: String,
    },
    /// Memory could not be read.
    #[error("{what}: {source}")]
    Memory {
        /// The structure.
        what: &'static str,
        /// Why.
        source: Unreadable,
    },
}

impl Error {
    pub(crate) fn memory(what: &'static str) -> impl Fn(Unreadable) -> Self {
        move |source| Self::Memory { what, source }
    }
}
