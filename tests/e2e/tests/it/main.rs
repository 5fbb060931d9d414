//! The end-to-end tests, one module per theme. Run as root:
//! `cargo test -p seam-e2e -- --test-threads=1`.

mod arguments;
mod command;
mod doctor;
mod following;
mod forwards;
mod goldens;
mod labels;
mod made;
mod outputs;
mod privilege;
mod probed;
mod race;
mod refused;
mod signals;
mod stress;
mod targets;
mod trouble;
mod truth;
mod two_go;
mod versions;
mod wide;
