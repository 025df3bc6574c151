//! Weights in the safetensors format, from a memory-mapped file or from embedded bytes.
//!
//! The format: the header's length as a little-endian u64, the header as a JSON map from names to
//! element type, shape and byte range, then the data. The `safetensors` crate parses the header
//! and proves that the ranges follow each other without gap or overlap and fit the shapes; what
//! it leaves to overflow (the end of the data) is compared here.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::{Element, MappedFile, Nearest, WeightError, WeightSource, foreign, reserve};

/// Size of the length field that opens the file.
const LENGTH_FIELD: usize = 8;
/// The format's own limit for the header.
const MAX_HEADER: u64 = 100_000_000;

/// A parsed safetensors container over the bytes `B`.
///
/// A weight of 8-bit integers, `NAME`, is read as their products with the scale of each row, which the tensor `NAME_scale`
/// has. Element types other than these, f32, f16, bf16 and f64 are allowed in the container (PyTorch stores
/// counters as i64) and are an error only when such a tensor is asked for.
#[derive(Debug)]
pub struct Safetensors<B> {
    /// What is done with the bytes of a tensor that is not needed any more.
    release: fn(&B, Range<usize>),
    bytes: B,
    /// Offset of the data in `bytes`.
    data: usize,
    header: Metadata,
    origin: String,
}

/// A memory-mapped safetensors file: only the tensors asked for are read from disk.
pub type SafetensorsFile = Safetensors<MappedFile>;

/// A safetensors file embedded in the program (`include_bytes!`).
pub type SafetensorsBytes = Safetensors<&'static [u8]>;

impl SafetensorsFile {
    /// Maps the file at `path` and checks its header. It must not be shortened while it is in use, as [`MappedFile`] says.
    ///
    /// # Errors
    /// [`WeightError::NotFound`], [`WeightError::NotAFile`], [`WeightError::Io`],
    /// [`WeightError::Damaged`] or [`WeightError::Truncated`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightError> {
        let path = path.as_ref();
        let mut source = Self::parse(MappedFile::open(path)?, format!("`{}`", path.display()))?;
        source.release = MappedFile::release;
        Ok(source)
    }
}

impl<B: AsRef<[u8]>> Safetensors<B> {
    /// Checks the header of `bytes`; `origin` names them in messages.
    ///
    /// # Errors
    /// [`WeightError::Damaged`] or [`WeightError::Truncated`].
    pub fn parse(bytes: B, origin: impl Into<String>) -> Result<Self, WeightError> {
        let origin = origin.into();
        let all = bytes.as_ref();
        let damaged = |detail: String| WeightError::Damaged {
            origin: origin.clone(),
            detail,
        };
        if let Some((kind, advice)) = foreign::recognise(all, &origin) {
            return Err(WeightError::Foreign { origin, kind, advice });
        }
        let Some((length, rest)) = all.split_first_chunk::<LENGTH_FIELD>() else {
            return Err(damaged(format!(
                "expected at least {LENGTH_FIELD} bytes, found {}",
                all.len()
            )));
        };
        let length = u64::from_le_bytes(*length);
        if length > MAX_HEADER {
            return Err(damaged(format!(
                "the header claims {length} bytes, the format allows {MAX_HEADER}"
            )));
        }
        let json = rest
            .get(..length as usize)
            .ok_or_else(|| damaged(format!("the header claims {length} bytes, only {} follow", rest.len())))?;
        // Read from a copy: what is in the file may change meanwhile, and names that were checked must stay text.
        let mut copy = Vec::new();
        copy.try_reserve_exact(json.len())
            .map_err(|_| damaged(format!("there is no memory for a header of {length} bytes")))?;
        copy.extend_from_slice(json);
        let header: Metadata =
            serde_json::from_slice(&copy).map_err(|error| damaged(format!("the header is wrong: {error}")))?;
        let data = LENGTH_FIELD + json.len();
        let present = all.len() - data;
        let declared = header.data_len();
        if declared < present {
            return Err(damaged(format!("{} bytes follow the last tensor", present - declared)));
        }
        if declared > present {
            let names = header.offset_keys();
            let cut = names
                .iter()
                .filter_map(|name| Some((name, header.info(name)?)))
                .find(|(_, info)| info.data_offsets.1 > present);
            return Err(match cut {
                Some((name, info)) => WeightError::Truncated {
                    name: name.clone(),
                    expected: info.shape.clone(),
                    needed: (data as u64).saturating_add(info.data_offsets.1 as u64),
                    length: all.len() as u64,
                    origin,
                },
                None => damaged(format!("{declared} bytes of data declared, {present} found")),
            });
        }
        Ok(Safetensors {
            release: |_, _| {},
            data,
            header,
            origin,
            bytes,
        })
    }

