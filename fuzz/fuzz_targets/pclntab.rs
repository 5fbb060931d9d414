//! See `seam_parsers::pclntab`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::pclntab(bytes));
