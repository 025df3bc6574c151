//! Tensors of an ONNX file: dimensions, element type, and bytes that stay where they are in the file.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use cnn_ir::shape::MAX_ELEMENTS;
use cnn_runtime::weights::{Element, WeightError};
use half::{bf16, f16};

use crate::proto;

/// `TensorProto.DataType`, without strings, complex numbers and numbers of fewer than eight bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataType {
    Float(Element),
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

impl DataType {
    pub(crate) const F32: DataType = DataType::Float(Element::F32);

    /// By its number in `onnx.proto`.
    pub(crate) fn from_number(number: i32) -> Result<DataType, String> {
        Ok(match number {
            1 => DataType::F32,
            2 => DataType::U8,
            3 => DataType::I8,
            4 => DataType::U16,
            5 => DataType::I16,
            6 => DataType::I32,
            7 => DataType::I64,
            9 => DataType::Bool,
            10 => DataType::Float(Element::F16),
            11 => DataType::Float(Element::F64),
            12 => DataType::U32,
            13 => DataType::U64,
            16 => DataType::Float(Element::Bf16),
            other => {
                let name = match other {
                    0 => "no type",
                    8 => "strings",
                    14 | 15 => "complex numbers",
                    17..=20 | 23 | 24 | 27 | 28 => "floats of 8 bits or fewer",
                    21 | 22 | 25 | 26 => "integers of 4 bits or fewer",
                    _ => "an unknown type",
                };
                return Err(format!(
                    "elements are {name} (data type {other}); floats and integers are accepted"
                ));
            }
        })
    }

    pub(crate) const fn size(self) -> usize {
        match self {
            DataType::Float(element) => element.size(),
            DataType::I8 | DataType::U8 | DataType::Bool => 1,
            DataType::I16 | DataType::U16 => 2,
            DataType::I32 | DataType::U32 => 4,
            DataType::I64 | DataType::U64 => 8,
        }
    }

    pub(crate) const fn is_float(self) -> bool {
        matches!(self, DataType::Float(_))
    }
}

/// Uniform tensors of more elements are no parameters such as axes or a shape.
const MANY: usize = 1 << 16;

/// Axes, shapes and the like are no longer than this.
const LONG: usize = 1 << 12;

/// A tensor whose elements are known.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) dims: Vec<usize>,
    pub(crate) kind: DataType,
    /// Little-endian, row-major, exactly as many as the dimensions say, unless `uniform`.
    data: Bytes,
    /// Whether `data` holds one element only, which all elements are.
    uniform: bool,
    /// What its floats are whole multiples of, if they were 8-bit integers.
    grid: Option<Arc<Grid>>,
}

/// Scales of floats that were 8-bit integers: one for all, or one for each place along an axis.
#[derive(Debug, PartialEq)]
pub(crate) struct Grid {
    /// The axis.
    pub(crate) axis: usize,
    /// The scales.
    pub(crate) scales: Vec<f32>,
}

/// Elements as numbers to compute with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    Float(Vec<f64>),
    Integer(Vec<i64>),
}

/// Axes of a tensor at most; NumPy has as many.
pub(crate) const MAX_RANK: usize = 64;

/// What the other axes of a tensor without elements have at most: they are counted through all the same.
const MOST_OF_NOTHING: usize = 1 << 20;

/// The number of elements, if there are at most [`MAX_ELEMENTS`].
pub(crate) fn count(dims: &[usize]) -> Result<usize, String> {
    if dims.len() > MAX_RANK {
        return Err(format!(
            "a tensor has {} axes; at most {MAX_RANK} are possible",
            dims.len()
        ));
    }
    let others = dims.iter().filter(|&&dim| dim != 0);
    let others = others.copied().try_fold(1usize, |count, dim| count.checked_mul(dim));
    let (most, words) = match dims.contains(&0) {
        true => (MOST_OF_NOTHING, "too long axes beside an empty one, at most 2^20"),
        false => (MAX_ELEMENTS, "too many elements, at most 2^48"),
    };
    match others.filter(|&others| others <= most) {
        Some(_) if dims.contains(&0) => Ok(0),
        Some(count) => Ok(count),
        None => Err(format!("{dims:?} has {words} are possible")),
    }
}

/// Numbers whose bytes are those of the slice.
struct Owned(Vec<f32>);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl Tensor {
    /// Whether the other has the same elements: at a glance where both are the same bytes of the same file.
    pub(crate) fn is_the_same_as(&self, other: &Tensor) -> bool {
        let bytes = || self.data.as_ptr() == other.data.as_ptr() && self.data.len() == other.data.len();
        (&self.dims, self.kind, self.uniform, &self.grid) == (&other.dims, other.kind, other.uniform, &other.grid)
            && (bytes() || self.data == other.data)
    }

