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
        let entries = tensors
            .iter()
            .map(|tensor| (&*tensor.name, &*tensor.shape, "F32", tensor.bytes()));
        file.write_all(&header(entries))?;
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

/// A tensor that is in memory.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its dimensions, outermost first.
    pub shape: &'a [usize],
    /// As many elements as the product of these.
    pub elements: Elements<'a>,
}

/// Elements of a tensor that is in memory.
#[derive(Clone, Copy, Debug)]
pub enum Elements<'a> {
    /// Floats.
    F32(&'a [f32]),
    /// 8-bit integers.
    I8(&'a [i8]),
}

impl Elements<'_> {
    /// Their type in safetensors' notation, and their bytes.
    fn stored(&self) -> (&'static str, u64) {
        match self {
            Elements::F32(floats) => ("F32", size_of_val(*floats) as u64),
            Elements::I8(integers) => ("I8", integers.len() as u64),
        }
    }
}

/// Writes a file for `path` with these tensors, in their order, without giving it that name yet.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] if `path` is a directory.
pub fn stage_tensors(path: &Path, tensors: &[Tensor<'_>]) -> Result<Staged, Error> {
    let entries = tensors.iter().map(|tensor| {
        let (dtype, bytes) = tensor.elements.stored();
        (tensor.name, tensor.shape, dtype, bytes)
    });
    let header = header(entries);
    atomic::stage(path, |file| {
        file.write_all(&header)?;
        for tensor in tensors {
            match tensor.elements {
                Elements::F32(floats) => {
                    for piece in floats.chunks(PIECE) {
                        let bytes: Vec<u8> = piece.iter().flat_map(|one| one.to_le_bytes()).collect();
                        file.write_all(&bytes)?;
                    }
                }
                Elements::I8(integers) => {
                    for piece in integers.chunks(PIECE) {
                        let bytes: Vec<u8> = piece.iter().map(|one| one.cast_unsigned()).collect();
                        file.write_all(&bytes)?;
                    }
                }
            }
        }
        Ok(())
    })
}

/// The length and the header: name, shape, type and bytes of each tensor, in the order of the data.
fn header<'a>(tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a str, u64)>) -> Vec<u8> {
    let mut end = 0u64;
    let mut entries = serde_json::Map::new();
    for (name, shape, dtype, bytes) in tensors {
        let start = end;
        end = end.saturating_add(bytes);
        let entry = serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] });
        entries.insert(name.to_owned(), entry);
    }
    let mut json = serde_json::Value::Object(entries).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(ALIGNMENT), b' ');
    [&(json.len() as u64).to_le_bytes(), &*json].concat()
}
