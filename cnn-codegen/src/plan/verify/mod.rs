//! Checks a plan without trusting the planner, whoever made it: ids come first, then numbers, then what they say. All that
//! tiles touch is reckoned in 128 bits, and what is enumerated is bounded by the memory that it would fill.
//!
//! - every id names something, and every number is a size or a step of a memory that there could be;
//! - every step's reads were written by an earlier step, or are the user's inputs;
//! - no step writes an input, and every output is written;
//! - buffers that are alive at the same step do not overlap, stay within the arena and are aligned;
//! - constants do not overlap and are aligned;
//! - buffers have the sizes of their layouts, every view lies within its buffer, and the views of a step fit each other;
//! - everything a sweep's tiles touch lies within its buffers and its constant;
//! - no two tasks of a step write the same place, and none reads what another writes.
//!
//! Emitters take all bounds from views, layouts and nests. So a plan that passes makes code that stays within memory.

mod bounds;
mod integers;
mod shapes;
mod tiles;

use std::collections::BTreeMap;
use std::ops::Range;

use cnn_runtime::pack::Recipe;
use thiserror::Error;

use super::data::layout::BLOCK;
use super::data::{
    ALIGNMENT, Access, BufferId, ConstantId, IntegerKind, Layout, Move, Nest, PlanData, Storage, Sweep, WinogradWork,
    Work,
};
use crate::tile::Product;
use tiles::reach;

/// Something a plan must not do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("step {step}: {what}")]
pub struct PlanFault {
    /// The step's index.
    pub step: usize,
    /// What is wrong.
    pub what: String,
}

/// Checks a plan.
///
/// # Errors
/// Everything that is wrong with it.
pub fn verify(plan: &PlanData) -> Result<(), Vec<PlanFault>> {
    let mut checks = Checks {
        plan,
        faults: Vec::new(),
        step: 0,
    };
    if !checks.ids_and_numbers() {
        return Err(checks.faults);
    }
    checks.buffers();
    if !checks.faults.is_empty() {
        return Err(checks.faults);
    }
    checks.data_flow();
    checks.arena();
    checks.constants();
    for (index, step) in plan.steps.iter().enumerate() {
        checks.step = index;
        let known = checks.faults.len();
        checks.elements(&step.work);
        checks.views(&step.work);
        checks.shapes(&step.work);
        // Tiles are compared with buffers that views are within.
        if checks.faults.len() > known {
            continue;
        }
        match &step.work {
            Work::Sweep(sweep) => checks.sweep(sweep),
            Work::Winograd(work) => checks.winograd(work),
            Work::Copy(_)
            | Work::ClearHalo(_)
            | Work::Elementwise(_)
            | Work::Pool(_)
            | Work::GlobalPool { .. }
            | Work::AdaptiveAvgPool { .. }
            | Work::Softmax { .. }
            | Work::Lrn { .. }
            | Work::Gather(_)
            | Work::Interpolate(_)
            | Work::Matmul { .. }
            | Work::Recurrent(_)
            | Work::Integer(_)
            | Work::Along(_)
            | Work::Reduce { .. } => {}
        }
    }
    if checks.faults.is_empty() {
        Ok(())
    } else {
        Err(checks.faults)
    }
}

fn name(plan: &PlanData, BufferId(buffer): BufferId) -> String {
    format!("buffer {buffer} (`{}`)", plan.buffers[buffer].name)
}

struct Checks<'a> {
    plan: &'a PlanData,
    faults: Vec<PlanFault>,
    step: usize,
}

