//! The end-to-end tests, one module per theme. Run as root:
//! `cargo test -p seam-e2e -- --test-threads=1`.

mod activity;
mod arguments;
mod command;
mod cores;
mod doctor;
mod dump;
mod dump_refused;
mod dump_waits;
mod following;
mod forwards;
mod goldens;
mod goroutines;
mod grades;
mod headers;
mod labels;
mod made;
mod namespaces;
mod outputs;
mod privilege;
mod probed;
mod purego;
mod race;
mod refused;
mod signals;
mod standalone;
mod stress;
mod table_cache;
mod targets;
mod trouble;
mod truth;
mod two_go;
mod undescribed;
mod versions;
mod wide;
