//! `cargo +nightly fuzz run npy`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cnn_fuzz_targets::npy_array(bytes));
