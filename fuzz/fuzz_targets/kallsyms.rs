//! See `seam_parsers::kallsyms`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::kallsyms(bytes));
