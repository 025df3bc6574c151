//! Weights in the safetensors format, from a memory-mapped file or from embedded bytes.
//!
//! The format: the header's length as a little-endian u64, the header as a JSON map from names to
//! element type, shape and byte range, then the data. The `safetensors` crate parses the header
//! and proves that the ranges follow each other without gap or overlap and fit the shapes; what
//! it leaves to overflow (the end of the data) is compared here.

use std::borrow::Cow;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use half::{bf16, f16};
use memmap2::Mmap;
#[cfg(unix)]
use memmap2::UncheckedAdvice;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::{Nearest, WeightError, WeightSource, reserve};

/// Size of the length field that opens the file.
const LENGTH_FIELD: usize = 8;
/// The format's own limit for the header.
const MAX_HEADER: u64 = 100_000_000;

/// A parsed safetensors container over the bytes `B`.
///
/// Element types other than f32, f16, bf16 and f64 are allowed in the container (PyTorch stores
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
pub type SafetensorsFile = Safetensors<Mmap>;

/// A safetensors file embedded in the program (`include_bytes!`).
pub type SafetensorsBytes = Safetensors<&'static [u8]>;

impl SafetensorsFile {
    /// Maps the file at `path` and checks its header.
    ///
    /// The file must not be shortened by another program while the source is in use; the
    /// operating system would then end the process when the missing part is read.
    ///
    /// # Errors
    /// [`WeightError::NotFound`], [`WeightError::NotAFile`], [`WeightError::Io`],
    /// [`WeightError::Damaged`] or [`WeightError::Truncated`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightError> {
        let path = path.as_ref();
        let io = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => WeightError::NotFound { path: path.into() },
            _ => WeightError::Io {
                path: path.into(),
                source,
            },
        };
        // Asked before opening: opening a pipe would wait for its writer.
        let kind = std::fs::metadata(path).map_err(io)?.file_type();
        if !kind.is_file() {
            return Err(WeightError::NotAFile {
                path: path.into(),
                what: if kind.is_dir() {
                    "a directory"
                } else {
                    "a device or a pipe"
                },
            });
        }
        let file = File::open(path).map_err(io)?;
        // SAFETY: the map is read-only and private to this value. Another process may still
        // change the file: elements are plain numbers without invalid bit patterns, and the
        // header is copied out once; shortening the file is documented above as forbidden.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        let mut source = Self::parse(map, format!("`{}`", path.display()))?;
        source.release = drop_pages;
        Ok(source)
    }
}

/// Takes the pages of a range out of this process; they come back from the file if they are read again.
fn drop_pages(map: &Mmap, range: Range<usize>) {
    #[cfg(unix)]
    {
        // SAFETY: the map is a read-only view of a file, so that pages dropped hold nothing but the file's content. That
        // nobody borrows them is not even needed: a page that is read again holds the same bytes.
        let result = unsafe { map.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len()) };
        // Advice that is not taken costs memory, nothing else.
        let _ = result;
    }
    #[cfg(not(unix))]
    let _ = (map, range);
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
        let header: Metadata =
            serde_json::from_slice(json).map_err(|error| damaged(format!("the header is wrong: {error}")))?;
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
            let names = self.names();
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
        if info.dtype == Dtype::F32
            && cfg!(target_endian = "little")
            && let Ok(elements) = bytemuck::try_cast_slice(raw)
        {
            return Ok(Cow::Borrowed(elements));
        }
        let mut elements = reserve(name, shape, range.len())?;
        match info.dtype {
            Dtype::F32 => convert(raw, &mut elements, f32::from_le_bytes),
            Dtype::F16 => convert(raw, &mut elements, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => convert(raw, &mut elements, |b| bf16::from_le_bytes(b).to_f32()),
            Dtype::F64 => convert(raw, &mut elements, |b| f64::from_le_bytes(b) as f32),
            other => {
                return Err(WeightError::Dtype {
                    name: name.to_owned(),
                    expected: shape.to_vec(),
                    found: other.to_string(),
                    origin: self.describe(),
                });
            }
        }
        Ok(Cow::Owned(elements))
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

/// Appends the `N`-byte elements of `raw`, converted, to `elements`.
fn convert<const N: usize>(raw: &[u8], elements: &mut Vec<f32>, one: impl Fn([u8; N]) -> f32) {
    elements.extend(raw.as_chunks::<N>().0.iter().map(|bytes| one(*bytes)));
}
