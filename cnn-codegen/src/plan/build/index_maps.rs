//! Operators that only take elements elsewhere, as index maps: slices, transpositions, shuffles, nearest pixels, constants.

use cnn_ir::graph::NodeId;
use cnn_ir::op::{ChannelShuffle, Constant, DepthToSpace, Pad, Resize, ResizeMode, Slice, SpaceToDepth, WeightDecl};
use cnn_runtime::pack::Recipe;

use super::aliasing::is_view;
use super::builder::Builder;
use crate::plan::data::{Gather, GatherSource, Interpolate, Strides, View, Work};
use crate::plan::options::PlanError;

/// Entries of the index map of a step, all axes together: they become tables in the code.
const MOST_ENTRIES: usize = 1 << 22;

/// Floats from the first element of a view to those along an axis.
fn along(strides: &Strides, view: View, axis: usize, i: usize) -> usize {
    match axis {
        0 => strides.channel(view.channel + i) - strides.channel(view.channel),
        1 => strides.row * i,
        _ => strides.pixel * i,
    }
}

impl Builder<'_> {
    /// Refuses tables that would be larger than any real map's.
    fn check_index_map(&self, id: NodeId) -> Result<(), PlanError> {
        let [channels, rows, columns] = self.shapes[id].extent();
        if channels.saturating_add(rows).saturating_add(columns) > MOST_ENTRIES {
            return Err(PlanError::IndexMap {
                layer: self.graph[id].name.clone(),
                shape: self.shapes[id],
            });
        }
        Ok(())
    }

    /// Takes the elements of which `source` says the channel, row and column, each from one of the result's.
    /// `axes` are which of the operand's axes the result's are.
    fn take(
        &mut self,
        id: NodeId,
        kernel: &str,
        axes: [usize; 3],
        source: impl Fn(usize, usize) -> usize,
    ) -> Result<(), PlanError> {
        self.check_index_map(id)?;
        let operand = self.graph.operands(id)[0];
        let from = self.inside(operand).unwrap_or_else(|| self.first(operand));
        let strides = *self.strides(from);
        let sizes = self.shapes[id].extent();
        let index_map = [0, 1, 2].map(|axis| {
            let each = (0..sizes[axis]).map(|i| along(&strides, from, axes[axis], source(axis, i)));
            each.collect()
        });
        self.gather(id, kernel, GatherSource::View(from), index_map)
    }

    fn gather(
        &mut self,
        id: NodeId,
        kernel: &str,
        from: GatherSource,
        index_map: [Vec<usize>; 3],
    ) -> Result<(), PlanError> {
        let to = self.output(id)?;
        self.step(id, kernel, Work::Gather(Gather { from, to, index_map }));
        Ok(())
    }

    /// A border that holds elements of the map.
    pub(super) fn border(&mut self, id: NodeId, pad: Pad) -> Result<(), PlanError> {
        let [_, height, width] = self.shapes[self.graph.operands(id)[0]].extent();
        let axes = [(0, usize::MAX), (pad.sides.top, height), (pad.sides.left, width)];
        self.take(id, "border from the map", [0, 1, 2], |axis, i| {
            let (before, n) = axes[axis];
            // No border of this kind is a constant.
            pad.source(i, before, n).unwrap_or(0)
        })
    }

    /// A view where it can be.
    pub(super) fn slice(&mut self, id: NodeId, slice: &Slice) -> Result<(), PlanError> {
        let operand = self.graph.operands(id)[0];
        let x = self.shapes[operand];
        let Some(taken) = slice.places(x.extent()[slice.axis]) else {
            return Err(PlanError::Invalid);
        };
        if let Some(view) = self.inside(operand)
            && is_view(slice, x)
        {
            let view = View {
                channel: view.channel + taken.first,
                shape: self.shapes[id],
                ..view
            };
            self.define(id, vec![view]);
            return Ok(());
        }
        self.take(id, "copy of places", [0, 1, 2], |axis, i| {
            if axis == slice.axis {
                taken.first.wrapping_add_signed(i as isize * taken.step)
            } else {
                i
            }
        })
    }

    /// Copies one after another along each axis.
    pub(super) fn tile(&mut self, id: NodeId) -> Result<(), PlanError> {
        let sizes = self.shapes[self.graph.operands(id)[0]].extent();
        self.take(id, "repeated places", [0, 1, 2], |axis, i| i % sizes[axis])
    }

    pub(super) fn transpose(&mut self, id: NodeId, order: [usize; 3]) -> Result<(), PlanError> {
        self.take(id, "copy across axes", order, |_, i| i)
    }

    /// Result channel `i · groups + g` is channel `g · C/groups + i`.
    pub(super) fn channel_shuffle(&mut self, id: NodeId, shuffle: ChannelShuffle) -> Result<(), PlanError> {
        let each = self.shapes[id].channels() / shuffle.groups;
        self.take(id, "channel copies", [0, 1, 2], |axis, i| match axis {
            0 => i % shuffle.groups * each + i / shuffle.groups,
            _ => i,
        })
    }

    pub(super) fn resize(&mut self, id: NodeId, resize: &Resize) -> Result<(), PlanError> {
        let [_, height, width] = self.shapes[self.graph.operands(id)[0]].extent();
        let axes = resize.axes(height, width);
        match resize.mode {
            ResizeMode::Nearest(_) => self.take(id, "nearest pixels", [0, 1, 2], |axis, i| match axis {
                0 => i,
                _ => axes[axis - 1].tap(i).first,
            }),
            ResizeMode::Bilinear => self.interpolate(id, resize),
        }
    }

    fn interpolate(&mut self, id: NodeId, resize: &Resize) -> Result<(), PlanError> {
        self.check_index_map(id)?;
        let operand = self.graph.operands(id)[0];
        let [_, height, width] = self.shapes[operand].extent();
        let [_, rows, columns] = self.shapes[id].extent();
        let [vertical, horizontal] = resize.axes(height, width);
        let input = self.internal(operand)?;
        let output = self.output(id)?;
        let interpolate = Interpolate {
            input,
            output,
            rows: (0..rows).map(|row| vertical.tap(row)).collect(),
            columns: (0..columns).map(|column| horizontal.tap(column)).collect(),
        };
        self.step(id, "interpolation", Work::Interpolate(interpolate));
        Ok(())
    }

    /// Rows and columns of a block are channels a fixed distance apart, if there are no blocks of channels.
    pub(super) fn depth_to_space(&mut self, id: NodeId, op: DepthToSpace) -> Result<(), PlanError> {
        self.check_index_map(id)?;
        let from = self.planar(self.graph.operands(id)[0])?;
        let strides = *self.strides(from);
        let [channels, rows, columns] = self.shapes[id].extent();
        let along = |axis, i| along(&strides, from, axis, i);
        let channel = |c, y, x| along(0, op.source(channels, c, y, x));
        let index_map = [
            (0..channels).map(|c| channel(c, 0, 0)).collect(),
            (0..rows)
                .map(|y| channel(0, y % op.block, 0) + along(1, y / op.block))
                .collect(),
            (0..columns)
                .map(|x| channel(0, 0, x % op.block) + along(2, x / op.block))
                .collect(),
        ];
        self.gather(id, "channels as pixels", GatherSource::View(from), index_map)
    }

    pub(super) fn space_to_depth(&mut self, id: NodeId, op: SpaceToDepth) -> Result<(), PlanError> {
        self.check_index_map(id)?;
        let operand = self.graph.operands(id)[0];
        let from = self.inside(operand).unwrap_or_else(|| self.first(operand));
        let strides = *self.strides(from);
        let (before, [channels, rows, columns]) = (from.shape.channels(), self.shapes[id].extent());
        let along = |axis, i| along(&strides, from, axis, i);
        let channel = |c: usize| {
            let pixel = c / before;
            along(0, c % before) + along(1, pixel / op.block) + along(2, pixel % op.block)
        };
        let index_map = [
            (0..channels).map(channel).collect(),
            (0..rows).map(|y| along(1, y * op.block)).collect(),
            (0..columns).map(|x| along(2, x * op.block)).collect(),
        ];
        self.gather(id, "pixels as channels", GatherSource::View(from), index_map)
    }

    /// The value of a constant for each image.
    pub(super) fn constant_value(&mut self, id: NodeId, constant: &Constant) -> Result<(), PlanError> {
        self.check_index_map(id)?;
        let WeightDecl { name, shape } = constant.tensor(&self.graph[id].weights);
        let [channels, rows, columns] = constant.shape.extent();
        let index_map = [
            (0..channels).map(|c| c * rows * columns).collect(),
            (0..rows).map(|y| y * columns).collect(),
            (0..columns).collect(),
        ];
        let value = self.constants.add(Recipe::Tensor { name, shape });
        self.gather(id, "copy of weights", GatherSource::Constant(value), index_map)
    }
}
