//! See `seam_parsers::perf_map`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seam_parsers::perf_map(bytes));
