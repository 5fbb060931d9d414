//! See `seam_parsers::names`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::names(bytes));
