//! The README's Rust code is compiled as its readers would compile it: in a crate of their own, with the features that the
//! section names, and no others.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Each section with Rust code, the features it is compiled with, and what else its code names.
const SECTIONS: [(&str, &[&str], &str); 4] = [
    ("As a library", &["jit"], "ndarray = \"0.17\"\n"),
    ("In Rust, at compile time", &["macros", "std"], ""),
    ("In Rust, at compile time", &["macros", "ndarray"], ""),
    ("In Rust, at compile time", &["macros", "jit"], ""),
];

/// The Rust blocks of a section, the lines that doc tests hide shown.
fn blocks(readme: &str, title: &str) -> Vec<String> {
    let start = readme
        .find(&format!("## {title}\n"))
        .unwrap_or_else(|| panic!("no section `{title}`"));
    let section = readme[start + 3..].split("\n## ").next().unwrap();
    let parts = section.split("```rust\n").skip(1);
    let block = |part: &str| {
        let code = part.split("```").next().unwrap();
        let lines = code.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    };
    parts.map(block).collect()
}

#[test]
fn the_readmes_code_compiles_with_the_features_that_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let all = readme.matches("```rust\n").count();
    let mut seen = std::collections::HashSet::new();
    for (title, features, dependencies) in SECTIONS {
        let blocks = blocks(&readme, title);
        seen.extend(blocks.iter().cloned());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme-{}", features.join("-")));
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"reader\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}\
             cnn = {{ path = {root:?}, default-features = false, features = {features:?} }}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        // The versions that are here already.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        // The last line of a block says which error its `?` gives.
        let functions = blocks.iter().enumerate().map(|(number, code)| {
            let body = match code.trim_end().ends_with("(())") {
                true => code.clone(),
                false => format!("{code}\nOk::<(), Box<dyn std::error::Error>>(())"),
            };
            format!(
                "fn block_{number}() -> Result<(), Box<dyn std::error::Error>> {{\nOk((|| {{\n{body}\n}})()?)\n}}\n"
            )
        });
        let calls: String = (0..blocks.len())
            .map(|number| format!("    block_{number}()?;\n"))
            .collect();
        let main = format!("fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{calls}    Ok(())\n}}\n");
        fs::write(folder.join("src/main.rs"), functions.collect::<String>() + &main).unwrap();
        let output = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--target-dir"])
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme"))
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{title} with {features:?}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(seen.len(), all, "every block is compiled");
}
