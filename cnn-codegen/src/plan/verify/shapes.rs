//! That buffers have the sizes their layouts say, and that the views of a step fit each other: what all emitters but
//! the sweep's take bounds from.

use cnn_ir::op::{Sides, Tap};
use cnn_ir::shape::Shape;

use super::{Checks, name};
use crate::plan::data::layout::BLOCK;
use crate::plan::data::{
    Access, AlongKind, AlongWork, BufferId, ConstantId, Copy, Elementwise, Interpolate, Layout, Port, RecurrentWork,
    StepWeights, Storage, View, WinogradWork, Work,
};
use crate::tile::TileSpec;

impl Checks<'_> {
    /// Strides and sizes are those of the layout; the user's arrays hold the elements and nothing else.
    pub(super) fn buffers(&mut self) {
        let plan = self.plan;
        for (index, buffer) in plan.buffers.iter().enumerate() {
            let id = BufferId(index);
            let external = buffer.is_external();
            let sized = buffer.layout.sized(buffer.value(), plan.batch, external);
            self.require(sized == Some((buffer.strides, buffer.bytes)), || {
                format!("{} has not the size of its layout", name(plan, id))
            });
            let owns = |port: Option<&Port>| port.is_some_and(|port| port.buffer == id && port.shape == buffer.shape);
            let theirs = match buffer.storage {
                Storage::Arena(_) => true,
                Storage::Input(input) => owns(plan.inputs.get(input)),
                Storage::Output(output) => owns(plan.outputs.get(output)),
            };
            let bare = !external || buffer.layout == Layout::PLANAR || buffer.layout == Layout::Hwc;
            self.require(theirs && bare, || format!("{} is not the user's array", name(plan, id)));
        }
    }

    /// That the views of a step have the shapes its emitter expects, and do not overlap where that would matter.
    pub(super) fn shapes(&mut self, work: &Work) {
        let same = |a: &View, b: &View| a.shape.extent() == b.shape.extent();
        let channels = |a: &View, b: &View| a.shape.channels() == b.shape.channels();
        let fits = match work {
            // Their tiles are looked at one by one.
            Work::Sweep(_) | Work::ClearHalo(_) => true,
            Work::Integer(work) => self.integers_fit(work),
            Work::Winograd(work) => self.winograd_fits(work),
            Work::Copy(copy) => self.copy_fits(copy),
            Work::Elementwise(step) => self.elementwise_fits(step),
            Work::Pool(pool) => channels(&pool.input, &pool.output),
            Work::GlobalPool { input, output, .. } => channels(input, output) && output.shape.plane() == 1,
            Work::AdaptiveAvgPool { input, output } => channels(input, output),
            Work::Softmax { input, output, .. } | Work::Lrn { input, output, .. } => same(input, output),
            Work::Gather(gather) => gather.is_within(self.plan),
            Work::Interpolate(work) => interpolate_fits(work),
            Work::Matmul { left, right, output } => self.matmul_fits(*left, *right, *output),
            Work::Recurrent(work) => self.recurrent_fits(work),
            Work::Along(work) => self.along_fits(work),
            Work::Reduce {
                input, output, axes, ..
            } => {
                let sizes = [0, 1, 2].map(|axis| if axes[axis] { 1 } else { input.shape.extent()[axis] });
                output.shape.extent() == sizes
            }
        };
        self.require(fits, || "its operands do not fit each other".into());
        let (reads, writes) = work.accesses();
        let mut reads = reads.into_iter().filter_map(Access::view);
        let apart = match (work, writes.view()) {
            (Work::Copy(copy), _) => {
                let range = |view: View| view.channel..view.end();
                let (from, to) = (range(copy.from), range(copy.to));
                copy.from.buffer != copy.to.buffer || from.end <= to.start || to.end <= from.start
            }
            // Each element is read before it is written, by the same task.
            (Work::Elementwise(_), Some(output)) => reads.all(|view| apart(view, output) || view == output),
            (_, Some(output)) => reads.all(|view| apart(view, output)),
            // Tiles are looked at one by one.
            (_, None) => true,
        };
        self.require(apart, || "it reads what other tasks of it write".into());
    }

    fn winograd_fits(&self, work: &WinogradWork) -> bool {
        let residual = work
            .residual
            .is_none_or(|view| view.shape.extent() == work.output.shape.extent());
        // Only whole images share a task.
        let shared = work.images > 1
            && self.plan.batch.is_multiple_of(work.images)
            && work.all_tiles().checked_mul(work.images) == Some(work.block);
        let images = work.images == 1 || shared;
        // Of a convolution with stride 1: tiles cover its outputs, which are as many as its padding leaves.
        let ([_, height, width], [_, rows, columns]) = (work.input.shape.extent(), work.output.shape.extent());
        let across = |outputs: usize| outputs.div_ceil(work.variant.outputs());
        let windows = |n: usize, before: usize, after: usize| (n + before + after + 1).checked_sub(work.variant.taps());
        let Sides {
            top,
            left,
            bottom,
            right,
        } = work.sides;
        let covers = work.tiles == [across(columns), across(rows)]
            && windows(height, top, bottom) == Some(rows)
            && windows(width, left, right) == Some(columns);
        residual && images && covers
    }

    fn copy_fits(&self, copy: &Copy) -> bool {
        let ([channels, height, width], [target, rows, columns]) = (copy.from.shape.extent(), copy.to.shape.extent());
        if copy.reshape {
            let to = &self.plan.buffers[copy.to.buffer.0];
            copy.from.shape.elements() == copy.to.shape.elements()
                && to.layout == Layout::PLANAR
                && copy.to.shape == to.shape
                && copy.at == (0, 0)
                && copy.border.is_none()
        } else {
            channels == target && copy.at.0.saturating_add(height) <= rows && copy.at.1.saturating_add(width) <= columns
        }
    }

    fn matmul_fits(&self, left: View, right: View, output: View) -> bool {
        let planar = |view: &View| matches!(self.plan.buffers[view.buffer.0].layout, Layout::Planar { .. });
        let [[c1, rows, inner], [c2, depth, columns], [channels, m, n]] =
            [left, right, output].map(|view| view.shape.extent());
        [left, right, output].iter().all(planar)
            && [c1, c2].iter().all(|&c| c == channels || c == 1)
            && (rows, inner, columns) == (m, depth, n)
    }

    fn along_fits(&self, work: &AlongWork) -> bool {
        let planar = |view: &View| matches!(self.plan.buffers[view.buffer.0].layout, Layout::Planar { .. });
        let (from, to) = (work.input.shape.extent(), work.output.shape.extent());
        let axis = work.axis;
        let others = (0..3).all(|other| other == axis || from[other] == to[other]);
        let along = match work.kind {
            AlongKind::Extreme { .. } => to[axis] == 1,
            AlongKind::Top { .. } => to[axis] <= from[axis],
            AlongKind::Sum { .. } => to[axis] == from[axis],
            AlongKind::Take => true,
        };
        let places = match (&work.places, work.input.shape) {
            (None, _) => work.kind != AlongKind::Take,
            (Some(_), _) if work.kind != AlongKind::Take => false,
            (
                Some(View {
                    shape: Shape::Flat(n), ..
                }),
                Shape::Map { .. },
            ) => *n == to[axis],
            (Some(view), _) => {
                let sizes = view.shape.extent();
                (0..3).all(|other| sizes[other] == to[other] || (other != axis && sizes[other] == 1))
            }
        };
        let views = [Some(work.input), work.places, Some(work.output)];
        views.iter().flatten().all(planar) && others && along && places
    }

    fn recurrent_fits(&self, work: &RecurrentWork) -> bool {
        let plan = self.plan;
        let planar = |view: &View| matches!(plan.buffers[view.buffer.0].layout, Layout::Planar { .. });
        let ([n, steps, features], directions) = (work.input.shape.extent(), work.recurrent.directions().len());
        let units = work.recurrent.units;
        let padded = units.next_multiple_of(BLOCK) as i64;
        let states = &work.states;
        let rows = |weights: &StepWeights, inner: usize| {
            let floats = weights.panel_floats(inner) as u128 * weights.panels as u128;
            let padded = weights.vectors as u128 * BLOCK as u128 * weights.panels as u128;
            let enough = |&ConstantId(id): &ConstantId| plan.constants[id].recipe.floats() as u128 >= floats;
            let rows = work.recurrent.gates() as u128 * units as u128;
            weights.constants.len() == directions && weights.constants.iter().all(enough) && padded >= rows
        };
        planar(&work.input)
            && planar(&work.output)
            && states.iter().all(planar)
            && (states.is_empty() || states.len() == work.recurrent.states())
            && states
                .iter()
                .all(|state| state.shape.extent() == [n, directions, units])
            && work.recurrent.width().map(|width| [n, steps, width]) == Some(work.output.shape.extent())
            && work.group > 0
            && plan
                .batch
                .checked_mul(n)
                .is_some_and(|sequences| sequences.is_multiple_of(work.group))
            && rows(&work.project, features)
            && rows(&work.recur, units)
            && (1..=steps).contains(&work.block)
            && work.tiles.len() == directions
            && work
                .tiles
                .iter()
                .zip(work.recurrent.directions())
                .all(|(tiles, &reverse)| {
                    let row = plan.strides(work.input).row as i64 * if reverse { -1 } else { 1 };
                    let rest = steps % work.block;
                    is_tile(&tiles.project, &work.project, work.block, features, row)
                        && is_tile(&tiles.recur, &work.recur, work.group, units, padded)
                        && match &tiles.rest {
                            Some(tile) => is_tile(tile, &work.project, rest, features, row),
                            None => rest == 0,
                        }
                })
    }

    fn elementwise_fits(&self, step: &Elementwise) -> bool {
        let whole = step.output.shape.extent();
        let operand = |view: &View| {
            let sizes = view.shape.extent().into_iter().zip(whole);
            sizes.into_iter().all(|(size, whole)| size == whole || size == 1)
        };
        let floats = |ConstantId(constant): ConstantId| self.plan.constants[constant].recipe.floats();
        let padded = step.output.shape.channels().next_multiple_of(BLOCK);
        !step.operands.is_empty()
            && step.operands.iter().all(operand)
            && step.scale_shift.is_none_or(|constant| floats(constant) >= 2 * padded)
            && step.slope.is_none_or(|constant| floats(constant) >= padded)
    }
}

