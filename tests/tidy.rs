//! The house rules that a program can check.

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST: usize = 500;

/// Every Rust file of the workspace.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if !name.starts_with('.') && !matches!(name, "target" | "node_modules") {
                    walk(&path, files);
                }
            } else if name.ends_with(".rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(root, &mut files);
    files.sort();
    assert!(files.len() > 50);
    let relative = |path: &PathBuf| path.strip_prefix(root).unwrap().to_path_buf();
    files
        .iter()
        .map(|path| (relative(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The code of a line: without comments and without what stands in simple strings.
fn code(line: &str) -> String {
    let mut code = String::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if !quoted && rest.peek() == Some(&'/') => break,
            _ if !quoted => code.push(c),
            _ => {}
        }
    }
    code
}

fn offences(rule: impl Fn(&Path, &str) -> Vec<String>) -> String {
    let found = sources().into_iter().flat_map(|(path, text)| {
        rule(&path, &text)
            .into_iter()
            .map(move |offence| format!("{}: {offence}", path.display()))
    });
    found.collect::<Vec<_>>().join("\n")
}

/// Lines of code that hold one of the words.
fn lines_with(text: &str, words: &[&str]) -> Vec<String> {
    let lines = text.lines().enumerate();
    let guilty = lines.filter(|(_, line)| words.iter().any(|word| code(line).contains(word)));
    guilty
        .map(|(number, line)| format!("line {}: {}", number + 1, line.trim()))
        .collect()
}

#[test]
fn files_are_short() {
    let long = offences(|_, text| {
        let lines = text.lines().count();
        if lines > LONGEST {
            vec![format!("{lines} lines")]
        } else {
            Vec::new()
        }
    });
    assert_eq!(long, "");
}

#[test]
fn files_begin_by_saying_what_they_own() {
    let silent = offences(|_, text| {
        if text.starts_with("//! ") {
            Vec::new()
        } else {
            vec!["no `//! …`".to_owned()]
        }
    });
    assert_eq!(silent, "");
}

#[test]
fn nothing_is_left_for_later() {
    // In two parts, so that this file does not accuse itself.
    let stubs = [
        concat!("to", "do!"),
        concat!("unimpl", "emented!"),
        concat!("db", "g!("),
    ];
    assert_eq!(offences(|_, text| lines_with(text, &stubs)), "");
    let ignored = [
        concat!("#[ig", "nore]"), // without a reason
        concat!("#[should_", "panic"),
        concat!("#[al", "low("),
    ];
    assert_eq!(offences(|_, text| lines_with(text, &ignored)), "");
}

#[test]
fn unsafe_code_stays_where_it_belongs() {
    // In `rust` the word stands in code that is emitted.
    const FOLDERS: [&str; 8] = [
        "cnn-capi",
        "cnn-runtime",
        "cnn-codegen/src/jit",
        "cnn-codegen/src/rust",
        "cnn-codegen/src/tile",
        "cnn-codegen/examples",
        "src/cli/system.rs",
        "src/rust/c.rs",
    ];
    let strays = offences(|path, text| {
        if FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            return Vec::new();
        }
        let word = concat!("un", "safe");
        lines_with(
            text,
            &[
                &format!("{word} {{"),
                &format!("{word} fn"),
                &format!("{word} impl"),
                &format!("{word} extern"),
            ],
        )
    });
    assert_eq!(strays, "");
}

#[test]
fn crates_depend_on_each_other_in_one_direction() {
    let dependencies = |folder: &str| {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.toml")).unwrap();
        let section = text
            .split("\n[dependencies]")
            .nth(1)
            .unwrap()
            .split("\n[")
            .next()
            .unwrap()
            .to_owned();
        let mut names: Vec<_> = section
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .filter(|name| name.starts_with("cnn"))
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    };
    assert_eq!(dependencies("cnn-types"), [""; 0]);
    assert_eq!(dependencies("cnn-ir"), ["cnn-types"]);
    assert_eq!(dependencies("cnn-runtime"), ["cnn-types"]);
    assert_eq!(dependencies("cnn-codegen"), ["cnn-ir", "cnn-runtime", "cnn-types"]);
    assert_eq!(dependencies("cnn-explain"), ["cnn-codegen", "cnn-ir", "cnn-runtime"]);
    assert_eq!(dependencies("cnn-macros"), ["cnn-codegen", "cnn-onnx"]);
    // The interpreter folds what a file computes from constants.
    assert_eq!(dependencies("cnn-onnx"), ["cnn-codegen", "cnn-ir", "cnn-runtime"]);
    assert_eq!(
        dependencies(""),
        [
            "cnn-codegen",
            "cnn-explain",
            "cnn-ir",
            "cnn-macros",
            "cnn-onnx",
            "cnn-runtime",
            "cnn-types"
        ]
    );
}

/// The folder of the crate that a file belongs to.
fn crate_of(file: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = file.ancestors().skip(1);
    let folder = folders.find(|folder| root.join(folder).join("Cargo.toml").exists());
    folder.unwrap_or(Path::new("")).to_path_buf()
}

#[test]
fn no_file_is_taken_from_another_crate() {
    // A package holds the files of one crate, and could not be built from them.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let taken = offences(|path, text| {
        let manifest = fs::read_to_string(root.join(crate_of(path)).join("Cargo.toml")).unwrap();
        if manifest.contains("publish = false") {
            return Vec::new();
        }
        // Tests are no part of what is built from a package.
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let words = ["include!(\"", "include_str!(\"", "include_bytes!(\"", "#[path = \""];
        let named = words.iter().flat_map(|word| text.split(word).skip(1));
        let files = named.filter_map(|rest| rest.split('"').next());
        let mut strays = Vec::new();
        for file in files {
            let mut target = path.parent().unwrap_or(Path::new("")).to_path_buf();
            for part in Path::new(file).components() {
                if part.as_os_str() == ".." {
                    target.pop();
                } else {
                    target.push(part);
                }
            }
            if crate_of(&target) != crate_of(path) {
                strays.push(format!("takes `{}`", target.display()));
            }
        }
        strays
    });
    assert_eq!(taken, "");
}

