//! See `seam_parsers::stored`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::stored(bytes));
