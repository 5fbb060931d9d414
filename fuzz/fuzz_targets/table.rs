//! See `seam_parsers::table`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::table(bytes));
