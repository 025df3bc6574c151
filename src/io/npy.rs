//! NumPy's `.npy` files: reading arrays of numbers as f32, writing f32.
//!
//! | module | what it owns |
//! |---|---|
//! | `header` | the header: element type, order, dimensions; checked before anything is allocated |

mod header;

use std::io::{BufReader, Read, Write};
use std::path::Path;

use cnn_ir::op::Meaning;
use cnn_runtime::memory;
use ndarray::{ArrayD, ArrayViewD, IxDyn, ShapeBuilder};

use super::open_regular;
use crate::Error;
use crate::error::bytes;

pub use header::{ElementType, Header, MAGIC};
use header::{Fault, read_header};

/// Elements are converted in pieces of so many bytes, a multiple of every element's.
const PIECE: usize = 1 << 16;

/// Reads an array as f32, in standard (row-major) order whatever the file's. What f32 cannot hold is rounded to the
/// nearest that it can.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] for another element type, a damaged header, fewer or more bytes than the header says, or
/// more than the machine has memory for.
pub fn read(path: &Path) -> Result<ArrayD<f32>, Error> {
    read_within(path, None)
}

/// Reads an array as [`read`] does, taking at most `limit` bytes for it; what the machine has available if `None`.
///
/// # Errors
/// As [`read`].
pub fn read_within(path: &Path, limit: Option<u64>) -> Result<ArrayD<f32>, Error> {
    let (file, length) = open_regular(path)?;
    array(&mut BufReader::new(file), length, limit).map_err(|fault| fault.at(path))
}

/// The shape of a file's array, told from its header.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] as [`read`].
pub fn shape(path: &Path) -> Result<Vec<usize>, Error> {
    let (file, length) = open_regular(path)?;
    let header = read_header(&mut BufReader::new(file), length);
    header.map(|(header, _)| header.shape).map_err(|fault| fault.at(path))
}

/// Reads a `.npy` file's bytes as [`read_within`] does; `origin` names them in messages.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(mut bytes: &[u8], origin: &str, limit: Option<u64>) -> Result<ArrayD<f32>, Error> {
    let length = bytes.len() as u64;
    array(&mut bytes, length, limit).map_err(|fault| fault.at(Path::new(origin)))
}

fn array(reader: &mut impl Read, length: u64, limit: Option<u64>) -> Result<ArrayD<f32>, Fault> {
    let (header, count) = read_header(reader, length)?;
    let orders = if header.fortran_order { 2 } else { 1 };
    let needed = count as u128 * size_of::<f32>() as u128 * orders;
    memory::allow(needed, limit).map_err(|limit| {
        let limit = bytes(u128::from(limit));
        Fault::Content(format!("the array needs {}, but may take {limit}", bytes(needed)))
    })?;
    let elements = elements(reader, &header, count)?;
    let shape = IxDyn(&header.shape).set_f(header.fortran_order);
    // As many elements as the shape says: the header was held against the file's length.
    let array = ArrayD::from_shape_vec(shape, elements).map_err(|error| Fault::Content(error.to_string()))?;
    Ok(match header.fortran_order {
        true => array.as_standard_layout().into_owned(),
        false => array,
    })
}

/// The elements in the file's order.
fn elements(reader: &mut impl Read, header: &Header, count: usize) -> Result<Vec<f32>, Fault> {
    let mut elements = Vec::new();
    if elements.try_reserve_exact(count).is_err() {
        return Err(Fault::Content(format!("no memory for {count} elements")));
    }
    let width = header.element.width();
    let mut bytes = vec![0; PIECE];
    while elements.len() < count {
        let piece = (count - elements.len()).min(PIECE / width) * width;
        reader.read_exact(&mut bytes[..piece])?;
        let read = bytes[..piece].chunks_exact(width);
        elements.extend(read.map(|bytes| header.element.to_f32(bytes, header.big_endian)));
    }
    Ok(elements)
}

/// Writes an array as f32, wholly or not at all.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] if `path` is a directory.
pub fn write(path: &Path, array: ArrayViewD<'_, f32>) -> Result<(), Error> {
    super::atomic::write(path, |file| fill(file, array))
}

/// What numbers are in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// f32.
    #[default]
    Floats,
    /// i64: indices.
    Integers,
    /// Truth values: a mask.
    Booleans,
}

impl From<Meaning> for Numbers {
    fn from(meaning: Meaning) -> Numbers {
        match meaning {
            Meaning::Indices => Numbers::Integers,
            Meaning::Mask => Numbers::Booleans,
            Meaning::Probabilities | Meaning::LogProbabilities | Meaning::Scores | Meaning::Values => Numbers::Floats,
        }
    }
}

/// Writes an array's bytes, for a file that [`super::atomic`] makes.
pub fn fill(file: &mut dyn Write, array: ArrayViewD<'_, f32>) -> std::io::Result<()> {
    fill_as(file, array, Numbers::Floats)
}

/// Writes an array's bytes as [`fill`] does, as numbers of another type that its elements are.
pub fn fill_as(file: &mut dyn Write, array: ArrayViewD<'_, f32>, numbers: Numbers) -> std::io::Result<()> {
    let descr = match numbers {
        Numbers::Floats => "<f4",
        Numbers::Integers => "<i8",
        Numbers::Booleans => "|b1",
    };
    file.write_all(&header::of(descr, array.shape()))?;
    let mut bytes = Vec::with_capacity(PIECE);
    for element in array {
        match numbers {
            Numbers::Floats => bytes.extend(element.to_le_bytes()),
            Numbers::Integers => bytes.extend((*element as i64).to_le_bytes()),
            Numbers::Booleans => bytes.push(u8::from(*element != 0.0)),
        }
        if bytes.len() >= PIECE {
            file.write_all(&bytes)?;
            bytes.clear();
        }
    }
    file.write_all(&bytes)
}

#[cfg(test)]
mod tests;
