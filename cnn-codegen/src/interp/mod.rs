//! The interpreter: what a graph means, as plain loops in f64 over one image at a time.
//!
//! It is the oracle that every back end is compared with, so it uses no plan and no layout, and each operator is
//! written as its definition reads. It executes a graph as declared and after any pass.
//!
//! | module | what it owns |
//! |---|---|
//! | `tensor` | [`Tensor`], one image's value |
//! | `weights` | a layer's weights, batch norm folded into a scale and shift per channel |
//! | `activation`, `along`, `conv`, `dense`, `pool`, `norm`, `combine`, `softmax`, `reduce`, `rearrange`, `recurrent`, `integer` | the operators |
//! | `error` | [`InterpreterError`] |

mod activation;
mod along;
mod combine;
mod conv;
mod dense;
mod error;
mod integer;
mod norm;
mod pool;
mod rearrange;
pub mod recurrent;
mod reduce;
mod softmax;
mod tensor;
#[cfg(test)]
mod tests;
mod weights;

use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::{Input, InputLayout, Op};
use cnn_ir::passes;
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;
use cnn_runtime::weights::WeightSource;

pub use error::InterpreterError;
use integer::Scales;
pub use tensor::Tensor;
use weights::Weights;

/// A graph with its weights, ready to be run.
#[derive(Debug)]
pub struct Interpreter {
    graph: Graph,
    /// Operands before users.
    steps: Vec<Step>,
}

/// One layer, with what does not depend on the input.
#[derive(Debug)]
struct Step {
    id: NodeId,
    operands: Vec<NodeId>,
    shape: Shape,
    scales: Scales,
    weights: Weights,
}

/// The values of all layers for one image.
#[derive(Debug)]
pub struct Values(Vec<Option<Tensor>>);

impl Values {
    /// The value of a layer of the graph.
    pub fn get(&self, id: NodeId) -> Option<&Tensor> {
        self.0.get(id.index())?.as_ref()
    }
}

impl Interpreter {
    /// Loads all weights of `graph`, whose shapes are `shapes`.
    ///
    /// # Errors
    /// [`InterpreterError::Weights`], or [`InterpreterError::Cycle`] for a graph that cannot have been validated.
    pub fn new(graph: &Graph, shapes: &Shapes, source: &dyn WeightSource) -> Result<Interpreter, InterpreterError> {
        let mut graph = graph.clone();
        let expanded;
        let shapes = if graph.ids().any(|id| matches!(graph[id].op, Op::Composite(_))) {
            expanded = passes::expand(&mut graph).map_err(|invalid| InterpreterError::Invalid(invalid.to_string()))?;
            &expanded
        } else {
            shapes
        };
        let order = graph
            .order()
            .map_err(|cycle| InterpreterError::Cycle(cycle.into_iter().map(|id| graph[id].name.clone()).collect()))?;
        let mut steps = Vec::with_capacity(order.len());
        for id in order {
            let operands = graph.operands(id);
            let scales = scales(shapes, id, &operands);
            let input = operands.first().map(|&input| shapes[input]);
            let weights = Weights::load(&graph[id], input, source)?;
            steps.push(Step {
                id,
                operands,
                shape: shapes[id],
                scales,
                weights,
            });
        }
        Ok(Interpreter { graph, steps })
    }

    /// The graph it runs: the one given, in operators of the core.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Runs a batch. `inputs` are in the network's order, each `batch` images in the layout that the network
    /// declares; the outputs are in the network's order too, each `batch` images as channels, rows, columns.
    ///
    /// # Errors
    /// [`InterpreterError::InputCount`], [`InterpreterError::InputLength`] or [`InterpreterError::OutOfMemory`].
    pub fn run(&self, inputs: &[&[f32]], batch: usize) -> Result<Vec<Vec<f32>>, InterpreterError> {
        let mut outputs = vec![Vec::new(); self.graph.outputs().len()];
        self.run_all(inputs, batch, |_, values| {
            for (output, declared) in outputs.iter_mut().zip(self.graph.outputs()) {
                let value = values.get(declared.node);
                output.extend(value.iter().flat_map(|tensor| &tensor.data).map(|&x| x as f32));
            }
        })?;
        Ok(outputs)
    }

    /// Runs a batch as [`run`](Self::run) does and shows the values of all layers of each image: feature maps.
    /// `observe` is given the image's number and its values.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_all(
        &self,
        inputs: &[&[f32]],
        batch: usize,
        mut observe: impl FnMut(usize, &Values),
    ) -> Result<(), InterpreterError> {
        if inputs.len() != self.graph.inputs().len() {
            return Err(InterpreterError::InputCount {
                expected: self.graph.inputs().len(),
                found: inputs.len(),
            });
        }
        for ((node, declared), input) in self.graph.declared_inputs().zip(inputs) {
            let elements = declared.shape.elements();
            if batch.checked_mul(elements) != Some(input.len()) {
                return Err(InterpreterError::InputLength {
                    name: node.name.clone(),
                    batch,
                    elements,
                    found: input.len(),
                });
            }
        }
        for image in 0..batch {
            let slices: Vec<_> = inputs
                .iter()
                .map(|input| &input[image * (input.len() / batch)..][..input.len() / batch])
                .collect();
            observe(image, &self.run_image(&slices)?);
        }
        Ok(())
    }

    fn run_image(&self, inputs: &[&[f32]]) -> Result<Values, InterpreterError> {
        let slots = self.graph.ids().map(|id| id.index() + 1).max().unwrap_or(0);
        let mut values = vec![None; slots];
        for step in &self.steps {
            let node = &self.graph[step.id];
            let mut result = Tensor::zeros(step.shape).ok_or_else(|| InterpreterError::OutOfMemory {
                layer: node.name.clone(),
                elements: step.shape.elements(),
            })?;
            let operands: Vec<&Tensor> = step
                .operands
                .iter()
                .filter_map(|id| values[id.index()].as_ref())
                .collect();
            if let Op::Input(input) = &node.op {
                let position = self.graph.inputs().iter().position(|&id| id == step.id);
                let given = position.map_or(&[][..], |position| inputs[position]);
                read(input, given, &mut result);
            } else if let Op::Constant(_) = node.op {
                result.data = step.weights.vector.iter().copied().map(f64::from).collect();
            } else {
                execute(&node.op, &step.weights, &step.scales, &operands, &mut result);
            }
            values[step.id.index()] = Some(result);
        }
        Ok(Values(values))
    }
}

