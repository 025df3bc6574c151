//! Writes `cnn!` for every fixture and the first random networks, and a table of them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use cnn_runtime::weights::SafetensorsFile;
use cnn_testing::{fixtures, random};

/// How many random networks.
const RANDOM: u64 = 200;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed={}", fixtures::folder().display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut networks = String::new();
    let mut table = String::new();
    for (index, fixture) in fixtures::all().iter().enumerate() {
        let (name, path) = (&fixture.name, &fixture.model);
        networks += &network(&format!("Fixture{index}"), path, batch(&fixture.tensors));
        table += &format!("fixture!({name:?}, {path:?}, Fixture{index}),\n");
    }
    let mut made_up = String::new();
    for seed in 0..RANDOM {
        let path = out.join(format!("random_{seed}.toml"));
        fs::write(&path, random::model(seed)).expect("a file can be written");
        networks += &network(&format!("Random{seed}"), &path, 1 + (seed % 2) as usize);
        made_up += &format!("fixture!(\"{seed}\", {path:?}, Random{seed}),\n");
    }
    let text =
        format!("{networks}\nstatic FIXTURES: &[Case] = &[\n{table}];\nstatic RANDOM: &[Case] = &[\n{made_up}];\n");
    fs::write(out.join("networks.rs"), text).expect("a file can be written");
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
