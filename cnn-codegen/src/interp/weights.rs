//! A layer's weights, loaded once: the matrix as it is, everything per channel as one scale and shift in f64.

use cnn_ir::graph::Node;
use cnn_ir::op::{FoldedNorm, Op};
use cnn_ir::shape::Shape;
use cnn_runtime::weights::{WeightError, WeightSource};

/// `scale · x + shift`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine {
    scale: f64,
    shift: f64,
}

impl Affine {
    pub(super) fn apply(self, x: f64) -> f64 {
        self.scale * x + self.shift
    }
}

/// The weights of one layer. What a layer does not have is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    /// Of a convolution `[filters, C/groups, kh, kw]`, of a transposed one `[C, filters/groups, kh, kw]`, of a dense
    /// layer `[units, N]`.
    pub(super) matrix: Vec<f32>,
    /// Bias and (folded) batch norm, one for each output channel.
    pub(super) affine: Vec<Affine>,
    /// PReLU's slopes, `[C]`; a constant's value; the scales of a quantised layer's filters.
    pub(super) vector: Vec<f32>,
    /// Of a recurrent layer: a direction after the other, each of features, of the state, and both biases.
    pub(super) recurrent: Vec<Vec<f32>>,
}

impl Weights {
    /// Loads what `node` needs when its first operand has shape `input`.
    pub(super) fn load(node: &Node, input: Option<Shape>, source: &dyn WeightSource) -> Result<Weights, WeightError> {
        let mut weights = Weights::default();
        let channels = input.map_or(0, |input| input.channels());
        match &node.op {
            Op::Conv(conv) => {
                let shape = [conv.filters, channels / conv.groups, conv.kernel.h, conv.kernel.w];
                weights.matrix = tensor(source, &node.weights, "weight", &shape)?;
                weights.affine = bias(source, &node.weights, conv.bias, conv.filters)?;
                fold(source, conv.norm.as_ref(), &mut weights.affine)?;
            }
            Op::ConvTranspose(conv) => {
                weights.matrix = tensor(source, &node.weights, "weight", &conv.weight_dims(channels))?;
                weights.affine = bias(source, &node.weights, conv.bias, conv.filters)?;
                fold(source, conv.norm.as_ref(), &mut weights.affine)?;
            }
            Op::Dense(dense) => {
                let shape = [dense.units, input.map_or(0, |input| input.elements())];
                weights.matrix = tensor(source, &node.weights, "weight", &shape)?;
                weights.affine = bias(source, &node.weights, dense.bias, dense.units)?;
                fold(source, dense.norm.as_ref(), &mut weights.affine)?;
            }
            Op::QuantizedConv(layer) => {
                let conv = &layer.conv;
                weights.matrix = tensor(source, &node.weights, "weight", &conv.weight_dims(channels))?;
                weights.vector = tensor(source, &node.weights, "weight_scale", &[conv.filters])?;
                weights.affine = bias(source, &node.weights, conv.bias, conv.filters)?;
            }
            Op::QuantizedDense(layer) => {
                let dense = &layer.dense;
                let shape = [dense.units, input.map_or(0, |input| input.elements())];
                weights.matrix = tensor(source, &node.weights, "weight", &shape)?;
                weights.vector = tensor(source, &node.weights, "weight_scale", &[dense.units])?;
                weights.affine = bias(source, &node.weights, dense.bias, dense.units)?;
            }
            Op::BatchNorm(norm) => {
                weights.affine = batch_norm(source, &node.weights, norm.epsilon, channels)?;
            }
            Op::Prelu(_) => weights.vector = tensor(source, &node.weights, "slope", &[channels])?,
            Op::Constant(constant) => {
                let declared = constant.tensor(&node.weights);
                weights.vector = source.tensor(&declared.name, &declared.shape)?.into_owned();
            }
            Op::Recurrent(recurrent) => {
                let features = input.map_or(0, |input| input.extent()[2]);
                for &reverse in recurrent.directions() {
                    for declared in recurrent.direction_weights(&node.weights, reverse, features) {
                        let tensor = source.tensor(&declared.name, &declared.shape)?.into_owned();
                        weights.recurrent.push(tensor);
                    }
                }
            }
            Op::Input(_)
            | Op::Pool(_)
            | Op::AdaptiveAvgPool(_)
            | Op::Activation(_)
            | Op::Softmax(_)
            | Op::Lrn(_)
            | Op::Combine(_)
            | Op::Matmul(_)
            | Op::Concat(_)
            | Op::Reshape(_)
            | Op::Pad(_)
            | Op::Resize(_)
            | Op::Reduce(_)
            | Op::ArgExtreme(_)
            | Op::TopK(_)
            | Op::CumSum(_)
            | Op::Gather(_)
            | Op::Tile(_)
            | Op::Slice(_)
            | Op::Transpose(_)
            | Op::DepthToSpace(_)
            | Op::SpaceToDepth(_)
            | Op::ChannelShuffle(_)
            | Op::Quantize(_)
            | Op::Dequantize(_)
            | Op::QuantizedAdd(_)
            | Op::Identity(_)
            | Op::Composite(_) => {}
        }
        Ok(weights)
    }
}

/// The tensor `prefix.name`.
fn tensor(source: &dyn WeightSource, prefix: &str, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightError> {
    Ok(source.tensor(&format!("{prefix}.{name}"), shape)?.into_owned())
}

/// Adding a bias, or nothing.
fn bias(source: &dyn WeightSource, prefix: &str, present: bool, channels: usize) -> Result<Vec<Affine>, WeightError> {
    let bias = if present {
        tensor(source, prefix, "bias", &[channels])?
    } else {
        vec![0.0; channels]
    };
    Ok(bias
        .into_iter()
        .map(|bias| Affine {
            scale: 1.0,
            shift: f64::from(bias),
        })
        .collect())
}

/// A batch norm of `channels` channels: `(x − μ) / √(σ² + ε) · γ + β`.
fn batch_norm(
    source: &dyn WeightSource,
    prefix: &str,
    epsilon: f64,
    channels: usize,
) -> Result<Vec<Affine>, WeightError> {
    let shape = [channels];
    let gamma = tensor(source, prefix, "weight", &shape)?;
    let beta = tensor(source, prefix, "bias", &shape)?;
    let mean = tensor(source, prefix, "running_mean", &shape)?;
    let variance = tensor(source, prefix, "running_var", &shape)?;
    let affine = |c: usize| {
        let scale = f64::from(gamma[c]) / (f64::from(variance[c]) + epsilon).sqrt();
        let shift = f64::from(beta[c]) - f64::from(mean[c]) * scale;
        Affine { scale, shift }
    };
    Ok((0..channels).map(affine).collect())
}

/// Applies a folded batch norm after `affine`.
fn fold(source: &dyn WeightSource, norm: Option<&FoldedNorm>, affine: &mut [Affine]) -> Result<(), WeightError> {
    let Some(norm) = norm else { return Ok(()) };
    let outer = batch_norm(source, &norm.weights, norm.epsilon, affine.len())?;
    for (inner, outer) in affine.iter_mut().zip(outer) {
        *inner = Affine {
            scale: outer.scale * inner.scale,
            shift: outer.apply(inner.shift),
        };
    }
    Ok(())
}
