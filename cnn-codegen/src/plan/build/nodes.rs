//! One node after the other: which steps an operator becomes.

use cnn_ir::graph::NodeId;
use cnn_ir::op::{
    Activation, ArgExtreme, BatchNorm, Combine, CombineKind, InputLayout, Op, PadMode, Pool, Sides, Softmax,
};
use cnn_ir::shape::Shape;
use cnn_runtime::pack::Norm;

use super::builder::Builder;
use super::reasons::reason;
use super::traffic;
use crate::plan::convolution::Kernel;
use crate::plan::data::{AlongKind, Copy, Elementwise, Layout, PoolWindow, Port, Recipe, Storage, View, Work};
use crate::plan::options::PlanError;

impl Builder<'_> {
    /// All steps of a node.
    pub(super) fn node(&mut self, id: NodeId) -> Result<(), PlanError> {
        let graph = self.graph;
        let operands = graph.operands(id);
        match &graph[id].op {
            Op::Input(input) => {
                let hwc = input.layout == InputLayout::Hwc && matches!(input.shape, Shape::Map { .. });
                let layout = if hwc { Layout::Hwc } else { Layout::PLANAR };
                let storage = Storage::Input(self.inputs.len());
                let view = self.array(id, layout, storage)?;
                self.inputs.push(Port {
                    name: graph[id].name.clone(),
                    shape: input.shape,
                    hwc,
                    buffer: view.buffer,
                });
                self.define(id, vec![view]);
            }
            Op::Conv(conv) => self.conv(id, conv)?,
            Op::Dense(dense) => self.dense(id, dense)?,
            Op::Pool(pool) if self.is_integers(id) => self.integer_pool(id, pool)?,
            Op::Pool(pool) => self.pool(id, pool)?,
            Op::ConvTranspose(conv) => self.conv_transpose(id, conv)?,
            Op::Matmul(_) => self.matmul(id, &operands)?,
            Op::Recurrent(recurrent) => self.recurrent(id, *recurrent, &operands)?,
            Op::AdaptiveAvgPool(_) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                self.step(id, "windows", Work::AdaptiveAvgPool { input, output });
            }
            Op::Activation(activation) => self.elementwise(id, &operands, |e| e.activation = Some(*activation))?,
            Op::Prelu(_) => {
                let name = format!("{}.slope", graph[id].weights);
                let shape = vec![self.shapes[id].channels()];
                let slope = self.constants.add(Recipe::Tensor { name, shape });
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
                let constant = self.constants.add(recipe);
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
            Op::Concat(_) if self.is_integers(id) => self.integer_concat(id, &operands)?,
            Op::Concat(_) => self.concat(id, &operands)?,
            Op::Reshape(_) if self.is_integers(id) => self.integer_reshape(id, operands[0])?,
            Op::Reshape(_) => self.reshape(id, operands[0])?,
            Op::Pad(pad) if pad.mode != PadMode::Constant => self.border(id, *pad)?,
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
            Op::Resize(resize) => self.resize(id, resize)?,
            Op::ArgExtreme(ArgExtreme { least, axis, last }) => {
                let (least, last) = (*least, *last);
                self.along(id, *axis, AlongKind::Extreme { least, last })?;
            }
            Op::TopK(top) => {
                let (largest, indices) = (top.largest, top.indices);
                self.along(id, top.axis, AlongKind::Top { largest, indices })?;
            }
            Op::CumSum(sum) => {
                let (exclusive, reverse) = (sum.exclusive, sum.reverse);
                self.along(id, sum.axis, AlongKind::Sum { exclusive, reverse })?;
            }
            Op::Gather(gather) => self.take_places(id, *gather)?,
            Op::Tile(_) => self.tile(id)?,
            Op::Slice(slice) => self.slice(id, slice)?,
            Op::Transpose(transpose) => self.transpose(id, transpose.order)?,
            Op::ChannelShuffle(shuffle) => self.channel_shuffle(id, *shuffle)?,
            Op::DepthToSpace(op) => self.depth_to_space(id, *op)?,
            Op::SpaceToDepth(op) => self.space_to_depth(id, *op)?,
            Op::Constant(constant) => self.constant_value(id, constant)?,
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
            Op::Quantize(_) => self.quantize(id, operands[0])?,
            Op::Dequantize(_) => self.dequantize(id, operands[0])?,
            Op::QuantizedConv(layer) => self.quantized_conv(id, &layer.conv)?,
            Op::QuantizedDense(layer) => self.quantized_dense(id, &layer.dense)?,
            Op::QuantizedAdd(sum) => self.quantized_add(id, &operands, sum.activation)?,
            Op::Identity(_) => {
                self.same(id, operands[0]);
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
        let buffer = &self.buffers[from.buffer.0];
        let one_pixel = |shape: Shape| matches!(shape.extent(), [_, 1, 1]);
        let bare = buffer.layout.halo() == Sides::default() && buffer.layout != Layout::Hwc;
        if shape == from.shape || (one_pixel(shape) && one_pixel(from.shape) && bare) {
            self.define(id, vec![View { shape, ..from }]);
            return Ok(());
        }
        let to = self.buffer(id, Layout::PLANAR)?;
        let copy = Copy {
            reshape: true,
            ..Copy::all(from, to)
        };
        self.step(id, "copy into planar order", Work::Copy(copy));
        self.define(id, vec![to]);
        Ok(())
    }

    /// Matrices are multiplied row by row: their columns must follow each other.
    fn matmul(&mut self, id: NodeId, operands: &[NodeId]) -> Result<(), PlanError> {
        let (left, right) = (self.planar(operands[0])?, self.planar(operands[1])?);
        let output = self.buffer(id, Layout::PLANAR)?;
        self.define(id, vec![output]);
        let work = Work::Matmul { left, right, output };
        let kernel = Kernel {
            name: "rows times matrices".into(),
            why: reason(&work).to_owned(),
            multiplications: self.multiplications(id),
            moved: traffic::moved(&self.buffers, &work),
            work,
            rest: None,
        };
        self.kernel(id, kernel);
        Ok(())
    }

    /// The user's arrays are written last, in planar order.
    pub(super) fn copy_outputs(&mut self) -> Result<(), PlanError> {
        let graph = self.graph;
        for (index, output) in graph.outputs().iter().enumerate() {
            let shape = self.shapes[output.node];
            let from = self.first(output.node);
            let to = self.array(output.node, Layout::PLANAR, Storage::Output(index))?;
            self.step(output.node, "output", Work::Copy(Copy::all(from, to)));
            self.outputs.push(Port {
                name: output.name.clone(),
                shape,
                hwc: false,
                buffer: to.buffer,
            });
        }
        Ok(())
    }
}
