//! Tensors held in memory, for library users who make their own weights, and for tests.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::{Nearest, WeightError, WeightSource, element_count};

/// A map from names to shapes and elements.
///
/// ```
/// use cnn_runtime::weights::{MapSource, WeightSource};
///
/// let mut weights = MapSource::new();
/// weights.insert("f6.bias", &[3], vec![0.1, 0.2, 0.3])?;
/// assert_eq!(*weights.tensor("f6.bias", &[3])?, [0.1, 0.2, 0.3]);
/// let error = weights.tensor("f6.bais", &[3]).unwrap_err();
/// assert!(error.to_string().contains("the nearest name present is `f6.bias`"));
/// # Ok::<(), cnn_runtime::weights::WeightError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MapSource {
    tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
}

impl MapSource {
    /// A source without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor of row-major `elements`, replacing one of the same name.
    ///
    /// # Errors
    /// [`WeightError::Count`] if the number of elements is not the product of `shape`.
    pub fn insert(&mut self, name: impl Into<String>, shape: &[usize], elements: Vec<f32>) -> Result<(), WeightError> {
        let name = name.into();
        if element_count(&name, shape)? != elements.len() {
            return Err(WeightError::Count {
                name,
                shape: shape.to_vec(),
                count: elements.len(),
            });
        }
        self.tensors.insert(name, (shape.to_vec(), elements));
        Ok(())
    }
}

impl WeightSource for MapSource {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        match self.tensors.get(name) {
            Some((found, elements)) if found == shape => Ok(Cow::Borrowed(&elements[range])),
            Some((found, _)) => Err(WeightError::Shape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: found.clone(),
                origin: self.describe(),
            }),
            None => Err(WeightError::Missing {
                name: name.to_owned(),
                expected: shape.to_vec(),
                nearest: Nearest::among(name, self.tensors.iter().map(|(name, (shape, _))| (&**name, &**shape))),
                origin: self.describe(),
            }),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.tensors.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    fn describe(&self) -> String {
        "the tensors given".to_owned()
    }
}
