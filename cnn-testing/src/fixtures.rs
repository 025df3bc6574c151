//! The fixtures: each a model file, and beside it a safetensors file with its weights, inputs (`input/NAME`) and outputs
//! (`output/NAME`), which another system computed in f64.

use std::fs;
use std::path::{Path, PathBuf};

/// A fixture's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// Its name, which is its network's.
    pub name: String,
    /// The model file.
    pub model: PathBuf,
    /// Weights, inputs and outputs.
    pub tensors: PathBuf,
}

impl Fixture {
    /// The model file's text.
    pub fn toml(&self) -> String {
        fs::read_to_string(&self.model).unwrap_or_else(|error| panic!("{}: {error}", self.model.display()))
    }
}

/// Where they are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/ops")
}

/// All of them, sorted by name; at least one.
pub fn all() -> Vec<Fixture> {
    let folder = folder();
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable folder").path().canonicalize().expect("a path"));
    let models = paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut fixtures: Vec<Fixture> = models
        .map(|model| Fixture {
            name: model.file_stem().expect("a name").to_string_lossy().into_owned(),
            tensors: model.with_extension("safetensors"),
            model,
        })
        .collect();
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!fixtures.is_empty(), "{}: no fixtures", folder.display());
    fixtures
}
