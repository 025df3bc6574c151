//! All constants of a network in one block.

use thiserror::Error;

use super::Recipe;
use crate::memory::{AlignedBuffer, MemoryError};
use crate::threads::ThreadPool;
use crate::weights::{WeightError, WeightSource};

/// Why a network's constants could not be made.
#[derive(Debug, Error)]
pub enum PackError {
    /// Tensors are missing, misshapen or cannot be read: the first of every recipe that fails.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Weights(Vec<WeightError>),
    /// There is not enough memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Carries out recipes, each on all threads, and lays each result so many bytes into a block of `bytes`.
///
/// # Errors
/// [`PackError`]
///
/// # Panics
/// If a recipe's place is not within the block.
pub fn pack_constants<'a>(
    recipes: impl IntoIterator<Item = (usize, &'a Recipe)>,
    bytes: usize,
    weights: &dyn WeightSource,
    pool: &ThreadPool,
) -> Result<AlignedBuffer, PackError> {
    let mut block = AlignedBuffer::zeroed_bytes(bytes)?;
    let floats = block.floats_mut();
    let mut errors = Vec::new();
    for (offset, recipe) in recipes {
        let first = offset / size_of::<f32>();
        let out = &mut floats[first..first + recipe.floats()];
        errors.extend(recipe.pack(weights, out, pool).err());
    }
    match errors.is_empty() {
        true => Ok(block),
        false => Err(PackError::Weights(errors)),
    }
}