    /// Shape and element type of tensor `name`, in safetensors' notation.
    pub fn info(&self, name: &str) -> Option<(&[usize], String)> {
        let info = self.header.info(name)?;
        Some((&info.shape, info.dtype.to_string()))
    }

    /// Elements `range` of a tensor of 8-bit integers, each times its row's scale, which the tensor `NAME_scale` has.
    fn scaled(
        &self,
        name: &str,
        shape: &[usize],
        range: Range<usize>,
        integers: &[u8],
    ) -> Result<Cow<'_, [f32]>, WeightError>
    where
        B: Sync,
    {
        let scales = self.slice(&format!("{name}_scale"), &shape[..1], 0..shape[0])?;
        let row: usize = shape[1..].iter().product();
        let mut elements = reserve(name, shape, range.len())?;
        let scaled = range
            .zip(integers)
            .map(|(i, &byte)| f32::from(byte as i8) * scales[i / row]);
        elements.extend(scaled);
        Ok(Cow::Owned(elements))
    }

    /// Where a tensor of this container is in `bytes`. In bounds: `parse` compared the last tensor's end with the
    /// length, and the header's ranges are ascending.
    fn place(&self, info: &TensorInfo) -> Range<usize> {
        let (start, end) = info.data_offsets;
        self.data + start..self.data + end
    }
}

impl<B: AsRef<[u8]> + Sync> WeightSource for Safetensors<B> {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        let Some(info) = self.header.info(name) else {
            let names = self.header.offset_keys();
            return Err(WeightError::Missing {
                name: name.to_owned(),
                expected: shape.to_vec(),
                nearest: Nearest::among(
                    name,
                    names
                        .iter()
                        .filter_map(|name| Some((&**name, &*self.header.info(name)?.shape))),
                ),
                origin: self.describe(),
            });
        };
        if info.shape != shape {
            return Err(WeightError::Shape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: info.shape.clone(),
                origin: self.describe(),
            });
        }
        let size = element_size(info.dtype);
        let raw = &self.bytes.as_ref()[self.place(info)][range.start * size..range.end * size];
        let element = match info.dtype {
            Dtype::F32 => Element::F32,
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::Bf16,
            Dtype::F64 => Element::F64,
            Dtype::I8 if shape.len() > 1 => return self.scaled(name, shape, range, raw),
            other => {
                return Err(WeightError::Dtype {
                    name: name.to_owned(),
                    expected: shape.to_vec(),
                    found: other.to_string(),
                    origin: self.describe(),
                });
            }
        };
        element.convert(raw, name, shape)
    }

    fn release(&self, name: &str, range: Range<usize>) {
        if let Some(info) = self.header.info(name) {
            let (place, size) = (self.place(info), element_size(info.dtype));
            let byte = |element: usize| place.start + element.saturating_mul(size).min(place.len());
            (self.release)(&self.bytes, byte(range.start)..byte(range.end));
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.header.offset_keys();
        names.sort_unstable();
        names
    }

    fn describe(&self) -> String {
        self.origin.clone()
    }
}

/// Bytes of an element of a type that is accepted.
fn element_size(dtype: Dtype) -> usize {
    dtype.bitsize() / 8
}
