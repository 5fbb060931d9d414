//! See `seam_parsers::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::record(bytes));
