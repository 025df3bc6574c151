//! What strangers' bytes go through, one function a format: for cargo-fuzz (`fuzz_targets/`) and for the driver that
//! `cargo test` runs (`tests/fuzz.rs`). None may panic, hang, or take memory that was not counted.

use std::path::Path;

use cnn::io::image::{self, Fit, Preparation};
use cnn::io::npy;
use cnn::ir::text;
use cnn::onnx::{Import, ImportOptions};
use cnn::weights::WeightSource;
use cnn::{Model, Options, Weights};

/// What each may take, in bytes.
pub const MEMORY: u64 = 64 << 20;

/// A format's function, and where files of the format are, below the repository's root, with their endings.
#[derive(Debug)]
pub struct Target {
    /// The format.
    pub name: &'static str,
    /// What its bytes go through.
    pub run: fn(&[u8]),
    /// Folders, and the endings of the files there.
    pub seeds: &'static [(&'static str, &'static str)],
}

/// Every target.
pub const TARGETS: [Target; 7] = [
    Target {
        name: "toml",
        run: toml,
        seeds: &[
            ("cnn-ir/tests/bad", "toml"),
            ("tests/fixtures/ops", "toml"),
            ("examples/models", "toml"),
        ],
    },
    Target {
        name: "text",
        run: ir_text,
        seeds: &[("fuzz/seeds/text", "txt")],
    },
    Target {
        name: "onnx",
        run: onnx,
        seeds: &[("cnn-onnx/tests/models", "onnx"), ("cnn-onnx/tests/hostile", "onnx")],
    },
    Target {
        name: "safetensors",
        run: safetensors,
        seeds: &[("tests/fixtures/ops", "safetensors"), ("tests/fixtures/weights", "pth")],
    },
    Target {
        name: "npy",
        run: npy_array,
        seeds: &[("tests/fixtures/pictures", "npy"), ("tests/fixtures/zoo", "npy")],
    },
    Target {
        name: "picture",
        run: picture,
        seeds: &[
            ("tests/fixtures/pictures", "png"),
            ("tests/fixtures/pictures", "jpg"),
            ("fuzz/seeds/pictures", "png"),
            ("fuzz/seeds/pictures", "jpg"),
            ("fuzz/seeds/pictures", "webp"),
            ("fuzz/seeds/pictures", "bmp"),
            ("fuzz/seeds/pictures", "gif"),
        ],
    },
    Target {
        name: "plan",
        run: plan,
        seeds: &[("tests/fixtures/ops", "toml")],
    },
];

fn options() -> Options {
    Options {
        threads: Some(1),
        max_memory: Some(MEMORY),
        ..Options::default()
    }
}

/// A model file, up to its shapes and what is said about it.
pub fn toml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Model::from_toml(text) {
        Ok(model) => {
            let _ = (model.warnings(true), model.parameters(), model.macs(), model.weights());
        }
        Err(error) => drop(error.to_string()),
    }
}

/// A graph's text form; what reads prints, and what is printed reads.
pub fn ir_text(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    if let Ok(graph) = text::parse(source) {
        let printed = text::print(&graph, None);
        let again = text::parse(&printed).map(|graph| text::print(&graph, None));
        assert_eq!(again.ok(), Some(printed), "text that was printed reads back");
    }
}

/// An ONNX file, up to its declaration.
pub fn onnx(bytes: &[u8]) {
    let path = Path::new("fuzz.onnx");
    let options = ImportOptions {
        max_memory: Some(MEMORY),
        ..ImportOptions::default()
    };
    match Import::from_bytes(bytes.to_vec(), path, &options) {
        Ok(import) => drop(cnn::ir::front::write::toml(&import.net)),
        Err(error) => drop(error.to_string()),
    }
}

/// A file of weights, up to the elements of its small tensors.
pub fn safetensors(bytes: &[u8]) {
    match Weights::from_bytes(bytes.to_vec(), "fuzz") {
        Ok(weights) => {
            for name in weights.names() {
                // Whatever its shape is: the message tells it.
                let _ = weights.tensor(&name, &[1]).map_err(|error| error.to_string());
            }
        }
        Err(error) => drop(error.to_string()),
    }
}

/// An array.
pub fn npy_array(bytes: &[u8]) {
    let _ = npy::from_bytes(bytes, "fuzz", Some(MEMORY)).map_err(|error| error.to_string());
}

/// A picture, each way it can be fitted.
pub fn picture(bytes: &[u8]) {
    for fit in Fit::ALL {
        let how = Preparation {
            fit,
            max_memory: Some(MEMORY),
            ..Preparation::default()
        };
        let _ = image::from_bytes(bytes, "fuzz", [3, 5, 9], &how).map_err(|error| error.to_string());
    }
}

/// A model file, up to its plan, which must be sound.
pub fn plan(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(model) = Model::from_toml(text) else { return };
    match model.plan(&options()) {
        Ok(plan) => assert_eq!(cnn::plan::verify(&plan), Ok(()), "a plan that the planner made"),
        Err(error) => drop(error.to_string()),
    }
}
