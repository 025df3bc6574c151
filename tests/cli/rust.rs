//! Networks as Rust source: `dump --stage rust` and the crates that `emit` writes, built and run.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::support::{Folder, cnn, fixture};

#[test]
fn the_source_is_formatted_and_the_same_every_time() {
    let dump = || cnn(&["dump", "lenet5", "--stage", "rust"]).ok();
    let source = dump();
    assert_eq!(source, dump());
    for words in [
        "pub struct Lenet5(::cnn::rt::Network<Lenet5>);\n",
        "    pub const INPUT_SHAPE: [usize; 3usize] = [1usize, 32usize, 32usize];\n",
        "    pub const PARAMETERS: u64 = 61706u64;\n",
        "vfmadd231ps ymm",
        "        pub fn run(&self, image: &[[[f32; 32]; 32]; 1]) -> [f32; 10] {\n",
    ] {
        assert!(source.contains(words), "{words}");
    }
    cnn(&["dump", "lenet5", "--stage", "rust", "--format", "dot"]).fails(2, &["`rust`", "text"]);
}

/// What a crate prints that was emitted into `folder`.
fn run(folder: &str) -> String {
    // The versions that are here already.
    fs::copy(fixture("Cargo.lock"), Path::new(folder).join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emitted");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--target-dir"])
        .arg(target)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "warnings");
    String::from_utf8(output.stdout).unwrap()
}

/// Numbers between brackets.
fn numbers(text: &str) -> Vec<f32> {
    let list = text.split(['[', ']']).nth(1).unwrap();
    list.split(", ").map(|number| number.parse().unwrap()).collect()
}

#[test]
fn an_emitted_crate_stands_alone() {
    let folder = Folder::new();
    let place = folder.at("new/lenet");
    let told = cnn(&["emit", "lenet5", "-o", &place]).ok();
    assert!(told.contains("the crate `lenet5` with the type `Lenet5`"), "{told}");
    let output = folder.at("answer.npy");
    cnn(&["run", "lenet5", "--input", "random:0", "--output", &output]).ok();
    let answer = cnn::io::npy::read(output.as_ref()).unwrap();
    assert_eq!(numbers(&run(&place)), answer.as_slice().unwrap());
}

#[test]
fn an_emitted_crate_needs_no_standard_library() {
    let folder = Folder::new();
    let place = folder.at("small");
    cnn(&["emit", "lenet5", "--no-std", "-o", &place]).ok();
    assert!(
        fs::read_to_string(folder.at("small/src/lib.rs"))
            .unwrap()
            .contains("\n#![no_std]\n")
    );
    let printed = numbers(&run(&place));
    assert_eq!(printed.len(), 10);
    assert!((printed.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{printed:?}");
}

#[test]
fn nothing_is_overwritten_or_left_half() {
    let folder = Folder::new();
    let taken = folder.file("taken.txt", "mine");
    cnn(&["emit", "lenet5", "-o", folder.path().to_str().unwrap()]).fails(1, &["something in it"]);
    cnn(&["emit", "lenet5", "-o", &taken]).fails(1, &["taken.txt"]);
    cnn(&["emit", "resnet18", "--no-std", "-o", &folder.at("new")]).fails(2, &["--weights"]);
    let weights = fixture("assets/lenet5-mnist.safetensors");
    cnn(&["emit", "resnet18", "--weights", &weights, "-o", &folder.at("new")]).fails(1, &["conv1.weight"]);
    assert_eq!(folder.entries(), ["taken.txt"]);
}
