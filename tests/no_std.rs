//! The example without a standard library is built as its users would build it, and reads its digit.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

#[test]
fn the_example_without_a_standard_library_reads_its_digit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/no_std");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(&folder)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "it does not build: {built}");
    let run = Command::new(target.join("debug/no-std-digit"))
        .status()
        .expect("it runs");
    assert_eq!(run.code(), Some(7), "{run}");
}
