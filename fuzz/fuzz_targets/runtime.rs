//! See `seam_parsers::runtime`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::runtime(bytes));
