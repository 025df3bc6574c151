//! NumPy's `.npy` files: reading f32, f64 and u8 arrays, writing f32.
//!
//! The header is checked here before anything is allocated: its length, its nesting, and that the file really
//! holds as many bytes as its shape says. The elements are read by the `ndarray-npy` crate.

use std::fmt;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use ndarray::{ArrayD, ArrayViewD};
use ndarray_npy::{ReadNpyExt, ReadableElement, WriteNpyExt};
use py_literal::Value;

use super::open_regular;
use crate::Error;

/// How every `.npy` file begins.
pub const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// More than any header of a plain array; the format would allow 4 GiB.
const MAX_HEADER: usize = 1 << 16;
/// A plain array's header nests two brackets; the parser of Python literals recurses on each.
const MAX_NESTING: usize = 8;
/// ndarray's and NumPy's arrays have at most so many dimensions.
const MAX_RANK: usize = 32;

/// The element types read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// `f4`
    F32,
    /// `f8`, rounded to f32
    F64,
    /// `u1`, taken as 0 … 255
    U8,
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ElementType::F32 => "f32",
            ElementType::F64 => "f64",
            ElementType::U8 => "u8",
        })
    }
}

/// What a file's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Type of the elements.
    pub element: ElementType,
    /// The array's dimensions.
    pub shape: Vec<usize>,
}

/// Reads an array as f32, in standard (row-major) order whatever the file's.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] for another element type, a damaged header, or fewer or more bytes than the
/// header says.
pub fn read(path: &Path) -> Result<ArrayD<f32>, Error> {
    let (file, length) = open_regular(path)?;
    let mut reader = BufReader::new(file);
    let header = read_header(&mut reader, length).map_err(|fault| fault.at(path))?;
    let io = |source| Error::Io {
        action: "read",
        path: path.into(),
        source,
    };
    reader.seek(SeekFrom::Start(0)).map_err(io)?;
    let array = match header.element {
        ElementType::F32 => elements::<f32>(reader, path)?,
        ElementType::F64 => elements::<f64>(reader, path)?.mapv(|value| value as f32),
        ElementType::U8 => elements::<u8>(reader, path)?.mapv(f32::from),
    };
    Ok(array.as_standard_layout().into_owned())
}

fn elements<T: ReadableElement>(reader: impl Read, path: &Path) -> Result<ArrayD<T>, Error> {
    ArrayD::<T>::read_npy(reader).map_err(|error| Error::File {
        path: path.into(),
        problem: format!("not a readable .npy file: {error}"),
    })
}

/// Why a header is refused.
enum Fault {
    Io(std::io::Error),
    Content(String),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Fault::Content("not a .npy file: it ends within the header".into()),
            _ => Fault::Io(error),
        }
    }
}

impl Fault {
    fn at(self, path: &Path) -> Error {
        match self {
            Fault::Io(source) => Error::Io {
                action: "read",
                path: path.into(),
                source,
            },
            Fault::Content(problem) => Error::File {
                path: path.into(),
                problem,
            },
        }
    }
}

fn wrong<T>(problem: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Content(problem.into()))
}

/// Reads and checks the header of a file of `length` bytes.
fn read_header(reader: &mut impl Read, length: u64) -> Result<Header, Fault> {
    let mut start = [0u8; 8];
    reader.read_exact(&mut start)?;
    if !start.starts_with(MAGIC) {
        return wrong("not a .npy file: it does not begin with \\x93NUMPY");
    }
    let (field, size) = match start[6] {
        1 => {
            let mut size = [0u8; 2];
            reader.read_exact(&mut size)?;
            (2, usize::from(u16::from_le_bytes(size)))
        }
        2 | 3 => {
            let mut size = [0u8; 4];
            reader.read_exact(&mut size)?;
            (4, u32::from_le_bytes(size) as usize)
        }
        version => return wrong(format!("expected .npy version 1, 2 or 3, found {version}")),
    };
    if size > MAX_HEADER {
        return wrong(format!("expected a header of at most {MAX_HEADER} bytes, found {size}"));
    }
    let mut text = vec![0u8; size];
    reader.read_exact(&mut text)?;
    let header = parse(&text)?;
    let count = header
        .shape
        .iter()
        .try_fold(1usize, |count, &dim| count.checked_mul(dim));
    let width = match header.element {
        ElementType::F32 => 4,
        ElementType::F64 => 8,
        ElementType::U8 => 1,
    };
    let expected = count.and_then(|count| count.checked_mul(width));
    let present = length.saturating_sub((start.len() + field + size) as u64);
    match expected {
        Some(expected) if expected as u64 == present => Ok(header),
        Some(expected) => wrong(format!(
            "shape {:?} of {} needs {expected} bytes after the header, found {present}",
            header.shape, header.element
        )),
        None => wrong(format!("shape {:?} does not fit into memory", header.shape)),
    }
}

