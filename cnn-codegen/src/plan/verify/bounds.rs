//! Ids and numbers first: that every id names something, and that every number is one that the other checks, and the
//! code generators, may calculate with. Nothing else is looked at in a plan that fails here.
//!
//! Sizes are below 2^47 and steps within ±2^47 bytes, so that their products fit 128 bits, and sums of a few of them, as
//! code generators form them, 64.

use cnn_ir::op::{Pair, Sides};
use cnn_runtime::pack::{ChannelOrder, FilterSource, Recipe};

use super::Checks;
use crate::plan::data::{
    AlongWork, BufferId, ConstantId, IntegerKind, IntegerWork, Move, Nest, PoolWindow, Region, Repeat, Storage, View,
    Windows, WinogradWork, Work,
};

/// Vectors of a panel: no tile has more of a pixel than any instruction set has registers.
const MOST_VECTORS: usize = 32;
/// More than any machine's memory has bytes.
const LARGE: usize = 1 << 47;

fn is_size(size: usize) -> bool {
    (1..=LARGE).contains(&size)
}

fn is_step(step: i64) -> bool {
    step.unsigned_abs() <= LARGE as u64
}

fn are_steps(by: &Move) -> bool {
    [by.input, by.weights, by.output, by.residual, by.ahead]
        .into_iter()
        .all(is_step)
}

fn repeats(repeat: &Repeat) -> bool {
    is_size(repeat.count) && are_steps(&repeat.step)
}

impl Checks<'_> {
    /// Whether the other checks may look at the plan.
    pub(super) fn ids_and_numbers(&mut self) -> bool {
        let plan = self.plan;
        let sized = is_size(plan.batch) && plan.arena_bytes <= LARGE && plan.constant_bytes <= LARGE;
        self.require(sized, || "its sizes are beyond any memory".into());
        for (index, buffer) in plan.buffers.iter().enumerate() {
            let halo = buffer.layout.halo();
            let sized = buffer.shape.checked().is_some() && are_sides(halo) && is_size(buffer.bytes);
            self.require(sized, || format!("buffer {index} has no size"));
        }
        for (index, constant) in plan.constants.iter().enumerate() {
            let sized = recipe_floats(&constant.recipe).is_some_and(|floats| floats <= LARGE as u128);
            self.require(sized && constant.offset <= LARGE, || {
                format!("constant {index} has no size")
            });
        }
        for (index, port) in plan.inputs.iter().enumerate() {
            self.port("input", index, port.buffer, Storage::Input(index));
        }
        for (index, port) in plan.outputs.iter().enumerate() {
            self.port("output", index, port.buffer, Storage::Output(index));
        }
        for (index, step) in plan.steps.iter().enumerate() {
            self.step = index;
            let (mut accesses, writes) = step.work.accesses();
            accesses.push(writes);
            for access in accesses {
                let BufferId(buffer) = access.buffer();
                self.require(buffer < plan.buffers.len(), || format!("there is no buffer {buffer}"));
                let sized = access.view().is_none_or(|view| view.shape.checked().is_some());
                self.require(sized && access.view().is_none_or(|view| view.channel <= LARGE), || {
                    "a view has no size".into()
                });
            }
            for ConstantId(constant) in step.work.constants() {
                self.require(constant < plan.constants.len(), || {
                    format!("there is no constant {constant}")
                });
            }
            self.require(has_numbers(&step.work), || "its numbers are beyond any memory".into());
        }
        self.faults.is_empty()
    }

    fn port(&mut self, what: &str, index: usize, BufferId(buffer): BufferId, storage: Storage) {
        let owns = self
            .plan
            .buffers
            .get(buffer)
            .is_some_and(|buffer| buffer.storage == storage);
        self.require(owns, || format!("{what} {index} is in no buffer of its own"));
    }
}

fn are_sides(sides: Sides) -> bool {
    let Sides {
        top,
        left,
        bottom,
        right,
    } = sides;
    [top, left, bottom, right].into_iter().all(|side| side <= LARGE)
}

/// Whether the numbers of a work, other than views and ids, are sizes and steps.
fn has_numbers(work: &Work) -> bool {
    match work {
        Work::Sweep(sweep) => are_steps(&sweep.start) && nest(&sweep.nest),
        Work::Winograd(work) => winograd(work),
        Work::Pool(pool) => window(pool),
        Work::Integer(work) => integers(work),
        Work::Recurrent(work) => work.group > 0 && work.checked_scratch_bytes().is_some_and(|bytes| bytes <= LARGE),
        Work::Lrn { lrn, .. } => is_size(lrn.size),
        Work::Softmax { axis, .. } | Work::Along(AlongWork { axis, .. }) => *axis < 3,
        // `i · n` of `m` shares of `n` elements.
        Work::AdaptiveAvgPool { input, output } => {
            let ([_, n, width], [_, m, columns]) = (input.shape.extent(), output.shape.extent());
            [(n, m), (width, columns)]
                .iter()
                .all(|&(n, m)| n as u128 * m as u128 <= LARGE as u128)
        }
        Work::Copy(copy) => copy.at.0 <= LARGE && copy.at.1 <= LARGE,
        Work::ClearHalo(_)
        | Work::Elementwise(_)
        | Work::GlobalPool { .. }
        | Work::Gather(_)
        | Work::Interpolate(_)
        | Work::Matmul { .. }
        | Work::Reduce { .. } => true,
    }
}

