//! `cargo +nightly fuzz run plan`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cnn_fuzz_targets::plan(bytes));
