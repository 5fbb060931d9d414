//! See `seam_parsers::core`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::core(bytes));