    /// From the message; `external` fetches bytes from another file.
    pub(crate) fn read(
        message: &proto::Tensor,
        external: impl FnOnce(&[proto::StringStringEntry]) -> Result<Bytes, String>,
    ) -> Result<Tensor, String> {
        let kind = DataType::from_number(message.data_type)?;
        // Before they are written into a message.
        if message.dims.len() > MAX_RANK {
            count(&vec![1; message.dims.len()])?;
        }
        let dims = message
            .dims
            .iter()
            .map(|&dim| usize::try_from(dim).map_err(|_| format!("the dimension {dim} is negative")))
            .collect::<Result<Vec<_>, _>>()?;
        let expected = count(&dims)?
            .checked_mul(kind.size())
            .ok_or_else(|| format!("{dims:?} does not fit into memory"))?;
        let data = match message.data_location {
            1 => external(&message.external_data)?,
            _ if !message.raw_data.is_empty() => message.raw_data.clone(),
            _ => typed(message, kind),
        };
        if data.len() != expected {
            return Err(format!(
                "shape {dims:?} needs {expected} bytes of data, found {}",
                data.len()
            ));
        }
        Ok(Tensor {
            dims,
            kind,
            data,
            uniform: false,
            grid: None,
        })
    }

    /// As many elements as the dimensions say, all of them the only one of `value`. However many there are, they take
    /// no memory.
    pub(crate) fn uniform(dims: Vec<usize>, value: &Tensor) -> Tensor {
        Tensor {
            dims,
            uniform: true,
            grid: None,
            ..value.clone()
        }
    }

    /// Single-precision elements.
    pub(crate) fn from_floats(dims: Vec<usize>, mut elements: Vec<f32>) -> Tensor {
        debug_assert_eq!(count(&dims), Ok(elements.len()));
        if cfg!(target_endian = "big") {
            elements
                .iter_mut()
                .for_each(|one| *one = f32::from_bits(one.to_bits().to_le()));
        }
        Tensor {
            dims,
            kind: DataType::F32,
            data: Bytes::from_owner(Owned(elements)),
            uniform: false,
            grid: None,
        }
    }

    /// 64-bit integers.
    pub(crate) fn from_integers(dims: Vec<usize>, elements: &[i64]) -> Tensor {
        Tensor::from_numbers(dims, DataType::I64, &Numbers::Integer(elements.to_vec()))
    }

    /// Numbers rounded or wrapped to `kind`, as `Cast` does.
    pub(crate) fn from_numbers(dims: Vec<usize>, kind: DataType, numbers: &Numbers) -> Tensor {
        let length = match numbers {
            Numbers::Float(numbers) => numbers.len(),
            Numbers::Integer(numbers) => numbers.len(),
        };
        debug_assert_eq!(count(&dims), Ok(length));
        let float = |i: usize| match numbers {
            Numbers::Float(numbers) => numbers[i],
            Numbers::Integer(numbers) => numbers[i] as f64,
        };
        let integer = |i: usize| match numbers {
            Numbers::Float(numbers) => numbers[i] as i64,
            Numbers::Integer(numbers) => numbers[i],
        };
        if kind == DataType::F32 {
            return Tensor::from_floats(dims, (0..length).map(|i| float(i) as f32).collect());
        }
        let data: Vec<u8> = match kind {
            DataType::Float(Element::F32) => Vec::new(),
            DataType::Float(Element::F64) => (0..length).flat_map(|i| float(i).to_le_bytes()).collect(),
            DataType::Float(Element::F16) => (0..length)
                .flat_map(|i| f16::from_f64(float(i)).to_le_bytes())
                .collect(),
            DataType::Float(Element::Bf16) => (0..length)
                .flat_map(|i| bf16::from_f64(float(i)).to_le_bytes())
                .collect(),
            DataType::Bool => (0..length).map(|i| u8::from(float(i) != 0.0)).collect(),
            DataType::I8 | DataType::U8 => (0..length).map(|i| integer(i) as u8).collect(),
            DataType::I16 | DataType::U16 => (0..length).flat_map(|i| (integer(i) as u16).to_le_bytes()).collect(),
            DataType::I32 | DataType::U32 => (0..length).flat_map(|i| (integer(i) as u32).to_le_bytes()).collect(),
            DataType::I64 | DataType::U64 => (0..length).flat_map(|i| integer(i).to_le_bytes()).collect(),
        };
        Tensor {
            dims,
            kind,
            data: data.into(),
            uniform: false,
            grid: None,
        }
    }

