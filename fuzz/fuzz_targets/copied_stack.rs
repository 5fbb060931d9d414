//! See `seam_parsers::copied_stack`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::copied_stack(bytes));
