//! The end-to-end tests, one module per theme. Run as root:
//! `cargo test -p seam-e2e -- --test-threads=1`.

mod activity;
mod arguments;
mod builds;
mod command;
mod doctor;
mod dump;
mod dump_refused;
mod following;
mod forwards;
mod goldens;
mod headers;
mod labels;
mod made;
mod namespaces;
mod outputs;
mod privilege;
mod probed;
mod purego;
mod race;
mod real;
mod refused;
mod signals;
mod standalone;
mod storms;
mod stress;
mod table_cache;
mod targets;
mod trouble;
mod truth;
mod two_go;
mod undescribed;
mod versions;
mod wide;
