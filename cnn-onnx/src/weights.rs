//! The weights of an imported network: tensors of the file under the names that the network's layers give them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cnn_runtime::weights::{MappedFile, Nearest, WeightError, WeightSource};

use crate::tensor::Tensor;

/// A layer's weight: a tensor of the file as it is, or turned when it is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Weight {
    Plain(Tensor),
    /// A matrix whose rows are the tensor's columns; axes before them, of 1, come last.
    Transposed(Tensor),
}

impl Weight {
    pub(crate) fn dims(&self) -> Vec<usize> {
        match self {
            Weight::Plain(tensor) => tensor.dims.clone(),
            Weight::Transposed(tensor) => tensor.dims.iter().rev().copied().collect(),
        }
    }

    pub(crate) fn tensor(&self) -> &Tensor {
        match self {
            Weight::Plain(tensor) | Weight::Transposed(tensor) => tensor,
        }
    }

    fn floats(&self, name: &str, range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        match self {
            Weight::Plain(tensor) => tensor.floats(name, range),
            Weight::Transposed(tensor) => turned(tensor, name, range).map(Cow::Owned),
        }
    }
}

/// Elements `range` of a matrix's columns, one column after the other. Only those columns are read and converted, row by
/// row as they lie.
fn turned(tensor: &Tensor, name: &str, range: Range<usize>) -> Result<Vec<f32>, WeightError> {
    // `[1, 1, rows, columns]` where it is a filter's.
    let columns = tensor.dims.last().copied().unwrap_or(1).max(1);
    let rows = (tensor.len() / columns).max(1);
    let mut turned = Vec::new();
    turned
        .try_reserve_exact(range.len())
        .map_err(|_| WeightError::OutOfMemory {
            name: name.to_owned(),
            shape: vec![columns, rows],
        })?;
    turned.resize(range.len(), 0.0);
    let (first, last) = (range.start / rows, range.end.div_ceil(rows));
    for row in 0..rows {
        let elements = tensor.floats(name, row * columns + first..row * columns + last)?;
        for (column, element) in (first..last).zip(elements.iter()) {
            let place = (column * rows + row).checked_sub(range.start);
            if let Some(place) = place.and_then(|place| turned.get_mut(place)) {
                *place = *element;
            }
        }
    }
    Ok(turned)
}

/// The weights of an imported network, read from the file when they are asked for.
#[derive(Clone, Debug)]
pub struct OnnxWeights {
    pub(crate) tensors: BTreeMap<String, Weight>,
    /// The mapped files that tensors lie in.
    pub(crate) files: Vec<Arc<MappedFile>>,
    pub(crate) origin: String,
}

impl OnnxWeights {
    /// Whether another import of the same file has these weights too: some may be computed from the sizes of inputs.
    pub fn is_the_same_as(&self, other: &OnnxWeights) -> bool {
        let same = |(one, other): (&Weight, &Weight)| match (one, other) {
            (Weight::Plain(one), Weight::Plain(other)) | (Weight::Transposed(one), Weight::Transposed(other)) => {
                one.is_the_same_as(other)
            }
            (Weight::Plain(_), Weight::Transposed(_)) | (Weight::Transposed(_), Weight::Plain(_)) => false,
        };
        self.tensors.keys().eq(other.tensors.keys()) && self.tensors.values().zip(other.tensors.values()).all(same)
    }

    /// The shape of tensor `name`.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).map(Weight::dims)
    }
}

impl WeightSource for OnnxWeights {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        match self.tensors.get(name) {
            Some(weight) if weight.dims() == shape => weight.floats(name, range),
            Some(weight) => Err(WeightError::Shape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: weight.dims(),
                origin: self.describe(),
            }),
            None => {
                let present: Vec<_> = self
                    .tensors
                    .iter()
                    .map(|(name, weight)| (name, weight.dims()))
                    .collect();
                Err(WeightError::Missing {
                    name: name.to_owned(),
                    expected: shape.to_vec(),
                    nearest: Nearest::among(name, present.iter().map(|(name, dims)| (name.as_str(), &**dims))),
                    origin: self.describe(),
                })
            }
        }
    }

    fn release(&self, name: &str, range: Range<usize>) {
        // A turned matrix is read all over for every row.
        let Some(Weight::Plain(tensor)) = self.tensors.get(name) else {
            return;
        };
        let bytes = tensor.bytes(range).as_ptr_range();
        for file in &self.files {
            let all = (**file).as_ref().as_ptr_range();
            if all.start <= bytes.start && bytes.end <= all.end {
                let offset = bytes.start.addr() - all.start.addr();
                file.release(offset..offset + (bytes.end.addr() - bytes.start.addr()));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn describe(&self) -> String {
        self.origin.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{DataType, Numbers};
    use cnn_runtime::weights::Element;

    /// Whatever part of a turned matrix is asked for, it is that part of the whole.
    #[test]
    fn parts_of_turned_matrices() {
        let (rows, columns) = (3, 4);
        let numbers = Numbers::Float((0..12).map(f64::from).collect());
        let whole: Vec<f32> = (0..12).map(|i| (i % rows * columns + i / rows) as f32).collect();
        for element in [Element::F32, Element::F16, Element::Bf16, Element::F64] {
            let tensor = Tensor::from_numbers(vec![rows, columns], DataType::Float(element), &numbers);
            let weight = Weight::Transposed(tensor);
            assert_eq!(weight.dims(), [columns, rows]);
            for start in 0..=12 {
                for end in start..=12 {
                    let part = weight.floats("w", start..end).unwrap();
                    assert_eq!(*part, whole[start..end], "{element:?} {start}..{end}");
                }
            }
        }
    }
}