fn interpolate_fits(work: &Interpolate) -> bool {
    let ([channels, height, width], [c, rows, columns]) = (work.input.shape.extent(), work.output.shape.extent());
    let within = |taps: &[Tap], n: usize| taps.iter().all(|tap| tap.first.max(tap.second) < n);
    channels == c
        && (work.rows.len(), work.columns.len()) == (rows, columns)
        && within(&work.rows, height)
        && within(&work.columns, width)
}

/// Whether a tile of so many steps reads, of rows that are `row` floats apart, `inner` floats each, a panel of weights, and
/// writes that panel's part of as many rows.
fn is_tile(tile: &TileSpec, weights: &StepWeights, steps: usize, inner: usize, row: i64) -> bool {
    let bytes = |floats: i128| floats * size_of::<f32>() as i128;
    let last = (steps as i128 - 1) * i128::from(row);
    let (input, output) = (tile.input_bytes(), tile.output_bytes());
    let end = (steps as i128 - 1) * weights.rows() as i128 + (weights.vectors * BLOCK) as i128;
    tile.vectors == weights.vectors
        && tile.pixels.len() == steps
        && !tile.residual
        && tile.weight_floats() == weights.panel_floats(inner)
        && i128::from(input.start) >= bytes(last.min(0))
        && i128::from(input.end) <= bytes(last.max(0) + inner as i128)
        && output.start >= 0
        && i128::from(output.end) <= bytes(end)
}

/// Whether two views share no block.
fn apart(a: View, b: View) -> bool {
    let blocks = |view: View| view.channel / BLOCK..view.end().div_ceil(BLOCK);
    let (one, other) = (blocks(a), blocks(b));
    a.buffer != b.buffer || one.end <= other.start || other.end <= one.start
}
