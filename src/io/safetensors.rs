//! Writing weights as safetensors files, piece by piece.

use std::io::Error as IoError;
use std::path::Path;

use cnn_ir::op::WeightDecl;
use cnn_runtime::weights::WeightSource;

use super::atomic::{self, Staged};
use crate::Error;

/// Elements that are in memory at once.
const PIECE: usize = 1 << 18;
/// The header is padded with spaces so that the data is aligned.
const ALIGNMENT: usize = 8;

/// Writes a file for `path` with these tensors of `source` as f32, without giving it that name yet.
///
/// # Errors
/// [`Error::Weights`] if a tensor is missing or of another shape, [`Error::Io`], [`Error::File`] if `path` is a directory.
pub fn stage(path: &Path, tensors: &[WeightDecl], source: &dyn WeightSource) -> Result<Staged, Error> {
    let mut problem = None;
    let staged = atomic::stage(path, |file| {
        file.write_all(&header(tensors))?;
        for tensor in tensors {
            let elements = usize::try_from(tensor.elements()).map_err(IoError::other)?;
            let mut start = 0;
            while start < elements {
                let range = start..elements.min(start.saturating_add(PIECE));
                let piece = source
                    .slice(&tensor.name, &tensor.shape, range.clone())
                    .map_err(|error| {
                        let told = IoError::other(error.to_string());
                        problem = Some(error);
                        told
                    })?;
                let bytes: Vec<u8> = piece.iter().flat_map(|one| one.to_le_bytes()).collect();
                file.write_all(&bytes)?;
                source.release(&tensor.name, range.clone());
                start = range.end;
            }
        }
        Ok(())
    });
    match problem {
        Some(problem) => Err(Error::from(problem)),
        None => staged,
    }
}

/// The length and the header: the place of each tensor, in the order of the data.
fn header(tensors: &[WeightDecl]) -> Vec<u8> {
    let mut end = 0u64;
    let mut entries = serde_json::Map::new();
    for tensor in tensors {
        let start = end;
        end = end.saturating_add(tensor.bytes());
        let entry = serde_json::json!({ "dtype": "F32", "shape": tensor.shape, "data_offsets": [start, end] });
        entries.insert(tensor.name.clone(), entry);
    }
    let mut json = serde_json::Value::Object(entries).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(ALIGNMENT), b' ');
    [&(json.len() as u64).to_le_bytes(), &*json].concat()
}
