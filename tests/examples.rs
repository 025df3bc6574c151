//! Every example prints what its introduction says it prints.
//!
//! `cargo test` builds the examples before this runs; with `--test examples` alone they may be old or missing.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo put the examples: beside the command, in `examples`.
fn binary(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_cnn")).with_file_name("examples");
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The lines between "//! ```output" and "//! ```".
fn promised(source: &str) -> Option<String> {
    let mut lines = source.lines().skip_while(|line| *line != "//! ```output");
    lines.next()?;
    let block = lines.take_while(|line| *line != "//! ```");
    let text = block.map(|line| {
        line.strip_prefix("//!")
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
    });
    Some(text.collect::<Option<Vec<_>>>()?.join("\n"))
}

#[test]
fn examples_print_what_they_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources: Vec<_> = std::fs::read_dir(root.join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    sources.sort();
    assert!(sources.len() >= 10);
    for path in sources {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let source = std::fs::read_to_string(&path).unwrap();
        let expected = promised(&source).unwrap_or_else(|| panic!("{name} does not say what it prints"));
        let output = Command::new(binary(name))
            .current_dir(root)
            .output()
            .unwrap_or_else(|error| panic!("{name} is not built (cargo build --examples): {error}"));
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let printed = String::from_utf8(output.stdout).unwrap();
        let trimmed: Vec<_> = printed.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n").trim_end(), expected, "{name} printed:\n{printed}");
    }
}
