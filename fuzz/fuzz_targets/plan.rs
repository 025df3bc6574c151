//! `cargo +nightly fuzz run plan`
#![no_main]

#[path = "../targets.rs"]
#[expect(dead_code, reason = "each target is one of the functions")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::plan(bytes));
