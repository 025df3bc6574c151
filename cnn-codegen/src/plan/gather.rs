//! Elements taken by their places: slices, transpositions, shuffles, nearest pixels, constants.

use cnn_ir::graph::NodeId;
use cnn_ir::op::{
    ChannelShuffle, Constant, Coordinates, DepthToSpace, Resize, ResizeMode, ResizeTo, Slice, SpaceToDepth, Upsample,
    UpsampleMode,
};
use cnn_ir::shape::Shape;
use cnn_runtime::pack::Recipe;

use super::build::Builder;
use super::layout::{BLOCK, Layout};
use super::options::PlanError;
use super::work::{Interpolate, Work};
use super::{ConstantId, Plan, Strides, View};

/// Places of all axes of a step together: they become tables in the code.
const MOST_PLACES: usize = 1 << 22;

/// `to[c, y, x] = from[places[0][c] + places[1][y] + places[2][x]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather {
    /// Where elements are taken from.
    pub from: Source,
    /// The result.
    pub to: View,
    /// Floats behind the first element of `from`, for each channel, row and column of `to`.
    pub places: [Vec<usize>; 3],
}

/// Where elements are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A value in any layout.
    View(View),
    /// A constant, for every image.
    Constant(ConstantId),
}

/// How the eight channels of a block are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// So many floats apart, also those behind the last channel; as one vector if it is one.
    Even(usize),
    /// Each from its own place.
    Scattered,
}

impl Source {
    /// The value, if it is one.
    pub fn view(self) -> Option<View> {
        match self {
            Source::View(view) => Some(view),
            Source::Constant(_) => None,
        }
    }

    /// The constant, if it is one.
    pub fn constant(self) -> Option<ConstantId> {
        match self {
            Source::View(_) => None,
            Source::Constant(constant) => Some(constant),
        }
    }

    /// Floats from the first element to where it ends; 0 if that is before the first element.
    fn floats(self, plan: &Plan) -> usize {
        match self {
            Source::Constant(ConstantId(constant)) => plan.constants[constant].recipe.floats(),
            Source::View(view) => {
                let strides = plan.strides(view);
                let end = match plan.buffers[view.buffer.0].layout {
                    Layout::Blocked { .. } => view.shape.channels().div_ceil(BLOCK) * strides.block,
                    Layout::Planar { .. } | Layout::Hwc => strides.image.saturating_sub(strides.channel(view.channel)),
                };
                end.saturating_sub(strides.origin)
            }
        }
    }
}

impl Gather {
    /// Whether everything that code for it reads is within the source, and there is a place for every element.
    pub(super) fn is_within(&self, plan: &Plan) -> bool {
        let counts = self.places.iter().map(Vec::len);
        counts.eq(self.to.shape.extent()) && self.end(self.lanes(plan)) <= self.from.floats(plan)
    }

    /// Floats from the first element to the end of the last that is read.
    fn end(&self, lanes: Lanes) -> usize {
        let [channels, rows, columns] = &self.places;
        let greatest = |places: &[usize]| places.iter().copied().max().unwrap_or(0);
        let last = match lanes {
            Lanes::Even(apart) => {
                let firsts: Vec<usize> = channels.iter().step_by(BLOCK).copied().collect();
                greatest(&firsts).saturating_add(apart.saturating_mul(BLOCK - 1))
            }
            Lanes::Scattered => greatest(channels),
        };
        let others = greatest(rows).saturating_add(greatest(columns));
        last.saturating_add(others).saturating_add(1)
    }

    /// How blocks of channels are read.
    pub fn lanes(&self, plan: &Plan) -> Lanes {
        let [channels, ..] = &self.places;
        let apart = match channels.as_slice() {
            [first, second, ..] if second > first => second - first,
            _ => return Lanes::Scattered,
        };
        let even = |block: &[usize]| {
            block
                .iter()
                .enumerate()
                .all(|(lane, &at)| at == block[0] + lane * apart)
        };
        let lanes = Lanes::Even(apart);
        if channels.chunks(BLOCK).all(even) && self.end(lanes) <= self.from.floats(plan) {
            lanes
        } else {
            Lanes::Scattered
        }
    }

    /// Whether lanes behind the last channel are read from such lanes: they hold what they may hold.
    pub fn keeps_padding(&self, plan: &Plan) -> bool {
        let Source::View(view) = self.from else { return false };
        let channels = view.shape.channels();
        let last = plan.strides(view).channel(channels - 1);
        matches!(plan.buffers[view.buffer.0].layout, Layout::Blocked { .. })
            && self.lanes(plan) == Lanes::Even(1)
            && channels == self.to.shape.channels()
            && self.places[0].last() == Some(&last)
    }
}

