//! What one tile kernel computes: the specification, its checks, and what it touches.

use std::cmp::Ordering;
use std::ops::Range;

use cnn_types::{Activation, InstructionSet};
use thiserror::Error;

use super::inst::Width;
use crate::isa::facts;

/// Floats in one filter vector: tiles count outputs in vectors of eight.
pub const LANES: usize = 8;
/// Bytes of one filter vector.
pub(crate) const VECTOR_BYTES: i32 = 32;
/// Loops that can be left after unit loops vanished: one counter register each.
pub const MAX_LOOPS: usize = 4;
/// Bytes that a call may bring nearer beyond as many as its own weights have.
const MORE_AHEAD: usize = 64 << 10;
/// Most unrolled k-steps a specification may name: beyond this the code leaves the instruction cache.
pub const MAX_TAPS: usize = 2048;

/// How input and weights meet in one k-step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub enum Product {
    /// One input float a pixel is broadcast and multiplied with `vectors` weight vectors: convolution, 1×1, matrix product, Winograd's products.
    Broadcast,
    /// Eight input floats a pixel are multiplied lane by lane with one weight vector: depthwise convolution.
    Lanewise,
    /// One pixel's input floats are multiplied with `vectors` vectors of 16-bit weights: a matrix–vector product whose
    /// weights come from memory. There are two loops; the outer one is over blocks, each of which has in the weight
    /// stream a vector of scales for each vector of weights, then the weights.
    Fixed,
}

/// What the accumulators hold before the first k-step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub enum Init {
    /// Nothing: the output is overwritten with the sum.
    Zero,
    /// The first 8·`vectors` floats of the weight stream, for every pixel.
    Bias,
    /// The sum is added to what the output holds. It is added *after* the k-steps, so that a long reduction cut
    /// into several calls is summed pairwise per call, which keeps the rounding error small.
    Output,
}

/// Byte offsets of one pixel from the kernel's pointers. Arbitrary, so that a tile may cross rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Pixel {
    /// From the input pointer to the first tap's float (or eight floats, `Lanewise`).
    pub input: i32,
    /// From the output pointer to the first filter vector.
    pub output: i32,
    /// From the residual pointer to the first filter vector; ignored without a residual.
    pub residual: i32,
}

/// One loop around the unrolled taps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Loop {
    /// Iterations, at least one.
    pub count: u32,
    /// Bytes by which the input moves from one iteration to the next.
    pub input_step: i64,
}

/// One register tile: `pixels.len()` × 8·`vectors` outputs accumulated over `loops` × `taps` k-steps.
///
/// The kernel is `extern "sysv64" fn(input: *const f32, weights: *const f32, output: *mut f32, residual: *const f32,
/// ahead: *const f32)`; everything here is a constant in its code. It reads the weights strictly in sequence: with
/// [`Init::Bias`] first 8·`vectors` floats of bias, then for each iteration of `loops` (outermost slowest) and each tap
/// 8·`vectors` floats ([`Product::Fixed`]: for each block 8·`vectors` scales, then as many 16-bit integers a tap).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct TileSpec {
    /// What it is made of.
    pub isa: InstructionSet,
    /// How input and weights meet.
    pub product: Product,
    /// Filter vectors of eight (1 when `Lanewise`).
    pub vectors: usize,
    /// The pixels, in any order; outputs must not overlap.
    pub pixels: Vec<Pixel>,
    /// Byte offset of each filter vector from its pixel's output; `vectors` of them.
    pub output_vectors: Vec<i32>,
    /// The same for the residual; empty without one.
    pub residual_vectors: Vec<i32>,
    /// Loops around the taps, outermost first; may be empty.
    pub loops: Vec<Loop>,
    /// Byte displacement added to a pixel's input for each k-step of the innermost body; at least one.
    pub taps: Vec<i32>,
    /// What the sum starts from.
    pub init: Init,
    /// Whether a residual is added before the activation.
    pub residual: bool,
    /// What is done to the sums before they are stored.
    pub activation: Option<Activation>,
    /// Bytes that a call brings nearer, from `ahead` on: weights that a later call will read. Only a hint: portable
    /// code has none.
    pub prefetch: u32,
}

