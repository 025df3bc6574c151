//! C and C++ programs against the library: plain, under AddressSanitizer and under valgrind.
//!
//! What the machine has no tool for is skipped with a message, unless `CNN_C_TOOLS=required`.

use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The library that was built for this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap();
    let library = folder.join("libcnn_capi.so");
    assert!(library.exists(), "{} was not built", library.display());
    library
}

/// Whether a tool is there; says so if it is not.
fn has(tool: &str) -> bool {
    let there = Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|done| done.status.success());
    if !there {
        let required = std::env::var("CNN_C_TOOLS").is_ok_and(|tools| tools == "required");
        assert!(!required, "`{tool}` is not there");
        // A test's words are shown with `--nocapture`.
        eprintln_skipped(tool);
    }
    there
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn eprintln_skipped(tool: &str) {
    eprintln!("skipped: there is no `{tool}`");
}

/// Compiles a program, and gives what it prints; it must end well. `around` runs it.
fn run(source: &str, flags: &[&str], around: &[&str]) -> Option<String> {
    let compiler = if source.ends_with(".cpp") { "c++" } else { "cc" };
    if !has(compiler) || around.first().is_some_and(|tool| !has(tool)) {
        return None;
    }
    let library = library();
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("program");
    // Under the name that the program asks for at run time.
    std::os::unix::fs::symlink(&library, place.path().join("libcnn.so.0")).unwrap();
    let mut compile = Command::new(compiler);
    compile
        .args(["-Wall", "-Wextra", "-Werror", "-g", "-O1", "-pthread"])
        .args(flags);
    compile
        .arg("-I")
        .arg(folder().join("include"))
        .arg(folder().join(source))
        .arg("-o")
        .arg(&program);
    compile.arg(place.path().join("libcnn.so.0"));
    let done = compile.output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    if errors.contains("cannot find") && errors.contains("san") {
        return has("AddressSanitizer's library").then(String::new);
    }
    assert!(done.status.success(), "{source}: {errors}");
    let mut command = match around {
        [tool, options @ ..] => {
            let mut command = Command::new(tool);
            command.args(options).arg(&program);
            command
        }
        [] => Command::new(&program),
    };
    let done = command.env("LD_LIBRARY_PATH", place.path()).output().unwrap();
    let (out, errors) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{source} {flags:?} {around:?}: {out}{errors}");
    Some(out.into_owned())
}

const SANITIZED: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const VALGRIND: &[&str] = &[
    "valgrind",
    "--quiet",
    "--error-exitcode=9",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
];

fn everywhere(source: &str, check: impl Fn(&str)) {
    for (flags, around) in [(&[][..], &[][..]), (SANITIZED, &[]), (&[], VALGRIND)] {
        if let Some(out) = run(source, flags, around) {
            check(&out);
        }
    }
}

#[test]
fn the_example_in_c() {
    everywhere("examples/digit.c", |out| {
        for words in [
            "lenet5 takes 1024 numbers (image) and gives 10 (probabilities)",
            "class ",
            "a short buffer: input `probabilities`: expected 10 elements for shape [1, 10], found 9",
            "after closing: the network was closed, or never loaded",
        ] {
            assert!(out.contains(words), "{out}");
        }
    });
}

#[test]
fn the_example_in_cpp() {
    everywhere("examples/threads.cpp", |out| {
        for words in ["8 threads: the same bits", "expected 1024 elements", "no such file: "] {
            assert!(out.contains(words), "{out}");
        }
    });
}

#[test]
fn whatever_is_given_wrongly() {
    everywhere("tests/misuse.c", |out| assert_eq!(out, "0 failures\n"));
}
