//! Graph → plan: walks the nodes in order and gives each its steps.

use std::collections::HashMap;

use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::{Activation, BatchNorm, Combine, CombineKind, InputLayout, Op, Pool, Sides, Softmax};
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;
use cnn_runtime::pack::{Norm, Recipe};

use super::algorithm::{self, Algorithms};
use super::homes::Homes;
use super::layout::Layout;
use super::options::{PlanError, PlanOptions};
use super::work::{Copy, Elementwise, PoolWindow, Work};
use super::{BufferId, Place, Plan, Port, View, memory};

/// Decides everything about running a graph.
///
/// # Errors
/// [`PlanError`]: sizes that cannot be addressed.
pub fn build(graph: &Graph, shapes: &Shapes, options: &PlanOptions) -> Result<Plan, PlanError> {
    if options.batch == 0 {
        return Err(PlanError::NoImages);
    }
    let order = graph.order().map_err(|_| PlanError::Invalid)?;
    let streams = algorithm::streams(graph, shapes, options.caches);
    let algorithms = order
        .iter()
        .filter_map(|&id| {
            let Op::Conv(conv) = &graph[id].op else { return None };
            let input = shapes[graph.operands(id)[0]];
            Some((id, algorithm::choose(conv, input, shapes[id], streams, options)))
        })
        .collect();
    let mut builder = Builder {
        graph,
        shapes,
        homes: Homes::new(graph, shapes, &order, &algorithms),
        algorithms,
        streams,
        options,
        values: HashMap::new(),
        roots: HashMap::new(),
        plan: Plan {
            name: graph.name.clone(),
            batch: options.batch,
            threads: options.threads,
            isa: options.isa,
            buffers: Vec::new(),
            constants: Vec::new(),
            steps: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            arena_bytes: 0,
            lower_bound_bytes: 0,
            constant_bytes: 0,
        },
    };
    for id in order {
        builder.node(id)?;
    }
    builder.finish()
}

pub(super) struct Builder<'a> {
    pub(super) graph: &'a Graph,
    pub(super) shapes: &'a Shapes,
    pub(super) homes: Homes,
    pub(super) algorithms: Algorithms,
    /// Whether the weights come from memory for each image.
    pub(super) streams: bool,
    pub(super) options: &'a PlanOptions,
    /// The views of each value: the first is where it was made, others are copies in another layout.
    pub(super) values: HashMap<NodeId, Vec<View>>,
    /// The buffer of each root.
    pub(super) roots: HashMap<NodeId, BufferId>,
    pub(super) plan: Plan,
}

