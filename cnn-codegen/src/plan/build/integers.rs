//! Operators on 8-bit integers: maps pixel by pixel, with the integer that stands for 0 around them where convolutions want
//! padding.

use cnn_ir::graph::NodeId;
use cnn_ir::op::{Activation, Conv, Dense, Pool, PoolKind, Sides};
use cnn_ir::shape::Shape;
use cnn_ir::value::ValueType;
use cnn_runtime::kernels::integer::{GROUP, PANEL};
use cnn_runtime::pack::{FilterSource, Integers};

use super::builder::Builder;
use super::traffic;
use crate::plan::convolution::{Kernel, is_depthwise, padding, reach};
use crate::plan::data::{IntegerKind, IntegerWork, Layout, Recipe, View, Windows, Work};
use crate::plan::options::PlanError;

/// Of the second-level cache, what the weights of a task, and the rows that it reads, should take.
const SHARE: usize = 4;

impl Builder<'_> {
    /// Whether a value is 8-bit integers.
    pub(super) fn is_integers(&self, id: NodeId) -> bool {
        self.shapes.value(id).element.quantisation().is_some()
    }

    pub(super) fn quantize(&mut self, id: NodeId, operand: NodeId) -> Result<(), PlanError> {
        let input = self.first(operand);
        self.integers(id, "to integers", input, None, IntegerKind::Quantize)
    }

    pub(super) fn dequantize(&mut self, id: NodeId, operand: NodeId) -> Result<(), PlanError> {
        let input = self.first(operand);
        self.integers(id, "to floats", input, None, IntegerKind::Dequantize)
    }

    pub(super) fn quantized_add(
        &mut self,
        id: NodeId,
        operands: &[NodeId],
        activation: Option<Activation>,
    ) -> Result<(), PlanError> {
        let bounds = self.bounds(id, activation)?;
        let (input, other) = (self.first(operands[0]), self.first(operands[1]));
        self.integers(id, "sum of integers", input, Some(other), IntegerKind::Add { bounds })
    }

    pub(super) fn integer_pool(&mut self, id: NodeId, pool: &Pool) -> Result<(), PlanError> {
        let operand = self.graph.operands(id)[0];
        let [_, height, width] = self.shapes[operand].extent();
        let (size, stride, dilation) = (pool.size, pool.stride, pool.dilation);
        let window = Windows {
            size,
            stride,
            dilation,
            sides: pool.padding.resolve(height, width, size, stride, dilation),
        };
        let least = pool.kind == PoolKind::Min;
        let input = self.first(operand);
        self.integers(
            id,
            "windows of integers",
            input,
            None,
            IntegerKind::Pool { window, least },
        )
    }

    /// Operands are copied into their channels.
    pub(super) fn integer_concat(&mut self, id: NodeId, operands: &[NodeId]) -> Result<(), PlanError> {
        let whole = self.output(id)?;
        let mut channel = 0;
        for &operand in operands {
            let shape = self.shapes[operand];
            let part = View {
                buffer: whole.buffer,
                channel,
                shape,
            };
            self.copy_integers(id, self.first(operand), part);
            channel += shape.channels();
        }
        Ok(())
    }

    /// One pixel's channels are the same memory as a vector; anything else goes channel by channel into a vector, and out
    /// of it.
    pub(super) fn integer_reshape(&mut self, id: NodeId, operand: NodeId) -> Result<(), PlanError> {
        let (shape, mut from) = (self.shapes[id], self.first(operand));
        let one_pixel = |shape: Shape| matches!(shape.extent(), [_, 1, 1]);
        let bare = self.layout(from).halo() == Default::default();
        if shape == from.shape || (bare && one_pixel(shape) && one_pixel(from.shape)) {
            self.define(id, vec![View { shape, ..from }]);
            return Ok(());
        }
        if !one_pixel(shape) && !one_pixel(from.shape) {
            let vector = ValueType {
                element: self.shapes.value(operand).element,
                shape: Shape::Flat(shape.elements()),
            };
            let halo = Sides::default();
            let through = self.intermediate(id, vector, Layout::Pixels { halo })?;
            self.copy_integers(id, from, through);
            from = through;
        }
        let to = self.output(id)?;
        self.copy_integers(id, from, to);
        Ok(())
    }

    fn copy_integers(&mut self, id: NodeId, input: View, output: View) {
        let work = Work::Integer(IntegerWork {
            input,
            other: None,
            constant: None,
            output,
            kind: IntegerKind::Copy,
        });
        self.step(id, "copy of integers", work);
    }

    pub(super) fn quantized_conv(&mut self, id: NodeId, conv: &Conv) -> Result<(), PlanError> {
        let operand = self.graph.operands(id)[0];
        let shape = self.shapes[operand];
        let input = self.padded_integers(id, operand, conv)?;
        let window = Windows {
            size: conv.kernel,
            stride: conv.stride,
            dilation: conv.dilation,
            sides: padding(conv, shape),
        };
        let depthwise = is_depthwise(conv, shape.channels());
        let weights = conv.weight_dims(shape.channels()).to_vec();
        self.products(id, input, weights, conv.bias, window, conv.activation, depthwise)
    }

    pub(super) fn quantized_dense(&mut self, id: NodeId, dense: &Dense) -> Result<(), PlanError> {
        let input = self.first(self.graph.operands(id)[0]);
        let weights = vec![dense.units, input.shape.elements()];
        self.products(id, input, weights, dense.bias, Windows::PIXELS, dense.activation, false)
    }

    /// A layer of sums of products.
    #[expect(clippy::too_many_arguments, reason = "what a layer says of itself, each once")]
    fn products(
        &mut self,
        id: NodeId,
        input: View,
        shape: Vec<usize>,
        bias: bool,
        window: Windows,
        activation: Option<Activation>,
        depthwise: bool,
    ) -> Result<(), PlanError> {
        let bounds = self.bounds(id, activation)?;
        let element = |id: NodeId| self.shapes.value(id).element.quantisation().ok_or(PlanError::Invalid);
        let (from, to) = (element(self.graph.operands(id)[0])?, element(id)?);
        let weights = &self.graph[id].weights;
        let filters = FilterSource {
            weight: format!("{weights}.weight"),
            bias: bias.then(|| format!("{weights}.bias")),
            shape,
            norm: None,
            transposed: None,
        };
        let integers = Integers {
            scales: format!("{weights}.weight_scale"),
            from,
            to_scale: to.scale,
            depthwise,
        };
        let (name, kind) = if depthwise {
            let name = format!("depthwise {}×{}, integers", window.size.h, window.size.w);
            (name, IntegerKind::Depthwise { window, bounds })
        } else {
            let [row_block, panel_block] = self.blocks(id, input, &filters, window);
            let kind = IntegerKind::Conv {
                window,
                bounds,
                row_block,
                panel_block,
            };
            (format!("direct {}×{}, integers", window.size.h, window.size.w), kind)
        };
        let constant = self.constants.add(Recipe::Integers { filters, integers });
        let output = self.output(id)?;
        let work = Work::Integer(IntegerWork {
            input,
            other: None,
            constant: Some(constant),
            output,
            kind,
        });
        let kernel = Kernel {
            name,
            why: "8-bit integers, whose products are summed exactly".into(),
            multiplications: self.multiplications(id),
            moved: traffic::moved(&self.buffers, &work),
            work,
            rest: None,
        };
        self.kernel(id, kernel);
        Ok(())
    }

    /// Rows and panels of a task: their weights and what they read stay in the second-level cache, and there are as many
    /// tasks as threads want.
    fn blocks(&self, id: NodeId, input: View, filters: &FilterSource, window: Windows) -> [usize; 2] {
        let room = self.options.caches.second / SHARE;
        let [channels, rows, _] = self.shapes[id].extent();
        let panels = channels.div_ceil(PANEL);
        let panel_bytes = filters.taps() * filters.channels().next_multiple_of(GROUP) * PANEL;
        let row_bytes = self.strides(input).row.saturating_mul(window.stride.h);
        let mut panel_block = (room / panel_bytes.max(1)).clamp(1, panels);
        let mut row_block = (room / row_bytes.max(1)).clamp(1, rows);
        let tasks =
            |rows_of: usize, panels_of: usize| self.options.batch * rows.div_ceil(rows_of) * panels.div_ceil(panels_of);
        // Few rows of all panels read the weights often: panels are divided first where they are many.
        while tasks(row_block, panel_block) < self.options.wanted_tasks() && row_block.max(panel_block) > 1 {
            match panel_block > row_block {
                true => panel_block = panel_block.div_ceil(2),
                false => row_block = row_block.div_ceil(2),
            }
        }
        [row_block, panel_block]
    }

    /// A map with the padding that a convolution reads.
    fn padded_integers(&mut self, id: NodeId, operand: NodeId, conv: &Conv) -> Result<View, PlanError> {
        let sides = reach(conv, self.shapes[operand], self.shapes[id]);
        let first = self.first(operand);
        let halo = self.layout(first).halo();
        let covered = halo.top >= sides.top
            && halo.left >= sides.left
            && halo.bottom >= sides.bottom
            && halo.right >= sides.right;
        if covered {
            return Ok(first);
        }
        let padded = self.buffer(operand, Layout::Pixels { halo: sides })?;
        self.copy_integers(operand, first, padded);
        Ok(padded)
    }

    /// The least and greatest integer that an activation leaves.
    fn bounds(&self, id: NodeId, activation: Option<Activation>) -> Result<[u8; 2], PlanError> {
        let to = self.shapes.value(id).element.quantisation();
        to.and_then(|to| to.bounds(activation)).ok_or(PlanError::Invalid)
    }

    fn integers(
        &mut self,
        id: NodeId,
        kernel: &str,
        input: View,
        other: Option<View>,
        kind: IntegerKind,
    ) -> Result<(), PlanError> {
        let output = self.output(id)?;
        let work = Work::Integer(IntegerWork {
            input,
            other,
            constant: None,
            output,
            kind,
        });
        self.step(id, kernel, work);
        Ok(())
    }
}
