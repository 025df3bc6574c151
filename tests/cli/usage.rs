//! Wrong usage is exit code 2; help, colour and a reader that leaves are as in any command.

use std::process::Stdio;

use crate::support::{cnn, command};

#[test]
fn wrong_usage_is_two() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["run"],
        &["run", "lenet5", "extra"],
        &["run", "lenet5", "--backend", "gpu"],
        &["run", "lenet5", "--threads", "0"],
        &["run", "lenet5", "--batch", "0"],
        &["run", "lenet5", "--batch", "-1"],
        &["run", "lenet5", "--top", "0"],
        &["run", "lenet5", "--max-memory", "lots"],
        &["run", "lenet5", "--weights", "random:x"],
        &["run", "lenet5", "--input", "random:-1"],
        &["run", "lenet5", "--input", ""],
        &["run", "lenet5", "--input", "picture=random"],
        &["run", "lenet5", "--input", "random", "--input", "random"],
        &["run", "lenet5", "--input", "image=random", "--input", "image=random"],
        &["run", "lenet5", "--mean", "x"],
        &["run", "lenet5", "--input", "random", "--mean", "0.5"],
        &["run", "lenet5", "--color", "sometimes"],
        &["dump", "lenet5", "--stage", "cooked"],
        &["dump", "lenet5", "--stage", "rust", "--format", "json"],
        &["dump", "lenet5", "--format", "yaml"],
        &["bench", "lenet5", "--iterations", "0"],
    ] {
        let outcome = cnn(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(
            outcome.stderr.contains("--help") || arguments.is_empty(),
            "{arguments:?}: {}",
            outcome.stderr
        );
    }
    cnn(&["run", "lenet5", "--input", "picture=random"]).fails(2, &["no input `picture`; it has `image`"]);
}

#[test]
fn help_names_everything() {
    let help = cnn(&["--help"]).ok();
    for word in ["run", "check", "summary", "dump", "bench", "lenet5", "--color"] {
        assert!(help.contains(word), "{help}");
    }
    let help = cnn(&["run", "--help"]).ok();
    for word in [
        "--weights",
        "--input",
        "--output",
        "--top",
        "--labels",
        "--mean",
        "--std",
        "--backend",
        "--threads",
        "--batch",
        "--max-memory",
        "--no-optimise",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(cnn(&["--version"]).ok().starts_with("cnn 0."));
}

#[test]
fn colour_only_when_asked_for() {
    assert!(!cnn(&["run", "lenet5"]).ok().contains('\u{1b}'));
    assert!(cnn(&["run", "lenet5", "--color", "always"]).ok().contains('\u{1b}'));
    let error = cnn(&["check", "lenet4", "--color", "always"]);
    assert!(error.stderr.contains('\u{1b}'));
    assert!(!cnn(&["check", "lenet4"]).stderr.contains('\u{1b}'));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for arguments in [
        &["dump", "lenet5", "--format", "json"][..],
        &["summary", "lenet5"],
        &["run", "lenet5"],
    ] {
        let mut child = command()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command().args(["summary", "lenet5"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
}
