//! Synthetic profiles for tests of every crate that reads the model.
//!
//! Owns one realistic profile ([`sqlite`]) and one made from arbitrary bytes ([`scrambled`]).
//! Compiled only for tests and with the feature `fixtures`.

mod scrambled;
mod sqlite;

pub use scrambled::scrambled;
pub use sqlite::{recording, sqlite};
