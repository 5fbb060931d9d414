//! Why an export can fail.
//!
//! Owns the one error type. Most formats hold any profile; the page has limits.

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The page's header would be larger than its length field can say.
    #[error("the page would need {bytes} bytes of names, more than 4 GiB")]
    HeaderTooLarge {
        /// Size of the header.
        bytes: usize,
    },
    /// The page's header could not be written as JSON.
    #[error("the page's header could not be written")]
    Header(#[source] serde_json::Error),
}