/// What the integers of a node's operands and its result stand for.
fn scales(shapes: &Shapes, id: NodeId, operands: &[NodeId]) -> Scales {
    let of = |id: Option<&NodeId>| id.and_then(|&id| shapes.value(id).element.quantisation());
    Scales {
        from: of(operands.first()).unwrap_or(integer::NONE),
        other: of(operands.get(1)).unwrap_or(integer::NONE),
        to: of(Some(&id)).unwrap_or(integer::NONE),
    }
}

/// Computes one layer.
fn execute(op: &Op, weights: &Weights, scales: &Scales, operands: &[&Tensor], y: &mut Tensor) {
    let x = operands[0];
    match op {
        // They have no operand, or are expanded before.
        Op::Input(_) | Op::Constant(_) | Op::Composite(_) => {}
        Op::Conv(conv) => {
            let sides = conv
                .padding
                .resolve(x.height(), x.width(), conv.kernel, conv.stride, conv.dilation);
            let residual = conv.residual.then(|| operands[1]);
            conv::run(conv, sides, weights, x, residual, y);
        }
        Op::Quantize(_) => integer::quantize(scales.to, x, y),
        Op::Dequantize(_) => integer::dequantize(scales.from, x, y),
        Op::QuantizedConv(layer) => {
            let conv = &layer.conv;
            let sides = conv
                .padding
                .resolve(x.height(), x.width(), conv.kernel, conv.stride, conv.dilation);
            integer::conv(conv, sides, scales, weights, x, y);
        }
        Op::QuantizedDense(layer) => integer::dense(&layer.dense, scales, weights, x, y),
        Op::QuantizedAdd(sum) => integer::add(sum, scales, operands, y),
        Op::ConvTranspose(conv) => conv::transposed(conv, weights, x, y),
        Op::Dense(dense) => dense::run(dense, weights, x, y),
        Op::Pool(pool) => {
            let sides = pool
                .padding
                .resolve(x.height(), x.width(), pool.size, pool.stride, pool.dilation);
            pool::run(pool, sides, x, y);
        }
        Op::AdaptiveAvgPool(pool) => pool::adaptive(*pool, x, y),
        Op::Activation(activation) => activation::run(*activation, x, y),
        Op::Prelu(_) => activation::prelu(&weights.vector, x, y),
        Op::Softmax(softmax) => softmax::run(*softmax, x, y),
        Op::BatchNorm(norm) => norm::batch(norm, weights, x, y),
        Op::Lrn(lrn) => norm::local_response(lrn, x, y),
        Op::Combine(combine) => combine::run(combine, operands, y),
        Op::Matmul(_) => combine::matmul(x, operands[1], y),
        Op::Recurrent(recurrent) => {
            let after = |[sequence, step, direction]: [usize; 3], state: &mut recurrent::State| {
                let parts: &[&[f64]] = if recurrent.cells {
                    &[&state.h, &state.c]
                } else {
                    &[&state.h]
                };
                for (part, values) in parts.iter().enumerate() {
                    let first = (part * recurrent.directions().len() + direction) * recurrent.units;
                    for (unit, &value) in values.iter().enumerate() {
                        *y.at_mut(sequence, step, first + unit) = value;
                    }
                }
            };
            recurrent::run(recurrent, &weights.recurrent, operands, after);
        }
        Op::Concat(_) => combine::concat(operands, y),
        Op::Reshape(_) | Op::Identity(_) => rearrange::copy(x, y),
        Op::Pad(pad) => rearrange::pad(pad, x, y),
        Op::Resize(resize) => rearrange::resize(resize, x, y),
        Op::Reduce(reduce) => reduce::run(*reduce, x, y),
        Op::ArgExtreme(op) => along::extreme(op, x, y),
        Op::TopK(op) => along::top_k(op, x, y),
        Op::CumSum(op) => along::cumsum(op, x, y),
        Op::Gather(op) => along::gather(op, x, operands[1], y),
        Op::Tile(op) => along::tile(op, x, y),
        Op::Slice(slice) => {
            let size = x.shape.dims()[slice.axis];
            if let Some(places) = slice.places(size) {
                rearrange::slice(slice.axis, places, x, y);
            }
        }
        Op::Transpose(transpose) => rearrange::transpose(*transpose, x, y),
        Op::DepthToSpace(op) => rearrange::depth_to_space(*op, x, y),
        Op::SpaceToDepth(op) => rearrange::space_to_depth(*op, x, y),
        Op::ChannelShuffle(shuffle) => rearrange::channel_shuffle(*shuffle, x, y),
    }
}

/// Brings an input into the order channels, rows, columns.
fn read(input: &Input, given: &[f32], y: &mut Tensor) {
    let (channels, height, width) = (y.channels(), y.height(), y.width());
    y.fill(|c, row, column| {
        let place = match input.layout {
            InputLayout::Chw => (c * height + row) * width + column,
            InputLayout::Hwc => (row * width + column) * channels + c,
        };
        f64::from(given[place])
    });
}
