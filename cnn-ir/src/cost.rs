//! What an operator and a network cost: parameters and multiplications, and how the number of multiplications comes
//! about.

use std::collections::BTreeMap;

use crate::graph::Graph;
use crate::op::{Op, WeightDecl};
use crate::shape::Shape;
use crate::validate::Shapes;

/// The cost of an operator for one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Learnt numbers. Running statistics of a batch norm are not among them, as in PyTorch's counts.
    pub parameters: u64,
    /// Multiplications, each with its addition a MAC: those of convolutions, dense layers and matrix products, as the
    /// field counts them.
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
        let Some((multiplications, product)) = self.multiplications(operands, result) else {
            return Cost {
                parameters,
                ..Cost::default()
            };
        };
        Cost {
            parameters,
            multiplications: u64::try_from(multiplications).unwrap_or(u64::MAX),
            product: format!("{product} = {multiplications}"),
        }
    }
}

/// The tensors of weights that a network needs, by name, each once.
pub fn weights(graph: &Graph, shapes: &Shapes) -> Vec<WeightDecl> {
    let tensors = graph
        .ids()
        .flat_map(|id| graph[id].op.weights(&graph[id].weights, &shapes.operands(graph, id)));
    // Two layers may share a tensor; if they want different shapes of it, both are asked for.
    let by_name: BTreeMap<_, _> = tensors
        .map(|tensor| ((tensor.name.clone(), tensor.shape.clone()), tensor))
        .collect();
    by_name.into_values().collect()
}

/// How many numbers training learns. Running statistics of batch norms are not among them, as in PyTorch's counts.
pub fn parameters(graph: &Graph, shapes: &Shapes) -> u64 {
    let learnt = weights(graph, shapes).into_iter().filter(WeightDecl::is_parameter);
    learnt.fold(0, |sum: u64, tensor| sum.saturating_add(tensor.elements()))
}

/// Multiplications for one image, each with its addition a MAC: those of convolutions and dense layers.
pub fn multiplications(graph: &Graph, shapes: &Shapes) -> u64 {
    let cost = |id| graph[id].op.cost(&shapes.operands(graph, id)).multiplications;
    graph.ids().map(cost).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{BatchNorm, Conv, Dense, FoldedNorm, Padding, Pair};

    fn conv(filters: usize, kernel: usize, groups: usize) -> Conv {
        Conv {
            filters,
            kernel: Pair::both(kernel),
            stride: Pair::ONE,
            padding: Padding::Valid,
            dilation: Pair::ONE,
            groups,
            bias: true,
            quantized: false,
            activation: None,
            norm: None,
            residual: false,
        }
    }

    #[test]
    fn a_convolution_multiplies_once_a_tap_and_pixel() {
        let image = [Shape::map(3, 6, 6)];
        let one = Op::Conv(conv(1, 3, 1)).cost(&image);
        assert_eq!(
            (one.multiplications, one.product.as_str()),
            (432, "(4×4)×(3×3×3) = 432")
        );
        let two = Op::Conv(conv(2, 3, 1)).cost(&image);
        assert_eq!(two.product, "(4×4)×(3×3×3)×2 = 864");
        assert_eq!(two.parameters, 2 * 27 + 2);
    }

    #[test]
    fn one_channel_is_not_written() {
        let cost = Op::Conv(conv(1, 3, 1)).cost(&[Shape::map(1, 4, 4)]);
        assert_eq!(cost.product, "(2×2)×(3×3) = 36");
    }

    #[test]
    fn groups_see_only_their_channels() {
        let cost = Op::Conv(conv(8, 3, 2)).cost(&[Shape::map(4, 5, 5)]);
        assert_eq!((cost.parameters, cost.multiplications), (8 * 2 * 9 + 8, 9 * 9 * 2 * 8));
        assert_eq!(cost.product, "(3×3)×(3×3×4/2)×8 = 1296");
    }

    #[test]
    fn a_dense_layer_multiplies_once_a_weight() {
        let dense = Op::Dense(Dense {
            units: 120,
            bias: true,
            quantized: false,
            activation: None,
            norm: None,
        });
        let cost = dense.cost(&[Shape::Flat(400)]);
        assert_eq!((cost.parameters, cost.product.as_str()), (48120, "400×120 = 48000"));
    }

    #[test]
    fn running_statistics_are_no_parameters() {
        let norm = Op::BatchNorm(BatchNorm {
            epsilon: 1e-5,
            activation: None,
        });
        let expected = Cost {
            parameters: 128,
            ..Cost::default()
        };
        assert_eq!(norm.cost(&[Shape::map(64, 7, 7)]), expected);
        let folded = Op::Conv(Conv {
            bias: false,
            norm: Some(FoldedNorm {
                weights: "bn".to_owned(),
                epsilon: 1e-5,
            }),
            ..conv(2, 3, 1)
        });
        assert_eq!(folded.cost(&[Shape::map(3, 6, 6)]).parameters, 54 + 4);
    }

    #[test]
    fn what_does_not_fit_costs_nothing() {
        assert_eq!(Op::Conv(conv(1, 9, 1)).cost(&[Shape::map(3, 6, 6)]), Cost::default());
        assert_eq!(Op::Conv(conv(1, 3, 1)).cost(&[]), Cost::default());
    }
}
