//! The header of a `.npy` file: a dictionary in Python's notation, of which only what plain arrays of numbers need is
//! understood.

use std::fmt;
use std::io::Read;
use std::path::Path;

use half::f16;

use crate::Error;

/// How every `.npy` file begins.
pub const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// More than any header of a plain array; the format would allow 4 GiB.
const MAX_HEADER: usize = 1 << 16;
/// ndarray's and NumPy's arrays have at most so many dimensions.
const MAX_RANK: usize = 32;
/// Elements begin at a multiple of so many bytes.
const ALIGNMENT: usize = 64;

/// The element types read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// `f2`
    F16,
    /// `f4`
    F32,
    /// `f8`, rounded to f32
    F64,
    /// `i1`
    I8,
    /// `i2`
    I16,
    /// `i4`, rounded to f32
    I32,
    /// `i8`, rounded to f32
    I64,
    /// `u1`, taken as 0 … 255
    U8,
    /// `u2`
    U16,
    /// `u4`, rounded to f32
    U32,
    /// `u8`, rounded to f32
    U64,
}

impl ElementType {
    /// All of them with NumPy's codes.
    const CODES: [(&str, ElementType); 11] = [
        ("f2", ElementType::F16),
        ("f4", ElementType::F32),
        ("f8", ElementType::F64),
        ("i1", ElementType::I8),
        ("i2", ElementType::I16),
        ("i4", ElementType::I32),
        ("i8", ElementType::I64),
        ("u1", ElementType::U8),
        ("u2", ElementType::U16),
        ("u4", ElementType::U32),
        ("u8", ElementType::U64),
    ];

    /// Bytes of an element.
    pub(super) fn width(self) -> usize {
        match self {
            ElementType::I8 | ElementType::U8 => 1,
            ElementType::F16 | ElementType::I16 | ElementType::U16 => 2,
            ElementType::F32 | ElementType::I32 | ElementType::U32 => 4,
            ElementType::F64 | ElementType::I64 | ElementType::U64 => 8,
        }
    }

    /// An element of [`width`](Self::width) bytes.
    pub(super) fn to_f32(self, bytes: &[u8], big_endian: bool) -> f32 {
        let mut little = [0; 8];
        let little_endian = &mut little[..bytes.len()];
        little_endian.copy_from_slice(bytes);
        if big_endian {
            little_endian.reverse();
        }
        // Zeros fill what a narrow element leaves; a narrow signed one is shifted up and down again for its sign.
        let bits = u64::from_le_bytes(little);
        let signed = |width: u32| (bits << (64 - width)) as i64 >> (64 - width);
        match self {
            ElementType::F16 => f16::from_bits(bits as u16).to_f32(),
            ElementType::F32 => f32::from_bits(bits as u32),
            ElementType::F64 => f64::from_bits(bits) as f32,
            ElementType::I8 => signed(8) as f32,
            ElementType::I16 => signed(16) as f32,
            ElementType::I32 => signed(32) as f32,
            ElementType::I64 => signed(64) as f32,
            ElementType::U8 | ElementType::U16 | ElementType::U32 | ElementType::U64 => bits as f32,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ElementType::F16 => "f16",
            ElementType::F32 => "f32",
            ElementType::F64 => "f64",
            ElementType::I8 => "i8",
            ElementType::I16 => "i16",
            ElementType::I32 => "i32",
            ElementType::I64 => "i64",
            ElementType::U8 => "u8",
            ElementType::U16 => "u16",
            ElementType::U32 => "u32",
            ElementType::U64 => "u64",
        })
    }
}

/// What a file's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Type of the elements.
    pub element: ElementType,
    /// Whether an element's most significant byte comes first.
    pub big_endian: bool,
    /// Whether the first index runs fastest.
    pub fortran_order: bool,
    /// The array's dimensions.
    pub shape: Vec<usize>,
}

