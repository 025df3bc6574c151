//! Element types that weights are stored in, and their conversion to f32.

use std::borrow::Cow;

use half::{bf16, f16};

use super::{WeightError, reserve};

/// A type of element that a weights file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// The upper half of single precision.
    Bf16,
    /// Double precision.
    F64,
}

impl Element {
    /// Bytes of one.
    pub const fn size(self) -> usize {
        match self {
            Element::F32 => 4,
            Element::F16 | Element::Bf16 => 2,
            Element::F64 => 8,
        }
    }

    /// The little-endian elements in `raw` as f32 (f64 is rounded to the nearest): borrowed where they are aligned f32
    /// already. `name` and `shape` are what the error calls them.
    ///
    /// # Errors
    /// [`WeightError::OutOfMemory`].
    pub fn convert<'a>(self, raw: &'a [u8], name: &str, shape: &[usize]) -> Result<Cow<'a, [f32]>, WeightError> {
        if self == Element::F32
            && cfg!(target_endian = "little")
            && let Ok(elements) = bytemuck::try_cast_slice(raw)
        {
            return Ok(Cow::Borrowed(elements));
        }
        let mut elements = reserve(name, shape, raw.len() / self.size())?;
        match self {
            Element::F32 => convert(raw, &mut elements, f32::from_le_bytes),
            Element::F16 => convert(raw, &mut elements, |b| f16::from_le_bytes(b).to_f32()),
            Element::Bf16 => convert(raw, &mut elements, |b| bf16::from_le_bytes(b).to_f32()),
            Element::F64 => convert(raw, &mut elements, |b| f64::from_le_bytes(b) as f32),
        }
        Ok(Cow::Owned(elements))
    }
}

/// Appends the `N`-byte elements of `raw`, converted, to `elements`.
fn convert<const N: usize>(raw: &[u8], elements: &mut Vec<f32>, one: impl Fn([u8; N]) -> f32) {
    elements.extend(raw.as_chunks::<N>().0.iter().map(|bytes| one(*bytes)));
}
