//! See `seam_parsers::elf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::elf(bytes));
