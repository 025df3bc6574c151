//! The types of a value's elements.

use crate::Quantisation;

/// What one element of a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ElementType {
    /// IEEE 754 binary32: what networks compute in.
    F32,
    /// An 8-bit integer that stands for a real number.
    U8(Quantisation),
}

impl ElementType {
    /// Its name, as Rust and safetensors have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::U8(_) => "u8",
        }
    }

    /// Bytes of one element.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::U8(_) => size_of::<u8>(),
        }
    }

    /// What its integers stand for, if it is one.
    pub const fn quantisation(self) -> Option<Quantisation> {
        match self {
            Self::F32 => None,
            Self::U8(quantisation) => Some(quantisation),
        }
    }
}
