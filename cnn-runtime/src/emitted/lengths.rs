//! Slices whose lengths are not a network's.

use thiserror::Error;

/// Slices that are not a network's inputs or outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LengthError {
    /// So many slices are not what the network has.
    #[error("the network has {expected} {what}s, found {found}")]
    Count {
        /// `input` or `output`.
        what: &'static str,
        /// How many the network has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A slice is not as long as the array that it stands for.
    #[error("{what} {index} has {expected} elements, found {found}")]
    Elements {
        /// `input` or `output`.
        what: &'static str,
        /// Which of them, from 0.
        index: usize,
        /// How many elements it has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
}

impl LengthError {
    /// Compares the lengths of slices with those of the network's arrays.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(
        what: &'static str,
        expected: &[usize],
        found: impl ExactSizeIterator<Item = usize>,
    ) -> Result<(), LengthError> {
        if expected.len() != found.len() {
            return Err(LengthError::Count {
                what,
                expected: expected.len(),
                found: found.len(),
            });
        }
        let mut pairs = expected.iter().zip(found).enumerate();
        match pairs.find(|(_, (expected, found))| *expected != found) {
            None => Ok(()),
            Some((index, (&expected, found))) => Err(LengthError::Elements {
                what,
                index,
                expected,
                found,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named() {
        let check = |found: &[usize]| LengthError::check("input", &[4, 6], found.iter().copied());
        assert_eq!(check(&[4, 6]), Ok(()));
        let says = |found: &[usize]| check(found).map_err(|error| error.to_string());
        assert_eq!(says(&[4]), Err("the network has 2 inputs, found 1".into()));
        assert_eq!(says(&[4, 7]), Err("input 1 has 6 elements, found 7".into()));
    }
}