    /// The element that all are, without axes; `None` if they may differ.
    pub(crate) fn repeated(&self) -> Option<Tensor> {
        (self.uniform || self.len() == 1).then(|| Tensor {
            dims: Vec::new(),
            uniform: false,
            grid: None,
            ..self.clone()
        })
    }

    /// A function of every element, in single precision. What is one element, however often, stays that.
    pub(crate) fn map(&self, function: impl Fn(f64) -> f64) -> Tensor {
        if let (true, Some(one)) = (self.uniform, self.repeated()) {
            return Tensor::uniform(self.dims.clone(), &one.map(function));
        }
        let numbers = self.doubles().into_iter().map(|number| function(number) as f32);
        Tensor::from_floats(self.dims.clone(), numbers.collect())
    }

    /// Whether it is one element, however often.
    pub(crate) fn is_uniform(&self) -> bool {
        self.uniform
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        match self.uniform {
            // Counted when it was made.
            true => count(&self.dims).unwrap_or(0),
            false => self.data.len() / self.kind.size(),
        }
    }

    /// The bytes of elements `range`, as far as it has them and they are stored.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        let byte = |element: usize| element.saturating_mul(self.kind.size()).min(self.data.len());
        &self.data[byte(range.start)..byte(range.end)]
    }

    /// The same elements under other dimensions of the same count.
    pub(crate) fn reshaped(&self, dims: Vec<usize>) -> Tensor {
        debug_assert_eq!(count(&dims), Ok(self.len()));
        // The axis is the same one only where those up to it stay.
        let kept = |grid: &Arc<Grid>| {
            let end = grid.axis + 1;
            grid.scales.len() == 1 || (end <= dims.len() && dims.get(..end) == self.dims.get(..end))
        };
        Tensor {
            grid: self.grid.clone().filter(kept),
            dims,
            ..self.clone()
        }
    }

    /// Says what its floats are whole multiples of.
    pub(crate) fn on_grid(self, grid: Grid) -> Tensor {
        Tensor {
            grid: Some(Arc::new(grid)),
            ..self
        }
    }

    /// What its floats are whole multiples of.
    pub(crate) fn grid(&self) -> Option<&Grid> {
        self.grid.as_deref()
    }

    /// The scales of its places along an axis, if its floats are whole multiples of such.
    pub(crate) fn scales(&self, axis: usize) -> Option<Tensor> {
        let (grid, count) = (self.grid()?, *self.dims.get(axis)?);
        let scales = match *grid.scales {
            [one] => vec![one; count],
            ref all if grid.axis == axis && all.len() == count => all.to_vec(),
            _ => return None,
        };
        Some(Tensor::from_floats(vec![count], scales))
    }

    /// Elements `range` as weights; `name` is what errors call them.
    pub(crate) fn floats(&self, name: &str, range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        match self.kind {
            DataType::Float(element) if self.uniform => {
                let one = element.convert(&self.data, name, &self.dims)?[0];
                let mut all = Vec::new();
                all.try_reserve_exact(range.len())
                    .map_err(|_| WeightError::OutOfMemory {
                        name: name.to_owned(),
                        shape: self.dims.clone(),
                    })?;
                all.resize(range.len(), one);
                Ok(Cow::Owned(all))
            }
            DataType::Float(element) => {
                let raw = &self.data[range.start * element.size()..range.end * element.size()];
                element.convert(raw, name, &self.dims)
            }
            _ => Err(WeightError::Dtype {
                name: name.to_owned(),
                expected: self.dims.clone(),
                found: format!("{:?}", self.kind),
                origin: "the ONNX file".to_owned(),
            }),
        }
    }

    /// The elements as numbers to compute with. A tensor made of a few bytes may have very many: whoever asks for the
    /// numbers of a tensor that may be uniform has counted them.
    pub(crate) fn numbers(&self) -> Numbers {
        fn integers<const N: usize>(data: &[u8], one: impl Fn([u8; N]) -> i64) -> Numbers {
            Numbers::Integer(data.as_chunks::<N>().0.iter().map(|bytes| one(*bytes)).collect())
        }
        fn floats<const N: usize>(data: &[u8], one: impl Fn([u8; N]) -> f64) -> Numbers {
            Numbers::Float(data.as_chunks::<N>().0.iter().map(|bytes| one(*bytes)).collect())
        }
        let repeated;
        let data = if self.uniform {
            repeated = self.data.repeat(self.len());
            &*repeated
        } else {
            &*self.data
        };
        match self.kind {
            DataType::Float(Element::F32) => floats(data, |b| f32::from_le_bytes(b).into()),
            DataType::Float(Element::F64) => floats(data, f64::from_le_bytes),
            DataType::Float(Element::F16) => floats(data, |b| f16::from_le_bytes(b).to_f64()),
            DataType::Float(Element::Bf16) => floats(data, |b| bf16::from_le_bytes(b).to_f64()),
            DataType::I8 => integers(data, |b| i8::from_le_bytes(b).into()),
            DataType::I16 => integers(data, |b| i16::from_le_bytes(b).into()),
            DataType::I32 => integers(data, |b| i32::from_le_bytes(b).into()),
            DataType::I64 => integers(data, i64::from_le_bytes),
            DataType::U8 | DataType::Bool => integers(data, |b| u8::from_le_bytes(b).into()),
            DataType::U16 => integers(data, |b| u16::from_le_bytes(b).into()),
            DataType::U32 => integers(data, |b| u32::from_le_bytes(b).into()),
            DataType::U64 => integers(data, |b| u64::from_le_bytes(b) as i64),
        }
    }

    /// Integer elements, such as axes or a shape.
    pub(crate) fn integers(&self) -> Result<Vec<i64>, String> {
        self.few()?;
        match self.numbers() {
            Numbers::Integer(numbers) => Ok(numbers),
            Numbers::Float(_) => Err("expected integers, found floats".to_owned()),
        }
    }

    /// Integers of which there are as many as a tensor has axes, or outputs of a node: every node may look at the same ones.
    pub(crate) fn list(&self) -> Result<Vec<i64>, String> {
        match self.len() > LONG {
            true => Err(format!("expected a list of a few integers, found {:?}", self.dims)),
            false => self.integers(),
        }
    }

    /// The elements in double precision.
    pub(crate) fn doubles(&self) -> Vec<f64> {
        match self.numbers() {
            Numbers::Float(numbers) => numbers,
            Numbers::Integer(numbers) => numbers.into_iter().map(|number| number as f64).collect(),
        }
    }

    /// Parameters in double precision.
    pub(crate) fn few_doubles(&self) -> Result<Vec<f64>, String> {
        self.few().map(|()| self.doubles())
    }

    /// An error for a uniform tensor that is too large to have its elements listed.
    fn few(&self) -> Result<(), String> {
        match self.uniform && self.len() > MANY {
            true => Err(format!("expected a few numbers, found {:?}", self.dims)),
            false => Ok(()),
        }
    }

    /// The only element.
    pub(crate) fn scalar(&self) -> Result<f64, String> {
        match *self.few_doubles()? {
            [one] => Ok(one),
            _ => Err(format!("expected one number, found {:?}", self.dims)),
        }
    }

    /// A tensor of the same type whose element `i` is this one's element `from(i)`.
    pub(crate) fn picked(&self, dims: Vec<usize>, from: impl Iterator<Item = usize>) -> Tensor {
        if self.uniform {
            return Tensor::uniform(dims, self);
        }
        let size = self.kind.size();
        let mut data = Vec::new();
        for index in from {
            data.extend_from_slice(&self.data[index * size..(index + 1) * size]);
        }
        debug_assert_eq!(count(&dims), Ok(data.len() / size));
        if self.kind == DataType::F32 {
            let floats = data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
            return Tensor::from_floats(dims, floats.collect());
        }
        Tensor {
            dims,
            kind: self.kind,
            data: data.into(),
            uniform: false,
            grid: None,
        }
    }
}

