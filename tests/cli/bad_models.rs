//! Model files with a mistake: the program names the file, the line and the word.

use std::fs;

use crate::support::{Folder, cnn, repository};

#[test]
fn every_mistake_is_shown_at_its_line() {
    // Their first line says what is expected: `# expect line 12: relu`, `# expect lines 7-10: …`, `… line any: …`
    let mut files: Vec<_> = fs::read_dir(repository("cnn-ir/tests/bad"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let (lines, word) = text.lines().next().unwrap().split_once(": ").unwrap();
        let path = path.to_str().unwrap();
        for command in ["check", "run", "summary", "bench"] {
            let stderr = cnn(&[command, path]).fails(1, &[path, word]);
            let lines = lines.rsplit(' ').next().unwrap();
            let Some(first) = lines.split('-').next().and_then(|line| line.parse::<usize>().ok()) else {
                assert_eq!(lines, "any");
                continue;
            };
            let last = lines.split('-').next_back().unwrap().parse().unwrap();
            let shown = |line| stderr.contains(&format!("{path}:{line}:"));
            assert!(
                (first..=last).any(shown),
                "{path}: no line of {first}–{last} in\n{stderr}"
            );
        }
    }
}

#[test]
fn independent_mistakes_are_shown_together() {
    let folder = Folder::new();
    let text = "[inputs]\nimage = [3, 8, 8]\n\n[[layer]]\nname = \"a\"\nop = \"conv\"\nfilters = 2\nkernel = 9\n\n\
                [[layer]]\nname = \"b\"\nop = \"max_pool\"\nfrom = \"image\"\nsize = 10\n";
    let path = folder.file("net.toml", text);
    cnn(&["check", &path]).fails(1, &["net.toml:8:", "net.toml:14:", "2 errors in"]);
    let misspelt = text.replace("conv", "covn").replace("size", "syze");
    fs::write(&path, misspelt).unwrap();
    cnn(&["check", &path]).fails(
        1,
        &[
            "did you mean `conv`",
            "did you mean `size`",
            "net.toml:6:",
            "net.toml:14:",
        ],
    );
    // A misspelt word and a shape that does not fit.
    fs::write(&path, text.replace("conv", "covn")).unwrap();
    for command in ["check", "run", "summary"] {
        cnn(&[command, &path]).fails(
            1,
            &["did you mean `conv`", "net.toml:6:", "net.toml:14:", "2 errors in"],
        );
    }
}

#[test]
fn a_model_that_is_no_text_file() {
    let folder = Folder::new();
    let latin1 = folder.file("latin1.toml", b"name = \"caf\xe9\"\n");
    cnn(&["check", &latin1]).fails(1, &["latin1.toml", "UTF-8", "line 1"]);
    cnn(&["check", folder.path().to_str().unwrap()]).fails(1, &["found a directory", "latin1.toml"]);
    cnn(&["check", &folder.at("latin2.toml")]).fails(1, &["latin2.toml", "there is `latin1.toml` beside it"]);
    cnn(&["check", &folder.at("nothing.toml")]).fails(1, &["nothing.toml"]);
    cnn(&["check", "lenet"]).fails(1, &["did you mean `lenet5`"]);
    cnn(&["check", "vgg-16"]).fails(
        1,
        &["no such file", "no built-in model is called `vgg-16`", "mean `vgg16`"],
    );
    cnn(&["check", "transformer"]).fails(1, &["no built-in model", "`lenet5`", "`resnet50`"]);
    let long = folder.at("long.toml");
    fs::File::create(&long).unwrap().set_len(17 << 20).unwrap();
    cnn(&["check", &long]).fails(1, &["at most 16.0 MiB, found 17.0 MiB"]);
    let empty = folder.file("empty.toml", "");
    cnn(&["check", &empty]).fails(1, &["empty.toml", "input"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let folder = Folder::new();
    let pipe = folder.at("pipe.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if made.is_ok_and(|status| status.success()) {
        cnn(&["check", &pipe]).fails(1, &["a device or a pipe"]);
        cnn(&["run", "lenet5", "--weights", &pipe]).fails(1, &["a device or a pipe"]);
        cnn(&["run", "lenet5", "--input", &pipe]).fails(1, &["a device or a pipe"]);
    }
    cnn(&["check", "/dev/zero"]).fails(1, &["a device or a pipe"]);
}
