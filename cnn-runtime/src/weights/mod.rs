//! Where a network's weights come from: the [`WeightSource`] trait and its implementations.
//!
//! | module | what it owns |
//! |---|---|
//! | `element` | [`Element`], the types that tensors are stored in |
//! | `error` | [`WeightError`] and its texts |
//! | `safetensors` | [`SafetensorsFile`] (memory-mapped) and [`SafetensorsBytes`] (embedded) |
//! | `synthetic` | [`Synthetic`], the reproducible `random:SEED` weights, and [`synthetic_input`] |
//! | `map` | [`MapSource`], tensors held in memory |
//! | `mapped` | [`MappedFile`], a file's bytes |
//! | `foreign` | files of other kinds that are given as weights |
//! | `prefixed` | [`Prefixed`], names with something before them |
//!
//! A source is asked for a tensor by name *and* shape, so that no caller can forget to check.

mod element;
mod error;
mod foreign;
mod map;
mod mapped;
mod prefixed;
mod safetensors;
mod synthetic;

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

pub use element::Element;
pub use error::{MOST_PROBLEMS, Nearest, WeightError};
pub use map::MapSource;
pub use mapped::MappedFile;
pub use prefixed::{Prefixed, prefix};
pub use safetensors::{Safetensors, SafetensorsBytes, SafetensorsFile};
pub use synthetic::{Synthetic, synthetic_input};

/// Named f32 tensors in row-major order.
///
/// Sources are shared between threads while weights are packed, hence `Sync`.
pub trait WeightSource: Sync {
    /// The elements of tensor `name`, which must have exactly the shape `shape`.
    ///
    /// # Errors
    /// As [`slice`](Self::slice).
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Cow<'_, [f32]>, WeightError> {
        self.slice(name, shape, 0..element_count(name, shape)?)
    }

    /// Elements `range`, counted row-major, of tensor `name`, which must have exactly the shape `shape`: large tensors
    /// are read piece by piece, so that they are never in memory as a whole.
    ///
    /// Borrowed where the source holds aligned f32 already, otherwise converted (f16, bf16 and
    /// f64 are rounded to the nearest f32).
    ///
    /// # Errors
    /// [`WeightError::Missing`] with the nearest name present, [`WeightError::Shape`],
    /// [`WeightError::Dtype`], or [`WeightError::OutOfMemory`].
    ///
    /// # Panics
    /// If the tensor of that shape does not have all elements of `range`.
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError>;

    /// Says that elements `range` of a tensor (as far as it has them) will not be asked for again soon, so that their
    /// memory can be given back. They can still be asked for.
    fn release(&self, _name: &str, _range: Range<usize>) {}

    /// All names present, sorted. Empty if the source makes up tensors as they are asked for.
    fn names(&self) -> Vec<String>;

    /// What this source is, for messages: a file's path, `random:7`, …
    fn describe(&self) -> String;

    /// The names present that are not in `used`, sorted: what a caller should warn about.
    ///
    /// PyTorch's `num_batches_tracked` counters, which say nothing about inference, are left out.
    fn unused(&self, used: &HashSet<String>) -> Vec<String> {
        let mut names = self.names();
        names.retain(|name| !used.contains(name) && name.rsplit('.').next() != Some("num_batches_tracked"));
        names
    }
}

/// The number of elements of `shape`, or the error that says it overflows.
fn element_count(name: &str, shape: &[usize]) -> Result<usize, WeightError> {
    shape
        .iter()
        .try_fold(1usize, |count, &dim| count.checked_mul(dim))
        .filter(|&count| count <= isize::MAX as usize / size_of::<f64>())
        .ok_or_else(|| WeightError::OutOfMemory {
            name: name.to_owned(),
            shape: shape.to_vec(),
        })
}

/// An empty vector with room for `count` elements, or the error that says there is no memory.
fn reserve(name: &str, shape: &[usize], count: usize) -> Result<Vec<f32>, WeightError> {
    let mut elements = Vec::new();
    match elements.try_reserve_exact(count) {
        Ok(()) => Ok(elements),
        Err(_) => Err(WeightError::OutOfMemory {
            name: name.to_owned(),
            shape: shape.to_vec(),
        }),
    }
}
