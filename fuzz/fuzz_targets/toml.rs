//! `cargo +nightly fuzz run toml`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cnn_fuzz_targets::toml(bytes));
