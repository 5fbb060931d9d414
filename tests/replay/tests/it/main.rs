//! The walk over recorded cases and at every instruction of a running program, and the offsets that
//! it rests on, in programs of many builds. No root needed.

mod hostile;
mod offsets;
mod recorded;
mod single_step;
