//! Writes `cnn!` for every fixture and the first random networks, and a table of them.

#[path = "../../cnn-codegen/tests/generator/mod.rs"]
mod generator;

use std::path::{Path, PathBuf};
use std::{env, fs};

use cnn_runtime::weights::SafetensorsFile;

/// How many random networks.
const RANDOM: u64 = 200;

fn main() {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let fixtures = package.join("../fixtures/ops");
    println!("cargo::rerun-if-changed={}", fixtures.display());
    println!("cargo::rerun-if-changed=../../cnn-codegen/tests/generator");
    let mut networks = String::new();
    let mut table = String::new();
    for (index, path) in models(&fixtures).iter().enumerate() {
        let name = path.file_stem().expect("a file's name").to_string_lossy();
        let batch = batch(&path.with_extension("safetensors"));
        networks += &network(&format!("Fixture{index}"), path, batch);
        table += &format!("fixture!({name:?}, {path:?}, Fixture{index}),\n");
    }
    let mut random = String::new();
    for seed in 0..RANDOM {
        let path = out.join(format!("random_{seed}.toml"));
        fs::write(&path, generator::model(seed)).expect("a file can be written");
        networks += &network(&format!("Random{seed}"), &path, 1 + (seed % 2) as usize);
        random += &format!("fixture!(\"{seed}\", {path:?}, Random{seed}),\n");
    }
    let text =
        format!("{networks}\nstatic FIXTURES: &[Case] = &[\n{table}];\nstatic RANDOM: &[Case] = &[\n{random}];\n");
    fs::write(out.join("networks.rs"), text).expect("a file can be written");
}

/// The model files of a folder.
fn models(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the fixtures' folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path().canonicalize().expect("a path"))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    paths
}

/// Images of a fixture's inputs.
fn batch(path: &Path) -> usize {
    let file = SafetensorsFile::open(path).expect("a safetensors file");
    let names = cnn_runtime::weights::WeightSource::names(&file);
    let input = names.iter().find(|name| name.starts_with("input/")).expect("an input");
    file.info(input).expect("its shape").0[0]
}

fn network(name: &str, path: &Path, batch: usize) -> String {
    format!("cnn::cnn! {{ network {name} = {path:?}, batch = {batch}; }}\n")
}
