//! What the README shows is what happens.

use std::fs;

use crate::support::{Folder, cnn, command, repository};

/// The fenced blocks of a language.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = readme.split(&fence).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_readme_shows_what_happens() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let texts = blocks(&readme, "text");
    assert!(cnn(&["run", "lenet5"]).ok().starts_with(&texts[0]), "{}", texts[0]);

    let folder = Folder::new();
    let models = blocks(&readme, "toml");
    folder.file("net.toml", &models[0]);
    cnn(&["check", &folder.at("net.toml")]).ok();
    cnn(&["bench", &folder.at("net.toml"), "--profile", "--iterations", "1"]).ok();

    let wrong = models[0].replace("kernel = 3", "kernel = 70").replace("\"same\"", "1");
    folder.file("net.toml", wrong);
    let output = command()
        .args(["check", "net.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(output.stderr).unwrap().trim_end(),
        texts[1].trim_end()
    );
}

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let commands: Vec<_> = blocks(&readme, "console")
        .iter()
        .map(|block| block.trim_start_matches("$ ").trim().to_owned())
        .collect();
    let ci = fs::read_to_string(repository(".ci/run")).unwrap();
    assert!(ci.lines().any(|line| line == commands[1]), "{commands:?}");
}
