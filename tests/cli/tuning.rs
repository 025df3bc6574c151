//! `--tune`: measured times in plans, and a cache that is a help, never a hindrance.

use crate::support::{Folder, Outcome, command};

const NET: &str = "[inputs]\nimage = [8, 12, 12]\n\n[[layer]]\nname = \"c\"\nop = \"conv\"\nfilters = 8\nkernel = 3\n";

#[track_caller]
fn tuned(cache: &str, arguments: &[&str]) -> Outcome {
    let output = command().env("CNN_CACHE", cache).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[test]
fn plans_show_measured_times_and_they_are_remembered() {
    let folder = Folder::new();
    let model = folder.file("net.toml", NET);
    let cache = folder.at("cache");
    let plan = |more: &[&str]| {
        let arguments = [&["dump", &model, "--stage", "planned", "--threads", "1"], more].concat();
        let outcome = tuned(&cache, &arguments);
        assert_eq!(outcome.stderr, "");
        outcome.ok()
    };
    assert!(!plan(&[]).contains("measured"));
    assert!(!plan(&["--tune", "0"]).contains("measured"));
    assert_eq!(folder.entries(), ["net.toml"]);
    let first = plan(&["--tune"]);
    for words in ["predicted direct", "; measured direct", "Winograd F(4×4, 3×3)"] {
        assert!(first.contains(words), "{words}: {first}");
    }
    assert_eq!(plan(&["--tune", "0"]), first);
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 1);
    tuned(
        &cache,
        &["run", &model, "--weights", "random", "--input", "random", "--tune=1"],
    )
    .ok();
    tuned(
        &cache,
        &["bench", &model, "--iterations", "1", "--tune", "0.5", "--threads", "2"],
    )
    .ok();
}

#[test]
fn a_damaged_cache_is_a_warning() {
    let folder = Folder::new();
    let model = folder.file("net.toml", NET);
    folder.file("tune.json", "{\"machine\"");
    let outcome = tuned(&folder.at(""), &["dump", &model, "--stage", "planned", "--tune", "0.5"]);
    assert!(outcome.stderr.starts_with("warning: "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("tune.json"), "{}", outcome.stderr);
    assert!(outcome.ok().contains("measured direct"));

    // Nothing can be made below a file.
    let outcome = tuned(&model, &["dump", &model, "--stage", "planned", "--tune", "0.5"]);
    assert!(outcome.stderr.contains("are not remembered"), "{}", outcome.stderr);
    assert!(outcome.ok().contains("measured direct"));
}

#[test]
fn what_was_not_measured_is_said() {
    let folder = Folder::new();
    let arguments = |model| ["dump", model, "--stage", "planned", "--tune", "0.000001"];
    let model = folder.file("net.toml", NET);
    let outcome = tuned(&folder.at("cache"), &arguments(&model));
    assert!(
        outcome.stderr.contains("1 of 1 kinds of convolutions keep"),
        "{}",
        outcome.stderr
    );
    let model = folder.file("pointwise.toml", NET.replace("kernel = 3", "kernel = 1"));
    let outcome = tuned(&folder.at("cache"), &arguments(&model));
    assert!(outcome.stderr.contains("nothing to tune"), "{}", outcome.stderr);
}
