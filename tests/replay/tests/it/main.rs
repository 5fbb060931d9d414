//! The walk over recorded cases, and at every instruction of a running program. No root needed.

mod recorded;
mod single_step;
