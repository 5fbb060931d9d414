//! See `seam_parsers::version`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::version(bytes));
