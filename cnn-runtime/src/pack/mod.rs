//! Weight recipes: what a plan's constants are made of, and how they are made, once, when weights are loaded.
//!
//! A plan knows the shapes of the weights but not their values. Each of its constants is therefore an
//! expression over named tensors, such as `panels16(fold_bn(c1.weight + c1.bias, bn1))`; [`Recipe::pack`] carries
//! it out.
//!
//! | module | what it owns |
//! |---|---|
//! | `constants` | all constants of a network in one block |
//! | `filters` | filters with their bias and a folded batch norm |
//! | `fixed` | the weight stream of large dense layers, in 16 bits |
//! | `integers` | filters of 8-bit integers |
//! | `instructions` | what packing makes use of |
//! | `lanes` | eight filters side by side |
//! | `lanewise` | filters of one channel each |
//! | `panels` | the weight stream of tile kernels |
//! | `transposed` | filters of transposed convolutions |
//! | `parts` | the parts of one constant shared between threads |
//! | `winograd` | filters transformed for Winograd's products |

mod constants;
mod filters;
mod fixed;
mod instructions;
mod integers;
mod lanes;
mod lanewise;
mod panels;
mod parts;
mod transposed;
mod winograd;

use std::fmt;

pub use constants::{PackError, pack_constants};
pub use filters::{FilterSource, Norm};
pub use fixed::FixedPanels;
pub use integers::Integers;
pub use panels::{ChannelOrder, Panels};
pub use transposed::Transposed;
pub use winograd::WinogradFilters;

use crate::threads::ThreadPool;
use crate::weights::{WeightError, WeightSource};

/// Floats of one vector; channels are padded to whole vectors.
pub(crate) const LANES: usize = 8;

/// How one constant of a plan is made from named tensors.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Recipe {
    /// Filters as the stream that tile kernels read.
    Panels {
        /// Which filters.
        filters: FilterSource,
        /// In which order.
        panels: Panels,
    },
    /// Filters as 16-bit fixed-point numbers, in the order that matrix–vector products read them.
    Fixed {
        /// Which filters.
        filters: FilterSource,
        /// In which blocks.
        panels: FixedPanels,
    },
    /// Filters transformed for Winograd's products.
    Winograd {
        /// Which filters.
        filters: FilterSource,
        /// How, and in which order.
        transformed: WinogradFilters,
    },
    /// Filters as 8-bit integers.
    Integers {
        /// Which filters, without norm.
        filters: FilterSource,
        /// What they are multiples of, and in which order.
        integers: Integers,
    },
    /// One filter a channel: per block of eight channels the bias, then each tap's eight weights.
    Lanewise {
        /// Which filters: `[channels, 1, kh, kw]`.
        filters: FilterSource,
    },
    /// A batch norm as `x · scale + shift`: the scales of all channels padded to whole vectors, then the shifts.
    ScaleShift {
        /// Which batch norm.
        norm: Norm,
        /// How many channels.
        channels: usize,
    },
    /// A tensor as it is, padded with zeros to whole vectors of eight.
    Tensor {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
}

impl Recipe {
    /// Floats of the result.
    pub fn floats(&self) -> usize {
        match self {
            Recipe::Panels { filters, panels } => panels.floats(filters),
            Recipe::Fixed { filters, panels } => panels.floats(filters),
            Recipe::Winograd { filters, transformed } => transformed.floats(filters),
            Recipe::Integers { filters, integers } => integers.floats(filters),
            Recipe::Lanewise { filters } => filters.count().next_multiple_of(LANES) * (1 + filters.taps()),
            Recipe::ScaleShift { channels, .. } => 2 * channels.next_multiple_of(LANES),
            Recipe::Tensor { shape, .. } => shape.iter().product::<usize>().next_multiple_of(LANES),
        }
    }

    /// Makes the constant, on all threads of the pool. `out` has [`Recipe::floats`] elements, all 0.
    ///
    /// The result does not depend on the number of threads. Filters are read in pieces of one panel, and given back to
    /// the source as they are packed.
    ///
    /// # Errors
    /// A tensor that is missing, has another shape or cannot be read.
    pub fn pack(&self, source: &dyn WeightSource, out: &mut [f32], pool: &ThreadPool) -> Result<(), WeightError> {
        debug_assert_eq!(out.len(), self.floats());
        match self {
            Recipe::Panels { filters, panels } => panels.pack(&filters.load(source)?, out, pool)?,
            Recipe::Fixed { filters, panels } => panels.pack(&filters.load(source)?, out, pool)?,
            Recipe::Winograd { filters, transformed } => transformed.pack(&filters.load(source)?, out, pool)?,
            Recipe::Integers { filters, integers } => integers.pack(source, &filters.load(source)?, out, pool)?,
            Recipe::Lanewise { filters } => lanewise::pack(&filters.load(source)?, out, pool)?,
            Recipe::ScaleShift { norm, channels } => {
                let (scales, shifts) = out.split_at_mut(channels.next_multiple_of(LANES));
                for (channel, (scale, shift)) in norm.load(source, *channels)?.into_iter().enumerate() {
                    scales[channel] = scale as f32;
                    shifts[channel] = shift as f32;
                }
            }
            Recipe::Tensor { name, shape } => {
                let tensor = source.tensor(name, shape)?;
                out[..tensor.len()].copy_from_slice(&tensor);
            }
        }
        for name in self.tensors() {
            source.release(&name, 0..usize::MAX);
        }
        Ok(())
    }

    /// The names of all tensors it needs.
    pub fn tensors(&self) -> Vec<String> {
        match self {
            Recipe::Panels { filters, .. }
            | Recipe::Fixed { filters, .. }
            | Recipe::Winograd { filters, .. }
            | Recipe::Lanewise { filters } => filters.tensors(),
            Recipe::Integers { filters, integers } => {
                let mut names = filters.tensors();
                names.push(integers.scales.clone());
                names
            }
            Recipe::ScaleShift { norm, .. } => norm.tensors(),
            Recipe::Tensor { name, .. } => vec![name.clone()],
        }
    }
}

impl Recipe {
    /// Everything that is wrong with its tensors, told without reading them.
    fn problems(&self, source: &dyn WeightSource) -> Vec<WeightError> {
        let shapes = match self {
            Recipe::Panels { filters, .. }
            | Recipe::Fixed { filters, .. }
            | Recipe::Winograd { filters, .. }
            | Recipe::Lanewise { filters } => filters.shapes(),
            Recipe::Integers { filters, integers } => {
                let mut shapes = filters.shapes();
                shapes.extend(integers.shapes(filters));
                shapes
            }
            Recipe::ScaleShift { norm, channels } => norm.shapes(*channels),
            Recipe::Tensor { name, shape } => vec![(name.clone(), shape.clone())],
        };
        let wrong = |(name, shape): &(String, Vec<usize>)| source.slice(name, shape, 0..0).err();
        shapes.iter().filter_map(wrong).collect()
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipe::Panels { filters, panels } => write!(f, "{panels}({filters})"),
            Recipe::Fixed { filters, panels } => write!(f, "{panels}({filters})"),
            Recipe::Winograd { filters, transformed } => write!(f, "{transformed}({filters})"),
            Recipe::Integers { filters, integers } => write!(f, "{integers}({filters})"),
            Recipe::Lanewise { filters } => write!(f, "lanewise({filters})"),
            Recipe::ScaleShift { norm, .. } => write!(f, "scale_shift({norm})"),
            Recipe::Tensor { name, .. } => write!(f, "{name}"),
        }
    }
}