/// Takes the Python dictionary apart that a header is.
fn parse(text: &[u8]) -> Result<Header, Fault> {
    let mut nesting = 0usize;
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => nesting += 1,
            b')' | b']' | b'}' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting > MAX_NESTING {
            return wrong("the header is not that of a plain array");
        }
    }
    let Some(Value::Dict(entries)) = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()) else {
        return wrong("the header is not a dictionary in Python's notation");
    };
    let entry = |key: &str| {
        let found = entries
            .iter()
            .find(|(name, _)| name.as_string().map(String::as_str) == Some(key));
        match found {
            Some((_, value)) => Ok(value),
            None => wrong(format!("the header lacks `{key}`")),
        }
    };
    let element = match entry("descr")? {
        Value::String(text) => match text.trim_start_matches(['<', '>', '=', '|']) {
            "f4" => ElementType::F32,
            "f8" => ElementType::F64,
            "u1" => ElementType::U8,
            _ => return wrong(format!("expected elements of f32, f64 or u8, found {}", describe(text))),
        },
        _ => return wrong("expected elements of f32, f64 or u8, found records"),
    };
    if !matches!(entry("fortran_order")?, Value::Boolean(_)) {
        return wrong("`fortran_order` is neither True nor False");
    }
    let Value::Tuple(dims) = entry("shape")? else {
        return wrong("`shape` is not a tuple");
    };
    if dims.len() > MAX_RANK {
        return wrong(format!("expected at most {MAX_RANK} dimensions, found {}", dims.len()));
    }
    let dim = |value: &Value| match value {
        Value::Integer(number) => usize::try_from(number).ok(),
        _ => None,
    };
    match dims.iter().map(dim).collect() {
        Some(shape) => Ok(Header { element, shape }),
        None => wrong("`shape` holds something else than array dimensions"),
    }
}

/// NumPy's name of an element type: `int64 (<i8)`.
fn describe(code: &str) -> String {
    let Some(kind) = code.chars().find(|c| c.is_ascii_alphabetic() || *c == '?') else {
        return code.escape_debug().to_string();
    };
    let size: Option<u32> = code.rsplit(kind).next().and_then(|size| size.parse().ok());
    let bits = size
        .and_then(|size| size.checked_mul(8))
        .map_or(String::new(), |bits| bits.to_string());
    let name = match kind {
        'i' => format!("int{bits}"),
        'u' => format!("uint{bits}"),
        'f' => format!("float{bits}"),
        'c' => format!("complex{bits}"),
        'b' | '?' => "bool".to_owned(),
        'O' => "Python objects".to_owned(),
        'S' | 'U' | 'a' => "text".to_owned(),
        _ => return code.escape_debug().to_string(),
    };
    format!("{name} ({})", code.escape_debug())
}

/// Writes an array as f32, wholly or not at all.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] if `path` is a directory.
pub fn write(path: &Path, array: ArrayViewD<'_, f32>) -> Result<(), Error> {
    super::atomic::write(path, |file| fill(file, array))
}

/// Writes an array's bytes, for a file that [`super::atomic`] makes.
pub fn fill(file: &mut dyn Write, array: ArrayViewD<'_, f32>) -> std::io::Result<()> {
    use ndarray_npy::WriteNpyError;
    array.write_npy(file).map_err(|error| match error {
        WriteNpyError::Io(error) => error,
        other => std::io::Error::other(other),
    })
}

#[cfg(test)]
mod tests;
