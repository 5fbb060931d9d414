//! The end-to-end tests, one module per theme. Run as root:
//! `cargo test -p seam-e2e -- --test-threads=1`.

mod truth;
