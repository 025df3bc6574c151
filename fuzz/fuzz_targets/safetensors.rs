//! `cargo +nightly fuzz run safetensors`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cnn_fuzz_targets::safetensors(bytes));
