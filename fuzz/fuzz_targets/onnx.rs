//! `cargo +nightly fuzz run onnx`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cnn_fuzz_targets::onnx(bytes));
