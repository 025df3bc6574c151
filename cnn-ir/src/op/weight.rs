//! Weights that an operator needs: names and shapes, as a state dict has them.

use crate::value::ElementType;

/// A tensor of weights.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WeightDecl {
    /// Its full name: `c1.weight`.
    pub name: String,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
}

impl WeightDecl {
    pub(super) fn new(prefix: &str, role: &str, shape: &[usize]) -> WeightDecl {
        WeightDecl {
            name: format!("{prefix}.{role}"),
            shape: shape.to_vec(),
        }
    }

    /// The four tensors of a batch norm.
    pub(super) fn norm(prefix: &str, channels: usize) -> Vec<WeightDecl> {
        ["weight", "bias", "running_mean", "running_var"]
            .iter()
            .map(|role| WeightDecl::new(prefix, role, &[channels]))
            .collect()
    }

    /// What it is to its layer: `weight`, `bias`, `slope`, `value`, `running_mean` or `running_var`.
    pub fn role(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    /// Whether training learns it. Running statistics are measured, and do not count as parameters.
    pub fn is_parameter(&self) -> bool {
        !matches!(self.role(), "running_mean" | "running_var")
    }

    /// Bytes of its elements: weights are kept in f32, whatever they were stored in.
    pub fn bytes(&self) -> u64 {
        self.elements().saturating_mul(ElementType::F32.bytes() as u64)
    }

    /// The number of elements.
    pub fn elements(&self) -> u64 {
        self.shape
            .iter()
            .fold(1, |product: u64, &dim| product.saturating_mul(dim as u64))
    }
}