/// The data that stands in a field of its own type, as bytes.
fn typed(message: &proto::Tensor, kind: DataType) -> Bytes {
    let words = &message.int32_data;
    let bytes: Vec<u8> = match kind {
        DataType::Float(Element::F32) => message.float_data.iter().flat_map(|one| one.to_le_bytes()).collect(),
        DataType::Float(Element::F64) => message.double_data.iter().flat_map(|one| one.to_le_bytes()).collect(),
        DataType::I64 => message.int64_data.iter().flat_map(|one| one.to_le_bytes()).collect(),
        DataType::U32 => message
            .uint64_data
            .iter()
            .flat_map(|one| (*one as u32).to_le_bytes())
            .collect(),
        DataType::U64 => message.uint64_data.iter().flat_map(|one| one.to_le_bytes()).collect(),
        DataType::I32 => words.iter().flat_map(|one| one.to_le_bytes()).collect(),
        // The bits of half-precision numbers are stored as integers too.
        DataType::I16 | DataType::U16 | DataType::Float(Element::F16 | Element::Bf16) => {
            words.iter().flat_map(|one| (*one as u16).to_le_bytes()).collect()
        }
        DataType::I8 | DataType::U8 | DataType::Bool => words.iter().map(|one| *one as u8).collect(),
    };
    bytes.into()
}
