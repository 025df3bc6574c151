//! `cargo +nightly fuzz run text`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cnn_fuzz_targets::ir_text(bytes));
