//! All constants of a network in one block.

use std::collections::HashSet;
use std::fmt;

use thiserror::Error;

use super::Recipe;
use crate::memory::{AlignedBuffer, MemoryError};
use crate::threads::ThreadPool;
use crate::weights::{MOST_PROBLEMS, WeightError, WeightSource};

/// Why a network's constants could not be made.
#[derive(Error)]
pub enum PackError {
    /// Tensors are missing, misshapen or cannot be read: all of them, or the first [`MOST_PROBLEMS`].
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Weights(Vec<WeightError>),
    /// There is not enough memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl PackError {
    /// Whether nothing is wrong but that 16 bits do not hold a dense layer's weights: a plan that keeps all bits mends it.
    pub fn is_coarse(&self) -> bool {
        match self {
            PackError::Weights(errors) => errors.iter().all(|error| matches!(error, WeightError::Coarse { .. })),
            PackError::Memory(_) => false,
        }
    }
}

impl fmt::Debug for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
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
    let mut errors: Vec<WeightError> = Vec::new();
    for (offset, recipe) in recipes {
        let first = offset / size_of::<f32>();
        let out = &mut floats[first..first + recipe.floats()];
        // The first that is in its way; then all that are.
        let Err(error) = recipe.pack(weights, out, pool) else {
            continue;
        };
        let problems = recipe.problems(weights);
        errors.extend(if problems.is_empty() { vec![error] } else { problems });
        if errors.len() >= MOST_PROBLEMS {
            break;
        }
    }
    if errors.is_empty() {
        return Ok(block);
    }
    // A tensor that several layers share is told once.
    let mut told = HashSet::new();
    errors.retain(|error| told.insert(error.to_string()));
    Err(PackError::Weights(errors))
}
