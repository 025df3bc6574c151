//! ONNX files as models and weights.

use std::path::Path;

use cnn_codegen::macros::Imported;

/// Reads a file whose name ends in `.onnx`; `None` for others.
pub(crate) fn import(path: &Path) -> Option<Result<Imported, String>> {
    path.extension().filter(|extension| *extension == "onnx")?;
    Some(read(path))
}

#[cfg(feature = "onnx")]
fn read(path: &Path) -> Result<Imported, String> {
    use cnn_onnx::{Import, ImportOptions};

    let import = Import::open(path, &ImportOptions::default()).map_err(|error| error.to_string())?;
    Ok(Imported {
        net: import.net,
        weights: Box::new(import.weights),
    })
}

#[cfg(not(feature = "onnx"))]
fn read(path: &Path) -> Result<Imported, String> {
    Err(format!(
        "`{}` is an ONNX file: the feature `onnx` of cnn reads it",
        path.display()
    ))
}