/// The header of an array in standard order whose elements numpy calls so.
pub(super) fn of(descr: &str, shape: &[usize]) -> Vec<u8> {
    let dims: Vec<_> = shape.iter().map(usize::to_string).collect();
    // A tuple of one has a comma.
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut text = format!(
        "{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}{comma})}}",
        dims.join(", ")
    );
    let before = MAGIC.len() + 4; // the version, and the header's length
    let length = (before + text.len() + 1).next_multiple_of(ALIGNMENT) - before;
    text.extend(std::iter::repeat_n(' ', length - text.len() - 1));
    text.push('\n');
    let mut header = MAGIC.to_vec();
    header.extend([1, 0]);
    // At most 32 dimensions of 20 digits: far below 64 KiB.
    header.extend((length as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header
}

/// Why a file is refused.
pub(super) enum Fault {
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
    pub(super) fn at(self, path: &Path) -> Error {
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

/// Reads and checks the header of a file of `length` bytes, and counts its elements.
pub(super) fn read_header(reader: &mut impl Read, length: u64) -> Result<(Header, usize), Fault> {
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
    let sizes = count.and_then(|count| Some((count, count.checked_mul(header.element.width())?)));
    let present = length.saturating_sub((start.len() + field + size) as u64);
    match sizes {
        Some((count, bytes)) if bytes as u64 == present => Ok((header, count)),
        Some((_, bytes)) => wrong(format!(
            "shape {:?} of {} needs {bytes} bytes after the header, found {present}",
            header.shape, header.element
        )),
        None => wrong(format!("shape {:?} does not fit into memory", header.shape)),
    }
}

/// Takes the Python dictionary apart that a header is.
fn parse(text: &[u8]) -> Result<Header, Fault> {
    let entries = std::str::from_utf8(text).ok().and_then(entries);
    let Some(entries) = entries else {
        return wrong("the header is not a dictionary in Python's notation");
    };
    let entry = |key: &str| match entries.iter().find(|(name, _)| *name == key) {
        Some((_, value)) => Ok(value),
        None => wrong(format!("the header lacks `{key}`")),
    };
    const TYPES: &str = "expected elements of f16, f32, f64 or integers of 8 to 64 bits";
    let (element, big_endian) = match entry("descr")? {
        Value::Text(text) => {
            let code = text.trim_start_matches(['<', '>', '=', '|']);
            match ElementType::CODES.iter().find(|(one, _)| *one == code) {
                Some(&(_, element)) => (element, text.starts_with('>')),
                None => return wrong(format!("{TYPES}, found {}", describe(text))),
            }
        }
        Value::Word(_) | Value::Tuple(_) | Value::Other => return wrong(format!("{TYPES}, found records")),
    };
    let fortran_order = match entry("fortran_order")? {
        Value::Word("True") => true,
        Value::Word("False") => false,
        _ => return wrong("`fortran_order` is neither True nor False"),
    };
    let Value::Tuple(dims) = entry("shape")? else {
        return wrong("`shape` is not a tuple");
    };
    if dims.len() > MAX_RANK {
        return wrong(format!("expected at most {MAX_RANK} dimensions, found {}", dims.len()));
    }
    // Python 2 marks its long integers.
    match dims.iter().map(|dim| dim.trim_end_matches('L').parse().ok()).collect() {
        Some(shape) => Ok(Header {
            element,
            big_endian,
            fortran_order,
            shape,
        }),
        None => wrong("`shape` holds something else than array dimensions"),
    }
}

/// A value of the dictionary.
#[derive(Debug, PartialEq)]
enum Value<'a> {
    /// A string, which in a header has no escapes.
    Text(&'a str),
    /// `True`, `False`, a number.
    Word(&'a str),
    /// What stands between the commas of a flat tuple.
    Tuple(Vec<&'a str>),
    /// A list, as records have it, or a tuple that is not flat.
    Other,
}

/// The keys and values of a dictionary; `None` if it is none.
fn entries(text: &str) -> Option<Vec<(&str, Value<'_>)>> {
    let mut rest = text.trim().strip_prefix('{')?.trim_start();
    let mut entries = Vec::new();
    while !rest.starts_with('}') {
        let (Value::Text(key), after) = value(rest)? else {
            return None;
        };
        let (found, after) = value(after.trim_start().strip_prefix(':')?.trim_start())?;
        entries.push((key, found));
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None => after.starts_with('}').then_some(after)?,
        };
    }
    (rest == "}").then_some(entries)
}

/// The value at the beginning of a text, and what follows it.
fn value(text: &str) -> Option<(Value<'_>, &str)> {
    match text.chars().next()? {
        quote @ ('\'' | '"') => {
            let (inside, after) = text[1..].split_once(quote)?;
            Some((Value::Text(inside), after))
        }
        '(' => {
            let (inside, after) = text[1..].split_once(')')?;
            if inside.contains(['(', '[', '{']) {
                return Some((Value::Other, nested(text)?));
            }
            let inside = inside.trim();
            let inside = inside.strip_suffix(',').unwrap_or(inside);
            let dims = match inside.is_empty() {
                true => Vec::new(),
                false => inside.split(',').map(str::trim).collect(),
            };
            Some((Value::Tuple(dims), after))
        }
        '[' => Some((Value::Other, nested(text)?)),
        _ => {
            let end = text.find([',', '}', ':'])?;
            Some((Value::Word(text[..end].trim_end()), &text[end..]))
        }
    }
}

/// What follows the bracket that closes the first one; brackets within strings count, as headers hold none.
fn nested(text: &str) -> Option<&str> {
    let mut depth = 0usize;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1, // the first is an opening one, and none is passed after the last
            _ => {}
        }
        if depth == 0 {
            return Some(&text[place + 1..]);
        }
    }
    None
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
