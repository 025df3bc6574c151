//! What an operator costs: parameters and multiplications, and how the number of multiplications comes about.

use std::fmt::Write;

use crate::op::{Conv, Op};
use crate::shape::Shape;

/// The cost of an operator for one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Learnt numbers. Running statistics of a batch norm are not among them, as in PyTorch's counts.
    pub parameters: u64,
    /// Multiplications of weights, each with its addition a MAC: those of convolutions and dense layers,
    /// as the field counts them.
    pub multiplications: u64,
    /// The multiplications as a product: `(4×4)×(3×3×3)×2 = 864`; empty where there are none.
    pub product: String,
}

impl Op {
    /// Its cost for one image with these operands; nothing if they do not fit it.
    pub fn cost(&self, operands: &[Shape]) -> Cost {
        let Ok(result) = self.shape(operands) else {
            return Cost::default();
        };
        let weights = self.weights("", operands);
        let parameters = weights
            .iter()
            .filter(|weight| weight.is_parameter())
            .fold(0, |sum: u64, weight| sum.saturating_add(weight.elements()));
        let (multiplications, product) = match self {
            Op::Conv(conv) => convolution(conv, operands[0], result),
            Op::Dense(dense) => {
                let factors = [operands[0].elements(), dense.units];
                (count(&factors), format!("{}×{}", factors[0], factors[1]))
            }
            Op::Input(_)
            | Op::Pool(_)
            | Op::GlobalPool(_)
            | Op::AdaptiveAvgPool(_)
            | Op::Activation(_)
            | Op::Prelu(_)
            | Op::Softmax(_)
            | Op::BatchNorm(_)
            | Op::Lrn(_)
            | Op::Combine(_)
            | Op::Concat(_)
            | Op::Flatten(_)
            | Op::Reshape(_)
            | Op::Pad(_)
            | Op::Upsample(_)
            | Op::ChannelShuffle(_)
            | Op::Dropout(_)
            | Op::Identity(_) => {
                return Cost {
                    parameters,
                    ..Cost::default()
                };
            }
        };
        Cost {
            parameters,
            multiplications: u64::try_from(multiplications).unwrap_or(u64::MAX),
            product: format!("{product} = {multiplications}"),
        }
    }
}

/// Output pixels × elements of one filter × filters.
fn convolution(conv: &Conv, input: Shape, result: Shape) -> (u128, String) {
    let [filters, depth, rows, columns] = conv.weight_dims(input.channels());
    let mut product = String::new();
    if let Shape::Map { height, width, .. } = result {
        product = format!("({height}×{width})×({rows}×{columns}×");
    }
    // Writing to a String cannot fail.
    let _ = match conv.groups {
        1 => write!(product, "{depth})"),
        groups => write!(product, "{}/{groups})", input.channels()),
    };
    if filters > 1 {
        let _ = write!(product, "×{filters}");
    }
    (count(&[result.plane(), rows, columns, depth, filters]), product)
}

fn count(factors: &[usize]) -> u128 {
    factors
        .iter()
        .fold(1, |product: u128, &factor| product.saturating_mul(factor as u128))
}