/// Whether a slice is whole blocks of a value inside the network: a view of it.
pub(super) fn is_view(slice: &Slice, x: Shape) -> bool {
    let channels = x.channels();
    slice.axis == 0
        && slice.places(channels).is_some_and(|places| {
            let end = places.first + places.count;
            let whole = end == channels || end.is_multiple_of(BLOCK);
            places.step == 1 && places.first.is_multiple_of(BLOCK) && whole
        })
}

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
    fn check_places(&self, id: NodeId) -> Result<(), PlanError> {
        let [channels, rows, columns] = self.shapes[id].extent();
        if channels.saturating_add(rows).saturating_add(columns) > MOST_PLACES {
            return Err(PlanError::Places {
                layer: self.graph[id].name.clone(),
                shape: self.shapes[id],
            });
        }
        Ok(())
    }

    /// Takes the elements of which `place` says the channel, row and column, each from one of the result's.
    /// `axes` are which of the operand's axes the result's are.
    fn take(
        &mut self,
        id: NodeId,
        kernel: &str,
        axes: [usize; 3],
        place: impl Fn(usize, usize) -> usize,
    ) -> Result<(), PlanError> {
        self.check_places(id)?;
        let operand = self.graph.operands(id)[0];
        let from = self.inside(operand).unwrap_or_else(|| self.first(operand));
        let strides = *self.plan.strides(from);
        let sizes = self.shapes[id].extent();
        let places = [0, 1, 2].map(|axis| {
            let each = (0..sizes[axis]).map(|i| along(&strides, from, axes[axis], place(axis, i)));
            each.collect()
        });
        self.gather(id, kernel, Source::View(from), places)
    }

    fn gather(&mut self, id: NodeId, kernel: &str, from: Source, places: [Vec<usize>; 3]) -> Result<(), PlanError> {
        let to = self.output(id)?;
        self.step(id, kernel, Work::Gather(Gather { from, to, places }));
        Ok(())
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
            self.values.insert(id, vec![view]);
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

    pub(super) fn upsample(&mut self, id: NodeId, upsample: &Upsample) -> Result<(), PlanError> {
        let scale = [1, upsample.scale.h, upsample.scale.w];
        match upsample.mode {
            UpsampleMode::Nearest => self.take(id, "nearest pixels", [0, 1, 2], |axis, i| i / scale[axis]),
            UpsampleMode::Bilinear => self.interpolate(
                id,
                &Resize {
                    to: ResizeTo::Scale([upsample.scale.h as f32, upsample.scale.w as f32]),
                    mode: ResizeMode::Bilinear,
                    coordinates: Coordinates::HalfPixel,
                },
            ),
        }
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
        self.check_places(id)?;
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
        self.check_places(id)?;
        let from = self.planar(self.graph.operands(id)[0])?;
        let strides = *self.plan.strides(from);
        let [channels, rows, columns] = self.shapes[id].extent();
        let along = |axis, i| along(&strides, from, axis, i);
        let channel = |c, y, x| along(0, op.source(channels, c, y, x));
        let places = [
            (0..channels).map(|c| channel(c, 0, 0)).collect(),
            (0..rows)
                .map(|y| channel(0, y % op.block, 0) + along(1, y / op.block))
                .collect(),
            (0..columns)
                .map(|x| channel(0, 0, x % op.block) + along(2, x / op.block))
                .collect(),
        ];
        self.gather(id, "channels as pixels", Source::View(from), places)
    }

    pub(super) fn space_to_depth(&mut self, id: NodeId, op: SpaceToDepth) -> Result<(), PlanError> {
        self.check_places(id)?;
        let operand = self.graph.operands(id)[0];
        let from = self.inside(operand).unwrap_or_else(|| self.first(operand));
        let strides = *self.plan.strides(from);
        let (before, [channels, rows, columns]) = (from.shape.channels(), self.shapes[id].extent());
        let along = |axis, i| along(&strides, from, axis, i);
        let channel = |c: usize| {
            let place = c / before;
            along(0, c % before) + along(1, place / op.block) + along(2, place % op.block)
        };
        let places = [
            (0..channels).map(channel).collect(),
            (0..rows).map(|y| along(1, y * op.block)).collect(),
            (0..columns).map(|x| along(2, x * op.block)).collect(),
        ];
        self.gather(id, "pixels as channels", Source::View(from), places)
    }

    /// The value of a constant for each image.
    pub(super) fn constant_value(&mut self, id: NodeId, constant: Constant) -> Result<(), PlanError> {
        self.check_places(id)?;
        let name = format!("{}.value", self.graph[id].weights);
        let shape = constant.shape.dims();
        let [channels, rows, columns] = constant.shape.extent();
        let places = [
            (0..channels).map(|c| c * rows * columns).collect(),
            (0..rows).map(|y| y * columns).collect(),
            (0..columns).collect(),
        ];
        let value = self.constant(Recipe::Tensor { name, shape });
        self.gather(id, "copy of weights", Source::Constant(value), places)
    }
}
