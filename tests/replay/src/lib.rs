//! Replaying the stack walk: recorded cases (registers, memory, tables, golden stack) and the
//! single-stepper that checks the walk at every instruction of a real program.

pub mod cases;
pub mod check;
pub mod names;
pub mod program;
pub mod registers;
pub mod stepper;