#[test]
fn paths_to_what_is_published_carry_a_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = sources().iter().map(|(path, _)| crate_of(path)).collect();
    folders.sort();
    folders.dedup();
    assert!(folders.len() > 10);
    for folder in folders {
        let text = fs::read_to_string(root.join(&folder).join("Cargo.toml")).unwrap();
        // Publishing leaves out what only tests need.
        let mut tests = false;
        for line in text.lines() {
            if line.starts_with('[') {
                tests = line.contains("dev-dependencies");
            }
            let is_path = line.contains("{ path = ") && !line.contains("version = ");
            let unpublished = text.contains("publish = false") || line.starts_with("cnn-testing");
            assert!(!is_path || tests || unpublished, "{}: {line}", folder.display());
        }
    }
}

#[test]
fn matches_over_operators_are_complete() {
    // By the form that rustfmt gives: an arm for all the rest in a match that has an arm for an operator or for a plan's
    // work. A question about one of them is an `if let`.
    let of_these = |pattern: &str| {
        ["Op::", "Work::"].iter().any(|name| {
            pattern.match_indices(name).any(|(at, _)| {
                let before = pattern[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
            })
        })
    };
    let is_rest = |arm: &str| {
        let pattern = arm.split("=>").next().unwrap_or_default().trim();
        arm.contains("=>") && !pattern.is_empty() && pattern.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let lazy = offences(|path, text| {
        let part = |name: &str| path.components().any(|part| part.as_os_str() == name);
        // A pass leaves what it does not know as it is, and that is right for an operator to come.
        if part("tests") || part("tests.rs") || path.starts_with("cnn-ir/src/passes") {
            return Vec::new();
        }
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines: Vec<_> = text.lines().map(code).collect();
        let indent = |line: &str| line.len() - line.trim_start().len();
        let lazy = lines.iter().enumerate().filter(|(number, line)| {
            let siblings = lines[..*number]
                .iter()
                .rev()
                .take_while(|before| before.trim().is_empty() || indent(before) >= indent(line));
            let mut arms = siblings.filter(|before| indent(before) == indent(line));
            is_rest(line) && arms.any(|arm| of_these(arm.split("=>").next().unwrap_or_default()))
        });
        lazy.map(|(number, _)| format!("line {}: an arm for all other operators", number + 1))
            .collect()
    });
    assert_eq!(lazy, "");
}
