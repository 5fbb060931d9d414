//! What seam reads from DWARF, on programs that are built here.

mod build;
mod hostile;
mod oracle;
mod same;
mod whole;
