//! See `seam_parsers::maps`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::maps(bytes));
