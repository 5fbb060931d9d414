//! See `seam_parsers::derive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::derive(bytes));
