//! Networks as Rust source: `dump --stage rust` and the crates that `emit` writes, built and run.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::support::{Folder, cnn, fixture, safetensors};

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

/// What a crate prints that was emitted into `folder`, started with these arguments; else what it says on standard error.
fn start(folder: &str, arguments: &[&str]) -> Result<String, String> {
    // The versions that are here already.
    fs::copy(fixture("Cargo.lock"), Path::new(folder).join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emitted");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--target-dir"])
        .arg(target)
        .arg("--")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    if !output.status.success() {
        return Err(told);
    }
    assert_eq!(told, "", "warnings");
    Ok(String::from_utf8(output.stdout).unwrap())
}

/// What a crate prints that was emitted into `folder`.
fn run(folder: &str) -> String {
    start(folder, &[]).unwrap()
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

/// What a program of C prints that is linked with the library emitted into `folder`.
fn run_c(folder: &str, program: &str, libraries: &[&str]) -> String {
    fs::copy(fixture("Cargo.lock"), Path::new(folder).join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emitted-c");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target-dir"])
        .arg(&target)
        .current_dir(folder)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&built.stderr), "");
    let binary = Path::new(folder).join("program");
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I", folder, "-o"])
        .args([binary.as_os_str(), program.as_ref()])
        .arg(target.join("release/liblenet5.a"))
        .args(libraries)
        .output()
        .unwrap();
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let output = Command::new(binary).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_emitted_c_library_says_what_the_command_says() {
    const PROGRAM: &str = r#"
#include "lenet5.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static float image[LENET5_IMAGE_ELEMENTS], probabilities[2][LENET5_PROBABILITIES_ELEMENTS];

int main(void) {
    char *arena = aligned_alloc(LENET5_ARENA_ALIGNMENT, LENET5_ARENA_BYTES);
    for (size_t i = 0; i < LENET5_IMAGE_ELEMENTS; i++) image[i] = 0.5f;
    if (lenet5_run(image, probabilities[0]) || lenet5_run_in(arena, image, probabilities[1])) return 1;
    for (size_t i = 0; i < LENET5_PROBABILITIES_ELEMENTS; i++) {
        if (probabilities[0][i] != probabilities[1][i]) return 2;
        printf("%.9g\n", probabilities[0][i]);
    }
    int wrong[] = {
        lenet5_run(NULL, probabilities[0]),
        lenet5_run(image, NULL),
        lenet5_run(image, (float *)((char *)probabilities + 1)),
        lenet5_run(image, image + LENET5_IMAGE_ELEMENTS - 1),
        lenet5_run_in(NULL, image, probabilities[0]),
        lenet5_run_in(arena + 4, image, probabilities[0]),
        lenet5_run_in(arena, image, (float *)arena),
        lenet5_run_in(arena, (float *)arena, probabilities[0]),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (wrong[i] != LENET5_ARGUMENT) return 3;
    }
    free(arena);
    return 0;
}
"#;
    let folder = Folder::new();
    let program = folder.file("program.c", PROGRAM);
    let answers = |printed: &str| -> Vec<f32> { printed.lines().map(|line| line.parse().unwrap()).collect() };

    let place = folder.at("c");
    let told = cnn(&["emit", "lenet5", "--c", "-o", &place]).ok();
    assert!(told.contains("the crate `lenet5` with the header `lenet5.h`"), "{told}");
    let libraries = ["-lpthread", "-lm", "-ldl"];
    let printed = answers(&run_c(&place, &program, &libraries));
    assert_eq!(
        answers(&run_c(&place, &format!("{place}/example.c"), &libraries)),
        printed
    );
    let image = folder.at("image.npy");
    cnn::io::npy::write(
        image.as_ref(),
        ndarray::ArrayD::from_elem(vec![1, 32, 32], 0.5f32).view(),
    )
    .unwrap();
    let answer = folder.at("answer.npy");
    cnn(&[
        "run",
        "lenet5",
        "--input",
        &image,
        "--isa",
        "avx2",
        "--threads",
        "1",
        "--output",
        &answer,
    ])
    .ok();
    let answer = cnn::io::npy::read(answer.as_ref()).unwrap();
    for (found, expected) in printed.iter().zip(&answer) {
        assert!((found - expected).abs() < 1e-6, "{printed:?} {answer:?}");
    }

    let place = folder.at("bare");
    cnn(&["emit", "lenet5", "--c", "--no-std", "-o", &place]).ok();
    for (found, expected) in answers(&run_c(&place, &program, &[])).iter().zip(&answer) {
        assert!((found - expected).abs() < 1e-6, "{answer:?}");
    }
}

#[test]
fn nothing_is_overwritten_or_left_half() {
    let folder = Folder::new();
    let taken = folder.file("taken.txt", "mine");
    cnn(&["emit", "lenet5", "-o", folder.path().to_str().unwrap()]).fails(1, &["something in it"]);
    cnn(&["emit", "lenet5", "-o", &taken]).fails(1, &["taken.txt"]);
    for kind in ["--no-std", "--c"] {
        cnn(&["emit", "resnet18", kind, "-o", &folder.at("new")]).fails(2, &["--weights"]);
    }
    cnn(&["emit", "lenet5", "--c", "--threads", "2", "-o", &folder.at("new")]).fails(2, &["--threads"]);
    let weights = fixture("assets/lenet5-mnist.safetensors");
    cnn(&["emit", "resnet18", "--weights", &weights, "-o", &folder.at("new")]).fails(1, &["conv1.weight"]);
    assert_eq!(folder.entries(), ["taken.txt"]);
}

/// A matrix whose weights are read in 16 bits by default, and weights that these do not hold.
#[test]
fn an_emitted_crate_takes_any_weights_if_it_is_exact() {
    const N: usize = 1024;
    const UNITS: usize = 9216;
    let folder = Folder::new();
    let model = folder.file(
        "net.toml",
        "[inputs]\nnumbers = [1024]\n\n[[layer]]\nname = \"sums\"\nop = \"dense\"\nunits = 9216\nbias = false\n",
    );
    let elements: Vec<f32> = (0..N * UNITS)
        .map(|i| ((i * 37 % 1009) as f32 / 1009.0 - 0.5) * if i % 64 == 5 { 1e6 } else { 1.0 })
        .collect();
    let weights = folder.file("w.safetensors", safetensors(&[("sums.weight", &[UNITS, N], &elements)]));
    let (exact, fast) = (folder.at("exact"), folder.at("fast"));
    cnn(&["emit", &model, "--exact", "-o", &exact]).ok();
    let answer = folder.at("answer.npy");
    let input = [
        "--input",
        "random:0",
        "--weights",
        &weights,
        "--exact",
        "--output",
        &answer,
    ];
    cnn(&[&["run", &model][..], &input].concat()).ok();
    let answer = cnn::io::npy::read(answer.as_ref()).unwrap();
    let printed = numbers(&start(&exact, &[&weights]).unwrap());
    assert_eq!(printed, answer.as_slice().unwrap()[..printed.len()]);
    // Written only now: to cargo both are the same package, which it builds anew if files are younger.
    cnn(&["emit", &model, "-o", &fast]).ok();
    let refused = start(&fast, &[&weights]).unwrap_err();
    assert!(
        refused.contains("16 bits do not hold") && refused.contains("`--exact` for `cnn emit`"),
        "{refused}"
    );
}
