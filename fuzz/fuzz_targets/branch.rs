#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parom_fuzz::run("branch", bytes));
