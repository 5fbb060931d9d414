//! What the end-to-end tests share: starting programs and seam, reading what they wrote.
//!
//! The tests run the real `seam` on real processes, as root. What cannot run fails: a test that
//! says nothing must never look like one that passed.

pub mod bpf;
pub mod elf;
pub mod go_dump;
pub mod page;
pub mod places;
pub mod pprof;
pub mod probe;
pub mod process;
pub mod program;
pub mod refusal;
pub mod seam;
pub mod storm;
pub mod strangers;
pub mod truth;
pub mod wait;
