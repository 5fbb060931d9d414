//! See `seam_parsers::eh_frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::eh_frame(bytes));
