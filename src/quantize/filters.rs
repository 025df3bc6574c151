//! Weights with folded norms, and as integers.

use cnn_ir::graph::{Node, NodeId};
use cnn_ir::op::{FoldedNorm, Op};
use cnn_ir::value::Quantisation;
use cnn_runtime::weights::WeightSource;

use super::prepare::Prepared;
use crate::Error;

/// The greatest integer of a weight.
const MOST: f32 = 127.0;
/// More than any sum of the most products may be, and less than 32 bits hold.
const LARGEST_SUM: f64 = 2_147_483_000.0;

/// Weights of a layer, a row for each filter.
pub(super) struct Filters {
    pub(super) shape: Vec<usize>,
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// The same as integers.
pub(super) struct IntegerFilters {
    pub(super) weight: Vec<i8>,
    pub(super) scale: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Filters {
    /// The weights of a convolution (transposed or not) or dense layer with its norm in them; `None` for other layers.
    pub(super) fn load(prepared: &Prepared, id: NodeId, source: &dyn WeightSource) -> Result<Option<Filters>, Error> {
        let node = &prepared.graph[id];
        let operands = prepared.shapes.operands(&prepared.graph, id);
        let (count, bias, norm) = if let Op::Conv(conv) = &node.op {
            (conv.filters, conv.bias, &conv.norm)
        } else if let Op::ConvTranspose(conv) = &node.op {
            (conv.filters, conv.bias, &conv.norm)
        } else if let Op::Dense(dense) = &node.op {
            (dense.units, dense.bias, &dense.norm)
        } else {
            return Ok(None);
        };
        let declared = node.op.weights(&node.weights, &operands);
        let Some(declared) = declared.into_iter().find(|tensor| tensor.role() == "weight") else {
            return Ok(None);
        };
        let mut filters = Filters {
            weight: source.tensor(&declared.name, &declared.shape)?.into_owned(),
            bias: match bias {
                true => source.tensor(&format!("{}.bias", node.weights), &[count])?.into_owned(),
                false => vec![0.0; count],
            },
            shape: declared.shape,
        };
        if let Some(norm) = norm {
            filters.fold(node, norm, source)?;
        }
        Ok(Some(filters))
    }

    /// `(x − μ) / √(σ² + ε) · γ + β` after it.
    fn fold(&mut self, node: &Node, norm: &FoldedNorm, source: &dyn WeightSource) -> Result<(), Error> {
        let count = self.bias.len();
        let part = |role: &str| source.tensor(&format!("{}.{role}", norm.weights), &[count]);
        let (gamma, beta) = (part("weight")?, part("bias")?);
        let (mean, variance) = (part("running_mean")?, part("running_var")?);
        let factor = |filter: usize| f64::from(gamma[filter]) / (f64::from(variance[filter]) + norm.epsilon).sqrt();
        for (filter, bias) in self.bias.iter_mut().enumerate() {
            let centred = f64::from(*bias) - f64::from(mean[filter]);
            *bias = (centred * factor(filter) + f64::from(beta[filter])) as f32;
        }
        // Of a transposed convolution: channels, then the filters of their group.
        let transposed = if let Op::ConvTranspose(conv) = &node.op {
            Some(conv.groups)
        } else {
            None
        };
        let channels = self.shape[0];
        let (inner, second): (usize, usize) = (self.shape[2.min(self.shape.len())..].iter().product(), self.shape[1]);
        for (i, weight) in self.weight.iter_mut().enumerate() {
            let row = i / (inner * second);
            let filter = match transposed {
                None => row,
                Some(groups) => row / (channels / groups) * second + i / inner % second,
            };
            *weight = (f64::from(*weight) * factor(filter)) as f32;
        }
        Ok(())
    }

    /// As integers, given what the operand's integers stand for. A sum of the most products, with the bias, surely fits 32
    /// bits.
    pub(super) fn integers(&self, from: Quantisation) -> IntegerFilters {
        let row = self.weight.len() / self.bias.len();
        let room = LARGEST_SUM - 255.0 * f64::from(MOST) * row as f64;
        let scale = |(filter, bias): (usize, &f32)| {
            let weights = &self.weight[filter * row..][..row];
            let most = weights.iter().fold(0f32, |most, weight| most.max(weight.abs()));
            // The bias is a whole number of products; where weights are next to nothing, it decides.
            let of_bias = f64::from(bias.abs()) / f64::from(from.scale) / room;
            // Their product must not be less than floats hold.
            let least = f32::MIN_POSITIVE / from.scale.min(1.0) * 2.0;
            (most / MOST).max(of_bias as f32).max(least)
        };
        let scale: Vec<f32> = self.bias.iter().enumerate().map(scale).collect();
        let integer = |(i, weight): (usize, &f32)| (weight / scale[i / row]).round_ties_even().clamp(-MOST, MOST) as i8;
        IntegerFilters {
            weight: self.weight.iter().enumerate().map(integer).collect(),
            bias: self.bias.clone(),
            scale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Quantisation = Quantisation {
        scale: 0.5,
        zero_point: 3,
    };

    #[test]
    fn each_filter_has_the_scale_of_its_largest_weight() {
        let filters = Filters {
            shape: vec![2, 3],
            weight: vec![0.5, -1.27, 0.0, 1e-30, 0.0, -1e-30],
            bias: vec![1.0, -3.0],
        };
        let integers = filters.integers(FROM);
        assert_eq!(integers.weight[..3], [50, -127, 0]);
        assert_eq!(integers.scale[0], 1.27 / 127.0);
        // The bias of a filter of nothing is not lost to an overflow.
        assert_eq!(integers.weight[3..], [0, 0, 0]);
        let whole = f64::from(integers.bias[1]) / f64::from(FROM.scale * integers.scale[1]);
        assert!(whole.abs() < LARGEST_SUM && whole.abs() > 1e9, "{whole}");
    }
}
