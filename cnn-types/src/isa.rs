//! Instruction sets: their names and what their registers hold. What follows from it stands in one folder on each side:
//! `cnn-codegen/src/isa` (tile shapes, their machine code) and `cnn-runtime/src/kernels/isa.rs` (proof and dispatch).

use core::fmt;
use core::str::FromStr;

/// An instruction set that kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum InstructionSet {
    /// What every processor of the target architecture has: 128-bit vectors on x86-64 and AArch64.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ and VL, and with AVX2 and FMA.
    Avx512,
}

impl InstructionSet {
    /// All, the best first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// The word for it: `avx2`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// What a machine has that has it, in words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Portable => "128-bit vectors",
            Self::Avx2 => "AVX2 and FMA",
            Self::Avx512 => "AVX-512",
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownInstructionSet;

impl fmt::Display for UnknownInstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected avx512, avx2 or portable")
    }
}

impl core::error::Error for UnknownInstructionSet {}

impl FromStr for InstructionSet {
    type Err = UnknownInstructionSet;

    fn from_str(name: &str) -> Result<Self, UnknownInstructionSet> {
        let named = Self::ALL.into_iter().find(|set| set.name() == name);
        named.ok_or(UnknownInstructionSet)
    }
}