fn nest(nest: &Nest) -> bool {
    let region = |region: &Region| {
        let segments = region.segments.iter();
        are_steps(&region.start)
            && repeats(&region.rows)
            && is_size(region.block)
            && !region.segments.is_empty()
            && segments
                .into_iter()
                .all(|one| are_steps(&one.start) && repeats(&one.tiles))
            && region
                .runs
                .iter()
                .all(|&(start, floats)| is_step(start) && is_size(floats))
    };
    !nest.passes.is_empty()
        && !nest.regions.is_empty()
        && repeats(&nest.images)
        && repeats(&nest.panels)
        && nest.panel_inputs.iter().copied().all(is_step)
        && nest.passes.iter().all(are_steps)
        && nest.regions.iter().all(region)
}

fn winograd(work: &WinogradWork) -> bool {
    let sizes = [work.images, work.block, work.parts, work.part_floats];
    // At most 64 positions of a tile, in floats of four bytes.
    let small = |size: &usize| is_size(*size) && *size <= LARGE >> 8;
    let sizes = sizes.iter().chain(&work.tiles).chain(&work.blocks).chain(&work.planes);
    sizes.into_iter().all(small)
        && are_sides(work.sides)
        && work.tiles[0] as u128 * work.tiles[1] as u128 <= LARGE as u128
        && work.products.iter().all(|(tiles, one)| is_size(*tiles) && nest(one))
}

/// That windows over integers, and tasks, are of sizes.
fn integers(work: &IntegerWork) -> bool {
    match work.kind {
        IntegerKind::Quantize | IntegerKind::Dequantize | IntegerKind::Copy | IntegerKind::Add { .. } => true,
        IntegerKind::Conv {
            window,
            row_block,
            panel_block,
            ..
        } => is_size(row_block) && is_size(panel_block) && windows(window, work.output),
        IntegerKind::Depthwise { window, .. } | IntegerKind::Pool { window, .. } => windows(window, work.output),
    }
}

/// That windows begin and end where 64 bits reach.
fn window(pool: &PoolWindow) -> bool {
    let window = Windows {
        size: pool.size,
        stride: pool.stride,
        dilation: pool.dilation,
        sides: pool.sides,
    };
    windows(window, pool.output)
}

fn windows(pool: Windows, output: View) -> bool {
    let [_, rows, columns] = output.shape.extent();
    let along = |pair: fn(&Windows) -> Pair| {
        let Pair { h, w } = pair(&pool);
        [h, w]
    };
    let sizes = [
        along(|pool| pool.size),
        along(|pool| pool.stride),
        along(|pool| pool.dilation),
    ];
    let reaches = |axis: usize, outputs: usize| {
        let [size, stride, dilation] = sizes.map(|pair| pair[axis] as u128);
        outputs as u128 * stride + size * dilation <= LARGE as u128
    };
    sizes.as_flattened().iter().copied().all(is_size)
        && are_sides(pool.sides)
        && reaches(0, rows)
        && reaches(1, columns)
}

/// Floats of a recipe, or more; `None` if it makes no sense.
fn recipe_floats(recipe: &Recipe) -> Option<u128> {
    let product = |sizes: &[usize]| {
        let sizes = sizes.iter().map(|&size| is_size(size).then_some(size as u128));
        sizes.into_iter().try_fold(1u128, |all, size| all.checked_mul(size?))
    };
    let padded = |filters: &FilterSource| match filters.shape.as_slice() {
        [count, channels, taps @ ..] => product(&[
            count.checked_next_multiple_of(8)?,
            channels.checked_next_multiple_of(8)?,
        ])?
        .checked_mul(product(taps)?),
        [] | [_] => None,
    };
    let are_vectors = |vectors: usize| (1..=MOST_VECTORS).contains(&vectors);
    match recipe {
        Recipe::Panels { filters, panels } => {
            padded(filters)?;
            let taps = product(&filters.shape[2..])?;
            let channels = panels
                .k_blocks
                .iter()
                .map(|&channels| is_size(channels).then_some(channels as u128 + 8));
            let channels = channels
                .into_iter()
                .try_fold(0u128, |all, channels| all.checked_add(channels?))?;
            let lanes = match panels.order {
                ChannelOrder::Planar => 1,
                ChannelOrder::Blocked { lanes } => lanes,
            };
            let sized = are_vectors(panels.vectors) && panels.groups > 0 && (1..=8).contains(&lanes);
            let steps = channels.checked_mul(taps)?.checked_add(1)?;
            let panel = steps.checked_mul(8 * panels.vectors as u128)?;
            sized.then_some(panel.checked_mul(panels.first_channels.len() as u128)?)
        }
        // A scale for each weight would be too many already.
        Recipe::Fixed { filters, panels } => {
            let sized = are_vectors(panels.vectors) && is_size(panels.block);
            sized.then_some(padded(filters)?.checked_mul(4 * panels.vectors as u128)?)
        }
        Recipe::Winograd { filters, transformed } => {
            let sized = are_vectors(transformed.vectors) && is_size(transformed.parts);
            let positions = transformed.variant.products() as u128 + 1;
            sized.then_some(padded(filters)?.checked_mul(positions)?)
        }
        // 16 bits a weight, and a bias and a factor for each filter of a panel of 32.
        Recipe::Integers { filters, .. } => padded(filters)?.checked_mul(32)?.checked_add(64),
        Recipe::Lanewise { filters } => padded(filters)?.checked_mul(2),
        Recipe::ScaleShift { channels, .. } => product(&[*channels])?.checked_add(8)?.checked_mul(2),
        Recipe::Tensor { shape, .. } => product(shape),
    }
}
