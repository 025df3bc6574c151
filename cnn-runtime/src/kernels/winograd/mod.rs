//! Winograd's minimal filtering (Winograd 1980; Lavin & Gray 2016): the transforms around it.
//!
//! F(m×m, r×r) computes an m×m tile of outputs of an r×r convolution of stride 1 from a×a pixels,
//! a = m + r − 1, with a² multiplications instead of m²r²:
//!
//! ```text
//! Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//! ```
//!
//! summed over the input channels between ⊙ and Aᵀ. Of many tiles and channels, ⊙ and the sum
//! are a² matrix products, one for each position ξ of the a×a grid; those are tile kernels of the
//! compiler. Here are the transforms: of a filter g ([`Winograd::transform_filter`]), of the
//! pixels d ([`InputTransform`]), and of the products ([`OutputTransform`]).
//!
//! | variant | points of interpolation | fewer multiplications |
//! |---|---|---|
//! | `F2x3` | 0, ±1, ∞ | 2.25 × |
//! | `F4x3` | 0, ±1, ±2, ∞ | 4 × |
//! | `F4x5` | 0, ±1, ±2, ±½, ∞ | 6.25 × |
//!
//! Larger points cost accuracy: the greatest error against f64, in units of the output's root
//! mean square, is about 3e-6, 3e-5 and 3e-5 for the three with up to 64 input channels.
//!
//! Activations lie in blocks of eight channels, `[C/8][rows][columns][8]`. Tiles are numbered
//! along the rows of tiles; a transform handles any run of consecutive tiles.

mod input;
mod output;
mod variant;

pub use input::{InputShape, InputTransform, InputTransformFn};
pub use output::{OutputShape, OutputTransform, OutputTransformFn};

use super::Isa;
#[cfg(feature = "std")]
use super::lanes::LANES;
use variant::{F2x3, F4x3, F4x5};

/// F(m×m, r×r), by m and r.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Winograd {
    /// F(2×2, 3×3): as accurate as direct convolution.
    F2x3,
    /// F(4×4, 3×3).
    F4x3,
    /// F(4×4, 5×5).
    F4x5,
}

impl Winograd {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::F2x3, Self::F4x3, Self::F4x5];

    /// m: rows and columns of outputs of a tile, and the distance of tiles.
    pub const fn outputs(self) -> usize {
        match self {
            Self::F2x3 => 2,
            Self::F4x3 | Self::F4x5 => 4,
        }
    }

    /// r: rows and columns of the filter.
    pub const fn taps(self) -> usize {
        match self {
            Self::F2x3 | Self::F4x3 => 3,
            Self::F4x5 => 5,
        }
    }

    /// a = m + r − 1: rows and columns of pixels a tile reads.
    pub const fn pixels(self) -> usize {
        self.outputs() + self.taps() - 1
    }

    /// a²: the number of matrix products.
    pub const fn products(self) -> usize {
        self.pixels() * self.pixels()
    }

    /// The transformed filter U = G g Gᵀ, computed in f64: `filter` is r×r, `transformed` a×a,
    /// both row by row.
    ///
    /// # Panics
    /// If the slices have other lengths.
    pub fn transform_filter(self, filter: &[f32], transformed: &mut [f32]) {
        match self {
            Self::F2x3 => transform_filter(&F2x3::G, filter, transformed),
            Self::F4x3 => transform_filter(&F4x3::G, filter, transformed),
            Self::F4x5 => transform_filter(&F4x5::G, filter, transformed),
        }
    }

    /// [`Winograd::transform_filter`] of eight filters side by side, each bit for bit as alone:
    /// `filters` has eight weights of each tap, `put` gets eight results of each position.
    ///
    /// Inlined, to be compiled for the caller's instructions.
    ///
    /// # Panics
    /// If `filters` has another length.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub(crate) fn transform_lanes(self, filters: &[[f32; LANES]], put: impl FnMut(usize, [f32; LANES])) {
        match self {
            Self::F2x3 => transform_lanes(&F2x3::G, filters, put),
            Self::F4x3 => transform_lanes(&F4x3::G, filters, put),
            Self::F4x5 => transform_lanes(&F4x5::G, filters, put),
        }
    }

    /// The input transform's address for compiled code.
    pub fn input_symbol(self, isa: Isa) -> InputTransformFn {
        match self {
            Self::F2x3 => input::symbol::<F2x3, 4, 2>(isa),
            Self::F4x3 => input::symbol::<F4x3, 6, 4>(isa),
            Self::F4x5 => input::symbol::<F4x5, 8, 4>(isa),
        }
    }

    /// The output transform's address for compiled code.
    pub fn output_symbol(self, isa: Isa) -> OutputTransformFn {
        match self {
            Self::F2x3 => output::symbol::<F2x3, 4, 2>(isa),
            Self::F4x3 => output::symbol::<F4x3, 6, 4>(isa),
            Self::F4x5 => output::symbol::<F4x5, 8, 4>(isa),
        }
    }
}

/// U = G g Gᵀ.
fn transform_filter<const A: usize, const R: usize>(g: &[[f64; R]; A], filter: &[f32], transformed: &mut [f32]) {
    assert_eq!(filter.len(), R * R, "elements of a filter");
    assert_eq!(transformed.len(), A * A, "elements of a transformed filter");
    for (row, left) in g.iter().enumerate() {
        // Row `row` of G g.
        let mut half = [0.0; R];
        for (weights, &factor) in filter.chunks_exact(R).zip(left) {
            for (sum, &weight) in half.iter_mut().zip(weights) {
                *sum += factor * f64::from(weight);
            }
        }
        for (column, right) in g.iter().enumerate() {
            let sum: f64 = half.iter().zip(right).map(|(h, factor)| h * factor).sum();
            transformed[row * A + column] = sum as f32;
        }
    }
}

/// U = G g Gᵀ of eight filters, with the operations of [`transform_filter`] in its order.
#[cfg(feature = "std")]
#[inline(always)]
fn transform_lanes<const A: usize, const R: usize>(
    g: &[[f64; R]; A],
    filters: &[[f32; LANES]],
    mut put: impl FnMut(usize, [f32; LANES]),
) {
    assert_eq!(filters.len(), R * R, "elements of a filter");
    let mut wide = [[[0.0; LANES]; R]; R];
    for (wide, weights) in wide.as_flattened_mut().iter_mut().zip(filters) {
        for lane in 0..LANES {
            wide[lane] = f64::from(weights[lane]);
        }
    }
    for (row, left) in g.iter().enumerate() {
        let mut half = [[0.0; LANES]; R];
        for i in 0..R {
            for lane in 0..LANES {
                let mut sum = 0.0;
                for j in 0..R {
                    sum += left[j] * wide[j][i][lane];
                }
                half[i][lane] = sum;
            }
        }
        for (column, right) in g.iter().enumerate() {
            let mut result = [0.0; LANES];
            for lane in 0..LANES {
                let mut sum = half[0][lane] * right[0];
                for i in 1..R {
                    sum += half[i][lane] * right[i];
                }
                result[lane] = sum as f32;
            }
            put(row * A + column, result);
        }
    }
}