impl Checks<'_> {
    fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(PlanFault {
                step: self.step,
                what: what(),
            });
        }
    }

    fn data_flow(&mut self) {
        let plan = self.plan;
        let mut written: Vec<bool> = plan
            .buffers
            .iter()
            .map(|buffer| matches!(buffer.storage, Storage::Input(_)))
            .collect();
        for (index, step) in plan.steps.iter().enumerate() {
            self.step = index;
            for buffer in step.work.reads() {
                self.require(written[buffer.0], || {
                    format!("{} is read before it is written", name(plan, buffer))
                });
            }
            let target = step.work.writes();
            let input = matches!(plan.buffers[target.0].storage, Storage::Input(_));
            self.require(!input, || {
                format!("{} is the user's and must not be written", name(plan, target))
            });
            if !matches!(step.work, Work::ClearHalo(_)) {
                written[target.0] = true;
            }
        }
        for output in &plan.outputs {
            self.require(written[output.buffer.0], || {
                format!("output `{}` is never written", output.name)
            });
        }
    }

    /// Steps in order: buffers come when they are first used and go after their last use. Of those alive, none overlap; so
    /// a new one has only to be compared with its neighbours in the arena.
    fn arena(&mut self) {
        let plan = self.plan;
        let lifetimes = plan.lifetimes();
        let mut comes: Vec<(usize, usize)> = Vec::new();
        let mut goes: Vec<(usize, usize)> = Vec::new();
        for (buffer, life) in lifetimes.iter().enumerate() {
            if let Some((first, last)) = *life {
                comes.push((first, buffer));
                goes.push((last, buffer));
            }
        }
        comes.sort_unstable();
        goes.sort_unstable();
        let mut goes = goes.into_iter().peekable();
        // First byte → end and buffer.
        let mut alive: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for (step, buffer) in comes {
            self.step = step;
            let Storage::Arena(start) = plan.buffers[buffer].storage else {
                continue;
            };
            let id = BufferId(buffer);
            let end = start.saturating_add(plan.buffers[buffer].bytes);
            self.require(end <= plan.arena_bytes, || {
                format!("{} ends after the arena", name(plan, id))
            });
            self.require(start.is_multiple_of(ALIGNMENT), || {
                format!("{} is not aligned", name(plan, id))
            });
            while let Some((_, gone)) = goes.next_if(|&(last, _)| last < step) {
                if let Storage::Arena(start) = plan.buffers[gone].storage
                    && alive.get(&start).is_some_and(|&(_, other)| other == gone)
                {
                    alive.remove(&start);
                }
            }
            let before = alive.range(..=start).next_back().filter(|(_, (end, _))| *end > start);
            let other = before.or_else(|| alive.range(start..end).next());
            if let Some((_, &(_, other))) = other {
                self.require(false, || {
                    let others = name(plan, BufferId(other));
                    format!("{} and {others} share memory while both are alive", name(plan, id))
                });
            }
            alive.insert(start, (end, buffer));
        }
    }

    fn constants(&mut self) {
        self.step = 0;
        let mut end = 0;
        for constant in &self.plan.constants {
            let aligned = constant.offset.is_multiple_of(ALIGNMENT);
            self.require(aligned && constant.offset >= end, || {
                format!("constant `{}` overlaps", constant.recipe)
            });
            let bytes = constant.recipe.floats().saturating_mul(size_of::<f32>());
            end = constant.offset.saturating_add(bytes);
        }
        self.require(end <= self.plan.constant_bytes, || {
            "constants end after their block".into()
        });
    }

    fn views(&mut self, work: &Work) {
        let plan = self.plan;
        let (reads, writes) = work.accesses();
        let written = writes.view();
        // Copies may read and write anywhere, and so may what works channel by channel; all others write whole blocks.
        let copies = matches!(
            work,
            Work::Copy(_) | Work::Matmul { .. } | Work::Recurrent(_) | Work::Along(_)
        );
        for view in reads.into_iter().chain([writes]).filter_map(Access::view) {
            let is_written = Some(view) == written;
            // Integers are written by the byte, floats that they become in whole blocks.
            let integers = matches!(work, Work::Integer(work) if !is_written || work.kind != IntegerKind::Dequantize);
            let free = copies || integers || (matches!(work, Work::Gather(_)) && !is_written);
            let buffer = &plan.buffers[view.buffer.0];
            let end = view.end();
            let ([_, height, width], [_, rows, columns]) = (view.shape.extent(), buffer.shape.extent());
            let fits = end <= buffer.shape.channels() && [height, width] == [rows, columns];
            self.require(fits, || format!("a view ends after {}", name(plan, view.buffer)));
            let internal = matches!(buffer.storage, Storage::Arena(_));
            // A vector's channels follow each other in any layout, unless there are zeros around each of them.
            let vector = height * width == 1 && buffer.strides.lane == 1;
            let blocked = matches!(buffer.layout, Layout::Blocked { .. }) || vector;
            self.require(
                free || (internal && blocked && view.channel.is_multiple_of(BLOCK)),
                || format!("a step works on {}, which is not in blocks", name(plan, view.buffer)),
            );
            let whole = end.is_multiple_of(BLOCK) || end == buffer.shape.channels();
            self.require(free || !is_written || whole, || {
                format!("a view ends within a block of {}", name(plan, view.buffer))
            });
        }
    }

    /// Compares what a sweep's tiles touch with its buffers.
    fn sweep(&mut self, sweep: &Sweep) {
        let plan = self.plan;
        let bytes = |BufferId(buffer): BufferId| plan.buffers[buffer].bytes as i128;
        let limits = [
            bytes(sweep.input),
            self.constant_bytes(sweep.weights),
            bytes(sweep.output),
            sweep.residual.map_or(0, bytes),
        ];
        let nest = &sweep.nest;
        if !self.nest(nest, sweep.start, limits) {
            return;
        }
        let constant = &plan.constants[sweep.weights.0].recipe;
        for spec in &nest.specs {
            self.require(sweep.residual.is_some() || !spec.residual, || {
                "a tile adds a residual that is not there".into()
            });
            if spec.product == Product::Fixed {
                let block = spec
                    .loops
                    .last()
                    .map_or(0, |steps| steps.count as usize * spec.taps.len());
                let fits = matches!(constant, Recipe::Fixed { panels, .. } if panels.block == block);
                self.require(fits, || {
                    format!("blocks of {block} weights are not those of {constant}")
                });
            }
        }
        if let Some(what) = tiles::interference(nest, limits[2]) {
            self.require(false, || what.into());
        }
        // A step may read one part of a concatenation and write another.
        let [input, _, output, residual] = reach(nest, sweep.start, false);
        for (buffer, read) in [(Some(sweep.input), input), (sweep.residual, residual)] {
            if buffer == Some(sweep.output) {
                let apart = read.end <= output.start || output.end <= read.start;
                let (start, end) = (read.start.min(output.start), read.end.max(output.end));
                let image = nest.images.count == 1 || (start >= 0 && end <= i128::from(nest.images.step.output));
                self.require(apart && image, || "it reads what other tasks of it write".into());
            }
        }
    }

    /// Whether a nest's lists are consistent, its tiles can be lowered, and all that they touch is within the limits.
    fn nest(&mut self, nest: &Nest, start: Move, limits: [i128; 4]) -> bool {
        let known = self.faults.len();
        if let Some(what) = tiles::lists(nest) {
            self.require(false, || what.into());
            return false;
        }
        for spec in &nest.specs {
            let valid = spec.validate();
            self.require(valid.is_ok(), || format!("a tile is none: {valid:?}"));
        }
        if self.faults.len() == known {
            self.within(reach(nest, start, true), limits);
        }
        self.faults.len() == known
    }

    /// Compares what the products touch with the task's own memory and with the transformed filters.
    fn winograd(&mut self, work: &WinogradWork) {
        let positions = work.variant.products();
        let bytes = |floats: usize| floats as i128 * size_of::<f32>() as i128;
        let [transformed, products] = work.planes.map(|plane| bytes(positions * plane));
        // A task has so many tiles; where one image is divided, its last task has the rest.
        let rest = match work.images {
            1 => work.all_tiles() % work.block,
            _ => 0,
        };
        let counts: Vec<usize> = work.products.iter().map(|(tiles, _)| *tiles).collect();
        let expected = [work.block.min(work.all_tiles() * work.images), rest];
        self.require(counts == expected[..1 + usize::from(rest > 0)], || {
            "its products are not of its tasks' tiles".into()
        });
        for (_, nest) in &work.products {
            self.nest(
                nest,
                Move::default(),
                [transformed, bytes(work.part_floats), products, 0],
            );
            self.require(nest.specs.iter().all(|spec| !spec.residual), || {
                "a product adds a residual".into()
            });
        }
        let filters = bytes(work.bias_floats()) + work.parts as i128 * bytes(work.part_floats);
        let all = self.constant_bytes(work.weights);
        self.require(filters <= all, || "parts end after their constant".into());
        let filters = work.output.shape.channels();
        let blocks = work.parts.saturating_mul(work.blocks[1]);
        self.require(blocks == filters.div_ceil(BLOCK), || {
            "parts do not make up the filters".into()
        });
        let inputs = work.input.shape.channels();
        self.require(work.blocks[0] == inputs.div_ceil(BLOCK), || {
            "not all channels are read".into()
        });
        for (&blocks, &plane) in work.blocks.iter().zip(&work.planes) {
            let floats = blocks as u128 * work.block as u128 * BLOCK as u128;
            self.require(floats <= plane as u128, || "positions of tiles overlap".into());
        }
    }

    fn constant_bytes(&self, ConstantId(constant): ConstantId) -> i128 {
        self.plan.constants[constant].recipe.floats() as i128 * size_of::<f32>() as i128
    }

    fn within(&mut self, touched: [Range<i128>; 4], limits: [i128; 4]) {
        let names = ["input", "weights", "output", "residual"];
        for (name, (range, limit)) in names.iter().zip(touched.into_iter().zip(limits)) {
            self.require(range.is_empty() || (range.start >= 0 && range.end <= limit), || {
                format!(
                    "tiles touch bytes {}..{} of {limit} of their {name}",
                    range.start, range.end
                )
            });
        }
    }
}
