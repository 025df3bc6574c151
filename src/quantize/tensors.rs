//! The weights of the new network: 8-bit integers and floats by name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cnn_ir::cost;
use cnn_runtime::memory;
use cnn_runtime::weights::{Nearest, WeightError, WeightSource};

use super::prepare::Prepared;
use crate::io::safetensors::{Elements, Tensor};
use crate::{Error, Options, error};

/// A tensor's elements.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Floats(Vec<f32>),
    /// To be multiplied with the scale of their row, which the tensor `NAME_scale` has.
    Integers(Vec<i8>),
}

/// Tensors by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Tensors(Arc<BTreeMap<String, (Vec<usize>, Data)>>);

impl From<BTreeMap<String, (Vec<usize>, Data)>> for Tensors {
    fn from(tensors: BTreeMap<String, (Vec<usize>, Data)>) -> Tensors {
        Tensors(Arc::new(tensors))
    }
}

impl Tensors {
    /// For a file: floats first, so that they are aligned there.
    pub(super) fn list(&self) -> Vec<Tensor<'_>> {
        let floats = |data: &Data| matches!(data, Data::Floats(_));
        let (first, last): (Vec<_>, Vec<_>) = self.0.iter().partition(|(_, (_, data))| floats(data));
        let all = first.into_iter().chain(last);
        all.map(|(name, (shape, data))| Tensor {
            name,
            shape,
            elements: match data {
                Data::Floats(floats) => Elements::F32(floats),
                Data::Integers(integers) => Elements::I8(integers),
            },
        })
        .collect()
    }

    /// Bytes of all elements.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = |data: &Data| match data {
            Data::Floats(floats) => size_of_val(&**floats),
            Data::Integers(integers) => integers.len(),
        };
        self.0.values().map(|(_, data)| bytes(data) as u64).sum()
    }

    fn find(&self, name: &str, shape: &[usize]) -> Result<&Data, WeightError> {
        match self.0.get(name) {
            Some((found, data)) if found == shape => Ok(data),
            Some((found, _)) => Err(WeightError::Shape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: found.clone(),
                origin: self.describe(),
            }),
            None => Err(WeightError::Missing {
                name: name.to_owned(),
                expected: shape.to_vec(),
                nearest: Nearest::among(name, self.0.iter().map(|(name, (shape, _))| (&**name, &**shape))),
                origin: self.describe(),
            }),
        }
    }
}

impl WeightSource for Tensors {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        match self.find(name, shape)? {
            Data::Floats(floats) => Ok(Cow::Borrowed(&floats[range])),
            Data::Integers(integers) => {
                let scales = self.slice(&format!("{name}_scale"), &shape[..1], 0..shape[0])?;
                let row: usize = shape[1..].iter().product();
                let scaled = range.map(|i| f32::from(integers[i]) * scales[i / row]);
                Ok(Cow::Owned(scaled.collect()))
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn describe(&self) -> String {
        "the quantised weights".to_owned()
    }
}

/// An error if the network's weights, as they are held here several times, are more than may be taken: those of the
/// compiled network, of the two that it is compared with, and the new ones.
pub(super) fn check_memory(prepared: &Prepared, options: &Options) -> Result<(), Error> {
    const COPIES: u64 = 4;
    let weights = cost::weights(&prepared.graph, &prepared.shapes);
    let bytes = weights
        .iter()
        .fold(0u64, |sum, tensor| sum.saturating_add(tensor.bytes()))
        .saturating_mul(COPIES);
    memory::allow(bytes.into(), options.max_memory).map_err(|limit| {
        Error::Limit(format!(
            "quantising needs {} for {COPIES} copies of the weights, and {} may be taken",
            error::bytes(bytes.into()),
            error::bytes(limit.into())
        ))
    })
}
