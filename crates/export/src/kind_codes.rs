//! The kinds that frames of a picture have besides those of functions. Numbers follow
//! `seam_profile::FunctionKind`'s; the page's data format (ui/DATA.md) names them.

/// A folded crossing between Go and C.
pub(crate) const KIND_EDGE: u8 = 4;
/// A function without a name.
pub(crate) const KIND_UNNAMED: u8 = 5;
/// No function: the whole, what is gathered, what was left out.
pub(crate) const KIND_META: u8 = 6;
