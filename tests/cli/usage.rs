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
        "--fit",
        "--resize",
        "--crop",
        "--json",
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
fn a_closed_standard_output_is_an_error() {
    let closed = |arguments: &str| {
        let script = format!("exec \"$0\" {arguments} >&-");
        let program = env!("CARGO_BIN_EXE_cnn");
        std::process::Command::new("bash")
            .args(["-c", &script, program])
            .output()
            .unwrap()
    };
    for arguments in ["run lenet5", "summary lenet5", "check lenet5"] {
        let output = closed(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("standard output: it is closed"));
    }
}

#[test]
fn shells_complete_the_words() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = cnn(&["completions", shell]).ok();
        assert!(script.contains("summary") && script.contains("max-memory"), "{shell}");
    }
    cnn(&["completions", "tcsh"]).fails(2, &["bash"]);
}

#[test]
fn more_threads_than_cores_are_not_started() {
    let outcome = cnn(&["run", "lenet5", "--threads", "1000"]);
    assert!(
        outcome.stderr.contains("--threads 1000: this machine has"),
        "{}",
        outcome.stderr
    );
    outcome.ok();
    cnn(&["run", "lenet5", "--threads", "0"]).fails(2, &["from 1 on", "without --threads all cores"]);
}

/// A signal ends the program, and leaves no file that is half written.
#[cfg(unix)]
#[test]
fn signals_leave_no_temporary_files() {
    use std::os::unix::process::ExitStatusExt;
    let folder = crate::support::Folder::new();
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        // Reads from a pipe that nobody closes, having begun nothing; then writes 80 MB of weights.
        let model = folder.file(
            "net.toml",
            "[inputs]\nx = [1000]\n\n[[layer]]\nname = \"d\"\nop = \"dense\"\nunits = 20000\n",
        );
        let mut child = command()
            .args(["emit", &model, "--weights", "random", "-o", &folder.at("out")])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = || folder.entries().iter().any(|entry| entry.starts_with(".cnn-"));
        while !begun() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let killed = std::process::Command::new("kill")
            .args(["-s", name, &child.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
        let status = child.wait().unwrap();
        // It may have been faster.
        assert!(status.signal() == Some(number) || status.success(), "{status}");
        let left = folder.entries();
        assert!(!left.iter().any(|entry| entry.starts_with(".cnn-")), "{left:?}");
        let _ = std::fs::remove_dir_all(folder.at("out"));
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
