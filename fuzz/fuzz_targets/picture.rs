//! `cargo +nightly fuzz run picture`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cnn_fuzz_targets::picture(bytes));