impl Builder<'_> {
    fn node(&mut self, id: NodeId) -> Result<(), PlanError> {
        let graph = self.graph;
        let operands = graph.operands(id);
        match &graph[id].op {
            Op::Input(input) => {
                let hwc = input.layout == InputLayout::Hwc && matches!(input.shape, Shape::Map { .. });
                let layout = if hwc { Layout::Hwc } else { Layout::PLANAR };
                let place = Place::Input(self.plan.inputs.len());
                let view = self.buffer(id, input.shape, layout, place)?;
                self.plan.inputs.push(Port {
                    name: graph[id].name.clone(),
                    shape: input.shape,
                    hwc,
                    buffer: view.buffer,
                });
                self.values.insert(id, vec![view]);
            }
            Op::Conv(conv) => self.conv(id, conv)?,
            Op::Dense(dense) => self.dense(id, dense)?,
            Op::Pool(pool) => self.pool(id, pool)?,
            Op::ConvTranspose(conv) => self.conv_transpose(id, conv)?,
            Op::Matmul(_) => self.matmul(id, &operands)?,
            Op::AdaptiveAvgPool(_) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                self.step(id, "windows", Work::AdaptiveAvgPool { input, output });
            }
            Op::Activation(activation) => self.elementwise(id, &operands, |e| e.activation = Some(*activation))?,
            Op::Prelu(_) => {
                let name = format!("{}.slope", graph[id].weights);
                let shape = vec![self.shapes[id].channels()];
                let slope = self.constant(Recipe::Tensor { name, shape });
                self.elementwise(id, &operands, |e| e.slope = Some(slope))?;
            }
            Op::BatchNorm(BatchNorm { epsilon, activation }) => {
                let norm = Norm {
                    prefix: graph[id].weights.clone(),
                    epsilon: *epsilon,
                };
                let recipe = Recipe::ScaleShift {
                    norm,
                    channels: self.shapes[id].channels(),
                };
                let constant = self.constant(recipe);
                self.elementwise(id, &operands, |e| {
                    e.scale_shift = Some(constant);
                    e.activation = *activation;
                })?;
            }
            Op::Combine(Combine { kind, activation }) => self.elementwise(id, &operands, |e| {
                e.combination = *kind;
                e.activation = *activation;
            })?,
            Op::Softmax(Softmax { log, axis }) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                let kernel = ["over channels", "over rows", "over columns"][*axis];
                let (log, axis) = (*log, *axis);
                let softmax = Work::Softmax {
                    input,
                    output,
                    axis,
                    log,
                };
                self.step(id, kernel, softmax);
            }
            Op::Lrn(lrn) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                self.step(
                    id,
                    "across channels",
                    Work::Lrn {
                        input,
                        output,
                        lrn: *lrn,
                    },
                );
            }
            Op::Concat(_) => self.concat(id, &operands)?,
            Op::Reshape(_) => self.reshape(id, operands[0])?,
            Op::Pad(pad) => {
                let from = self.first(operands[0]);
                let to = self.output(id)?;
                let at = (pad.sides.top, pad.sides.left);
                let copy = Copy {
                    at,
                    border: Some(pad.value),
                    ..Copy::all(from, to)
                };
                self.step(id, "copy with a border", Work::Copy(copy));
            }
            Op::Upsample(upsample) => self.upsample(id, upsample)?,
            Op::Resize(resize) => self.resize(id, resize)?,
            Op::Slice(slice) => self.slice(id, slice)?,
            Op::Transpose(transpose) => self.transpose(id, transpose.order)?,
            Op::ChannelShuffle(shuffle) => self.channel_shuffle(id, *shuffle)?,
            Op::DepthToSpace(op) => self.depth_to_space(id, *op)?,
            Op::SpaceToDepth(op) => self.space_to_depth(id, *op)?,
            Op::Constant(constant) => self.constant_value(id, *constant)?,
            Op::Reduce(reduce) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                let (kind, axes) = (reduce.kind, reduce.axes);
                let (kernel, work) = if axes == [false, true, true] {
                    ("whole map", Work::GlobalPool { input, output, kind })
                } else {
                    let work = Work::Reduce {
                        input,
                        output,
                        kind,
                        axes,
                    };
                    ("along axes", work)
                };
                self.step(id, kernel, work);
            }
            Op::Identity(_) => {
                let views = self.values[&operands[0]].clone();
                self.values.insert(id, views);
            }
            // Expanded before.
            Op::Composite(_) => return Err(PlanError::Invalid),
        }
        Ok(())
    }

    fn pool(&mut self, id: NodeId, pool: &Pool) -> Result<(), PlanError> {
        let operand = self.graph.operands(id)[0];
        let [_, height, width] = self.shapes[operand].extent();
        let input = self.internal(operand)?;
        let output = self.output(id)?;
        let window = PoolWindow {
            input,
            output,
            kind: pool.kind,
            size: pool.size,
            stride: pool.stride,
            dilation: pool.dilation,
            sides: pool
                .padding
                .resolve(height, width, pool.size, pool.stride, pool.dilation),
        };
        self.step(id, "windows", Work::Pool(window));
        Ok(())
    }

    fn elementwise(
        &mut self,
        id: NodeId,
        operands: &[NodeId],
        set: impl FnOnce(&mut Elementwise),
    ) -> Result<(), PlanError> {
        let operands = operands
            .iter()
            .map(|&operand| self.internal(operand))
            .collect::<Result<Vec<_>, _>>()?;
        let output = self.output(id)?;
        let in_place = operands.contains(&output);
        let mut elementwise = Elementwise {
            operands,
            combination: CombineKind::Add,
            output,
            scale_shift: None,
            slope: None,
            activation: None::<Activation>,
        };
        set(&mut elementwise);
        self.step(
            id,
            if in_place {
                "elementwise, in place"
            } else {
                "elementwise"
            },
            Work::Elementwise(elementwise),
        );
        Ok(())
    }

    /// Operands that live elsewhere are copied in.
    fn concat(&mut self, id: NodeId, operands: &[NodeId]) -> Result<(), PlanError> {
        let whole = self.output(id)?;
        let mut channel = whole.channel;
        for &operand in operands {
            let shape = self.shapes[operand];
            let to = View {
                buffer: whole.buffer,
                channel,
                shape,
            };
            if self.first(operand) != to {
                let copy = Copy::all(self.first(operand), to);
                self.step(id, "copy", Work::Copy(copy));
            }
            channel += shape.channels();
        }
        Ok(())
    }

    /// A vector of one pixel's channels is the same memory; anything else is brought into planar order.
    fn reshape(&mut self, id: NodeId, operand: NodeId) -> Result<(), PlanError> {
        let shape = self.shapes[id];
        let from = self.first(operand);
        let buffer = &self.plan.buffers[from.buffer.0];
        let one_pixel = |shape: Shape| matches!(shape.extent(), [_, 1, 1]);
        let bare = buffer.layout.halo() == Sides::default() && buffer.layout != Layout::Hwc;
        if shape == from.shape || (one_pixel(shape) && one_pixel(from.shape) && bare) {
            self.values.insert(id, vec![View { shape, ..from }]);
            return Ok(());
        }
        let to = self.buffer(id, shape, Layout::PLANAR, Place::Arena(0))?;
        let copy = Copy {
            reshape: true,
            ..Copy::all(from, to)
        };
        self.step(id, "copy into planar order", Work::Copy(copy));
        self.values.insert(id, vec![to]);
        Ok(())
    }

    /// Matrices are multiplied row by row: their columns must follow each other.
    fn matmul(&mut self, id: NodeId, operands: &[NodeId]) -> Result<(), PlanError> {
        let (left, right) = (self.planar(operands[0])?, self.planar(operands[1])?);
        let output = self.buffer(id, self.shapes[id], Layout::PLANAR, Place::Arena(0))?;
        self.values.insert(id, vec![output]);
        self.step(id, "rows times matrices", Work::Matmul { left, right, output });
        self.explain(id, String::new());
        Ok(())
    }

    fn finish(mut self) -> Result<Plan, PlanError> {
        let graph = self.graph;
        for (index, output) in graph.outputs().iter().enumerate() {
            let shape = self.shapes[output.node];
            let from = self.first(output.node);
            let to = self.buffer(output.node, shape, Layout::PLANAR, Place::Output(index))?;
            let copy = Copy::all(from, to);
            self.step(output.node, "output", Work::Copy(copy));
            self.plan.outputs.push(Port {
                name: output.name.clone(),
                shape,
                hwc: false,
                buffer: to.buffer,
            });
        }
        memory::place(&mut self.plan);
        Ok(self.plan)
    }
}
