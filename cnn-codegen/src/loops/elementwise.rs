//! Functions of single elements: sums, products, scale and shift, slopes, activations.

use cnn_ir::op::CombineKind;

use super::code::{Comparison, Int, Vector};
use super::step::Builder;
use super::writer::{Extreme, VECTOR};
use crate::plan::layout::BLOCK;
use crate::plan::{Elementwise, Plan};

/// The loop nest of an elementwise step.
struct Nest {
    blocks: usize,
    height: usize,
    width: usize,
}

/// Blocks, rows and columns, with rows joined where all operands allow it, and a vector's blocks as columns where no
/// parameter depends on the channel.
fn nest(plan: &Plan, e: &Elementwise) -> Nest {
    let [channels, height, width] = e.output.shape.extent();
    let blocks = channels.div_ceil(BLOCK);
    // Without a halo the blocks of one pixel are neighbours.
    let contiguous = e
        .operands
        .iter()
        .chain([&e.output])
        .all(|&view| plan.strides(view).block == BLOCK);
    if height * width == 1 && contiguous && e.scale_shift.is_none() && e.slope.is_none() {
        return Nest {
            blocks: 1,
            height: 1,
            width: blocks,
        };
    }
    let full = e.operands.iter().filter(|view| view.shape.plane() == height * width);
    let straight = full.chain([&e.output]).all(|&view| {
        let strides = plan.strides(view);
        strides.row == width * strides.pixel
    });
    if straight {
        Nest {
            blocks,
            height: 1,
            width: height * width,
        }
    } else {
        Nest { blocks, height, width }
    }
}

/// Items: blocks of all images.
pub(super) fn items(plan: &Plan, elementwise: &Elementwise) -> usize {
    plan.batch * nest(plan, elementwise).blocks
}

impl Builder<'_> {
    /// The body of one item. Operands: those combined, the output, then scale and shift, then slopes.
    pub(super) fn elementwise(&mut self, step: &Elementwise, item: Int) {
        let nest = nest(self.plan, step);
        let (image, block) = self.divide(item, nest.blocks);
        let position = step.operands.len();
        let (sink, output) = self.image(position, step.output, image);
        let sink = self.index(sink, block, output.block);

        // One vector for operands that count for every pixel, an address for the others.
        let mut sources = Vec::with_capacity(step.operands.len());
        for (index, &view) in step.operands.iter().enumerate() {
            let (base, strides) = self.image(index, view, image);
            let base = self.index(base, block, strides.block);
            let single = view.shape.plane() == 1 && step.output.shape.plane() > 1;
            sources.push((base, strides, if single { Some(self.load(base, 0)) } else { None }));
        }
        let mut next = position + 1;
        let constant = |e: &mut Self, offset: i64| -> Vector {
            let base = e.offset(e.operands[next], offset);
            let base = e.index(base, block, VECTOR);
            e.load(base, 0)
        };
        let blocks = step.output.shape.channels().div_ceil(BLOCK) as i64;
        let scale_shift = step
            .scale_shift
            .map(|_| (constant(self, 0), constant(self, blocks * VECTOR)));
        next += usize::from(step.scale_shift.is_some());
        let slope = step.slope.map(|_| {
            let base = self.index(self.operands[next], block, VECTOR);
            self.load(base, 0)
        });

        // A vector's neighbour: the next pixel, or the next block of a vector.
        let pixel = VECTOR;
        self.times(0, nest.height, |e, y| {
            let sink = e.index(sink, y, output.row);
            e.times(0, nest.width, |e, x| {
                let mut sum: Option<Vector> = None;
                for (base, strides, single) in &sources {
                    let value = match single {
                        Some(value) => *value,
                        None => {
                            let at = e.index(*base, y, strides.row);
                            let at = e.index(at, x, pixel);
                            e.load(at, 0)
                        }
                    };
                    sum = Some(match (sum, step.combination) {
                        (None, _) => value,
                        (Some(sum), CombineKind::Add) => e.add(sum, value),
                        (Some(sum), CombineKind::Mul) => e.mul(sum, value),
                        (Some(sum), CombineKind::Sub) => e.sub(sum, value),
                        (Some(sum), CombineKind::Div) => e.div(sum, value),
                        (Some(sum), CombineKind::Max) => e.extreme_or_nan(Extreme::Max, sum, value),
                        (Some(sum), CombineKind::Min) => e.extreme_or_nan(Extreme::Min, sum, value),
                    });
                }
                let Some(mut value) = sum else { return };
                if let Some((scale, shift)) = scale_shift {
                    value = e.mul(value, scale);
                    value = e.add(value, shift);
                }
                if let Some(slope) = slope {
                    let zero = e.splat(0.0);
                    let sloped = e.mul(value, slope);
                    value = e.select((value, Comparison::Greater, zero), value, sloped);
                }
                let at = e.index(sink, x, pixel);
                e.store(value, at, 0);
            });
            if let Some(function) = step.activation {
                e.activate(function, sink, nest.width * BLOCK);
            }
        });
    }
}
