#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| evenhand_fuzz::fuzzing::notebook(bytes));