/// Why a specification cannot become a kernel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// No pixels, vectors or taps, or a loop that never runs.
    #[error("a tile needs at least one of each: it has no {0}")]
    Empty(&'static str),
    /// Too many accumulators.
    #[error("{pixels} pixels × {vectors} vectors need {needed} vector registers, there are {registers}")]
    Registers {
        /// Pixels of the tile.
        pixels: usize,
        /// Filter vectors of the tile.
        vectors: usize,
        /// Registers the tile would take.
        needed: usize,
        /// Registers there are.
        registers: usize,
    },
    /// A lane-by-lane product has one weight vector a tap.
    #[error("a lanewise tile has one vector, not {0}")]
    LanewiseVectors(usize),
    /// 16-bit weights are for one pixel, in two loops.
    #[error("a tile of 16-bit weights has one pixel and two loops, not {pixels} and {loops}")]
    Fixed {
        /// Pixels of the tile.
        pixels: usize,
        /// Its loops.
        loops: usize,
    },
    /// There is no loop code for 16-bit weights.
    #[error("16-bit weights are for machines with AVX2 only")]
    FixedPortable,
    /// A list whose length is not the number of vectors.
    #[error("{name} has {found} offsets, expected {expected}")]
    VectorOffsets {
        /// The field.
        name: &'static str,
        /// Its length.
        found: usize,
        /// The length expected.
        expected: usize,
    },
    /// More loops than counter registers.
    #[error("{0} loops that run more than once, at most {MAX_LOOPS} are possible")]
    Loops(usize),
    /// More unrolled steps than a kernel should have.
    #[error("{0} unrolled taps, at most {MAX_TAPS} are possible")]
    Taps(usize),
    /// An offset or a step that does not fit an instruction's 32 bits.
    #[error("{0} does not fit 32 bits")]
    Offset(&'static str),
    /// A constant of the activation that is not a number, or bounds in the wrong order.
    #[error("the activation's constants are not finite numbers in order")]
    Activation,
    /// An activation that is not a few operations on a vector.
    #[error("`{0}` is not made of straight pieces: it cannot be part of a tile")]
    NotSteps(&'static str),
}

impl TileSpec {
    /// Checks everything the lowerings rely on.
    ///
    /// # Errors
    /// The first [`SpecError`] found.
    pub fn validate(&self) -> Result<(), SpecError> {
        let (pixels, vectors) = (self.pixels.len(), self.vectors);
        for (name, empty) in [
            ("pixels", pixels == 0),
            ("vectors", vectors == 0),
            ("taps", self.taps.is_empty()),
            ("iterations", self.loops.iter().any(|l| l.count == 0)),
        ] {
            if empty {
                return Err(SpecError::Empty(name));
            }
        }
        if self.taps.len() > MAX_TAPS {
            return Err(SpecError::Taps(self.taps.len()));
        }
        let (needed, registers) = (self.registers(), self.width().registers());
        if needed > registers {
            return Err(SpecError::Registers {
                pixels,
                vectors,
                needed,
                registers,
            });
        }
        if self.product == Product::Lanewise && vectors != 1 {
            return Err(SpecError::LanewiseVectors(vectors));
        }
        if self.product == Product::Fixed && (pixels != 1 || self.loops.len() != 2) {
            return Err(SpecError::Fixed {
                pixels,
                loops: self.loops.len(),
            });
        }
        let residuals = if self.residual { vectors } else { 0 };
        for (name, list, expected) in [
            ("output_vectors", &self.output_vectors, vectors),
            ("residual_vectors", &self.residual_vectors, residuals),
        ] {
            if list.len() != expected {
                return Err(SpecError::VectorOffsets {
                    name,
                    found: list.len(),
                    expected,
                });
            }
        }
        let running = self.loops.iter().filter(|l| l.count > 1).count();
        if running > MAX_LOOPS {
            return Err(SpecError::Loops(running));
        }
        self.validate_offsets()?;
        match self.activation {
            Some(activation) if activation.steps().is_none() => Err(SpecError::NotSteps(activation.name())),
            Some(Activation::Clip { min, max })
                if !matches!(min.partial_cmp(&max), Some(Ordering::Less | Ordering::Equal)) =>
            {
                Err(SpecError::Activation)
            }
            Some(Activation::LeakyRelu { alpha }) if !alpha.is_finite() => Err(SpecError::Activation),
            Some(_) | None => Ok(()),
        }
    }

    /// Every byte offset an instruction or a pointer step may hold must fit 32 bits. The whole extent is checked, which
    /// also covers steps that the lowering folds together or unrolls.
    fn validate_offsets(&self) -> Result<(), SpecError> {
        let fits = |range: Option<Range<i64>>, name| match range {
            // A quarter of the range, so that sums of two such offsets fit as well.
            Some(r) if r.start >= i64::from(i32::MIN / 4) && r.end <= i64::from(i32::MAX / 4) => Ok(()),
            _ => Err(SpecError::Offset(name)),
        };
        fits(self.checked_input_bytes(), "an input offset")?;
        fits(Some(self.output_bytes()), "an output offset")?;
        fits(Some(self.residual_bytes()), "a residual offset")?;
        let weights = self
            .checked_weight_floats()
            .and_then(|w| i64::try_from(w).ok()?.checked_mul(4));
        fits(weights.map(|w| 0..w), "the weight stream")?;
        let nearer = Some(self.prefetch).filter(|&bytes| bytes as usize <= self.most_ahead());
        fits(nearer.map(|bytes| 0..i64::from(bytes)), "what is brought nearer")
    }

    /// The most bytes that a call may bring nearer: each line of them is an instruction, and there should not be many
    /// more of those than read the tile's own weights.
    pub(crate) fn most_ahead(&self) -> usize {
        let weights = self.checked_weight_floats().unwrap_or(0);
        weights.saturating_mul(size_of::<f32>()).saturating_add(MORE_AHEAD)
    }

    /// The registers its code works with.
    pub(super) fn width(&self) -> Width {
        match &facts(self.isa).pairs {
            Some(pairs)
                if self.product == Product::Broadcast
                    && self.pixels.len() > 1
                    && self.vectors >= pairs.vectors
                    && self.vectors.is_multiple_of(2) =>
            {
                Width::Zmm
            }
            Some(_) | None => Width::Ymm,
        }
    }

    /// Vectors of each pixel as its code has them: of eight floats or of sixteen.
    pub(super) fn wide_vectors(&self) -> usize {
        self.vectors / self.width().blocks()
    }

    /// Vector registers of the main loop: accumulators, weights and one broadcast. A single pixel and a lanewise tile
    /// need one operand in a register only. The epilogue needs two besides the accumulators, and one more where a vector
    /// is gathered from two places.
    pub fn registers(&self) -> usize {
        let vectors = self.wide_vectors();
        let accumulators = self.pixels.len().saturating_mul(vectors);
        let operands = match self.product {
            Product::Broadcast if self.pixels.len() > 1 => vectors.saturating_add(1),
            Product::Broadcast | Product::Lanewise => 1,
            // A block's sums, the input and a weight.
            Product::Fixed => vectors.saturating_add(2),
        };
        accumulators.saturating_add(operands.max(1 + self.width().blocks()))
    }

    /// k-steps of the whole kernel: loops × taps. Saturates.
    pub fn steps(&self) -> usize {
        self.loops
            .iter()
            .fold(self.taps.len(), |steps, l| steps.saturating_mul(l.count as usize))
    }

    /// Floats the kernel reads from the weight stream, the bias included. Saturates.
    pub fn weight_floats(&self) -> usize {
        self.checked_weight_floats().unwrap_or(usize::MAX)
    }

    fn checked_weight_floats(&self) -> Option<usize> {
        let lanes = self.vectors.checked_mul(LANES)?;
        let steps = match self.product {
            Product::Broadcast | Product::Lanewise => self.steps().checked_mul(lanes)?,
            Product::Fixed => {
                let blocks = self.loops.first().map_or(1, |blocks| blocks.count as usize);
                (self.steps().checked_mul(lanes)? / 2).checked_add(blocks.checked_mul(lanes)?)?
            }
        };
        steps.checked_add(if self.init == Init::Bias { lanes } else { 0 })
    }

    /// Multiplications and additions of one call, epilogue left out: 2 · pixels · 8 · vectors · steps.
    pub fn flops(&self) -> u64 {
        [self.pixels.len(), self.vectors, LANES, self.steps()]
            .iter()
            .fold(2u64, |product, &factor| product.saturating_mul(factor as u64))
    }

    /// Bytes of the input the kernel may read, relative to its pointer. For the checks of a plan.
    pub fn input_bytes(&self) -> Range<i64> {
        self.checked_input_bytes().unwrap_or(i64::MIN..i64::MAX)
    }

    fn checked_input_bytes(&self) -> Option<Range<i64>> {
        let width = match self.product {
            Product::Broadcast | Product::Fixed => 4,
            Product::Lanewise => i64::from(VECTOR_BYTES),
        };
        let pixels = extent(self.pixels.iter().map(|p| p.input))?;
        let taps = extent(self.taps.iter().copied())?;
        let mut range = pixels.start + taps.start..pixels.end + taps.end + width;
        for l in &self.loops {
            let last = l.input_step.checked_mul(i64::from(l.count) - 1)?;
            range.start = range.start.checked_add(last.min(0))?;
            range.end = range.end.checked_add(last.max(0))?;
        }
        Some(range)
    }

    /// Bytes of the output the kernel writes (with gaps), relative to its pointer.
    pub fn output_bytes(&self) -> Range<i64> {
        stored(self.pixels.iter().map(|p| p.output), &self.output_vectors)
    }

    /// Bytes of the residual the kernel reads (with gaps), relative to its pointer; empty without a residual.
    pub fn residual_bytes(&self) -> Range<i64> {
        if !self.residual {
            return 0..0;
        }
        stored(self.pixels.iter().map(|p| p.residual), &self.residual_vectors)
    }
}

fn extent(offsets: impl Iterator<Item = i32> + Clone) -> Option<Range<i64>> {
    Some(i64::from(offsets.clone().min()?)..i64::from(offsets.max()?))
}

fn stored(pixels: impl Iterator<Item = i32> + Clone, vectors: &[i32]) -> Range<i64> {
    match (extent(pixels), extent(vectors.iter().copied())) {
        (Some(p), Some(v)) => p.start + v.start..p.end + v.end + i64::from(VECTOR_BYTES),
        _ => 0..0,
    }
}
