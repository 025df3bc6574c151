//! Functions of single elements: sums, quotients and the like, scale and shift, slopes, activations.

use cnn_ir::op::CombineKind;

use super::code::{Address, Comparison, Int, Vector};
use super::step::{Builder, ByteStrides};
use super::writer::{Extreme, VECTOR};
use crate::plan::layout::BLOCK;
use crate::plan::{Elementwise, Plan, View};

/// The loop nest of an elementwise step.
struct Nest {
    blocks: usize,
    height: usize,
    width: usize,
    /// Bytes from row to row and from column to column of each operand; 0 where one place counts for all.
    steps: Vec<(i64, i64)>,
}

/// Whether an operand's only channel counts for all.
fn is_spread(step: &Elementwise, view: &View) -> bool {
    view.shape.channels() == 1 && step.output.shape.channels() > 1
}

/// What lanes after the last channel must hold so that they stay finite: where they may be 0/0, a value of the only
/// channel, or an argument that the activation has no finite value at.
fn filler(step: &Elementwise) -> Option<f32> {
    let spread = || step.operands.iter().any(|view| is_spread(step, view));
    if step.output.shape.channels().is_multiple_of(BLOCK) {
        None
    } else if step
        .activation
        .is_some_and(|activation| !activation.is_finite_at_zero())
    {
        Some(1.0)
    } else {
        (step.combination == CombineKind::Div || spread()).then_some(0.0)
    }
}

/// Blocks, rows and columns, with rows joined where all operands allow it, and a vector's blocks as columns where
/// nothing depends on the channel.
fn nest(plan: &Plan, e: &Elementwise) -> Nest {
    let [channels, height, width] = e.output.shape.extent();
    let blocks = channels.div_ceil(BLOCK);
    // Without a halo the blocks of one pixel are neighbours.
    let contiguous = e
        .operands
        .iter()
        .chain([&e.output])
        .all(|&view| plan.strides(view).block == BLOCK);
    if height * width == 1 && contiguous && e.scale_shift.is_none() && e.slope.is_none() && filler(e).is_none() {
        let step = |view| if is_spread(e, view) { 0 } else { VECTOR };
        return Nest {
            blocks: 1,
            height: 1,
            width: blocks,
            steps: e.operands.iter().map(|view| (0, step(view))).collect(),
        };
    }
    let full = |view: &View| view.shape.extent()[1..] == [height, width];
    let straight = |view: &View| {
        let strides = plan.strides(*view);
        full(view) && strides.row == width * strides.pixel
    };
    let single = |view: &View| view.shape.plane() == 1;
    if straight(&e.output) && e.operands.iter().all(|view| single(view) || straight(view)) {
        let step = |view| if single(view) { 0 } else { VECTOR };
        return Nest {
            blocks,
            height: 1,
            width: height * width,
            steps: e.operands.iter().map(|view| (0, step(view))).collect(),
        };
    }
    let steps = |view: &View| {
        let [_, rows, columns] = view.shape.extent();
        let row = ByteStrides::from(plan.strides(*view)).row;
        (if rows == 1 { 0 } else { row }, if columns == 1 { 0 } else { VECTOR })
    };
    Nest {
        blocks,
        height,
        width,
        steps: e.operands.iter().map(steps).collect(),
    }
}

/// An operand while the loops around its elements are written.
#[derive(Clone, Copy)]
struct Source {
    at: Address,
    row: i64,
    pixel: i64,
    spread: bool,
    /// Once no loop changes it any more.
    value: Option<Vector>,
}

/// Tasks: blocks of all images.
pub(super) fn tasks(plan: &Plan, elementwise: &Elementwise) -> usize {
    plan.batch * nest(plan, elementwise).blocks
}

impl Builder<'_> {
    /// The body of one task. Operands: those combined, the output, then scale and shift, then slopes.
    pub(super) fn elementwise(&mut self, step: &Elementwise, task: Int) {
        let nest = nest(self.plan, step);
        let (image, block) = self.divide(task, nest.blocks);
        let position = step.operands.len();
        let (sink, output) = self.image(position, step.output, image);
        let sink = self.index(sink, block, output.block);

        let mut sources = Vec::with_capacity(step.operands.len());
        for (index, (view, &(row, pixel))) in step.operands.iter().zip(&nest.steps).enumerate() {
            let (base, strides) = self.image(index, *view, image);
            let spread = is_spread(step, view);
            let at = if spread {
                base
            } else {
                self.index(base, block, strides.block)
            };
            let source = Source {
                at,
                row,
                pixel,
                spread,
                value: None,
            };
            sources.push(self.known(source, row == 0 && pixel == 0));
        }
        let mask = filler(step).map(|filler| self.mask(step.output.shape.channels(), block, filler));
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

        self.times(0, nest.height, |e, y| {
            let sink = e.index(sink, y, output.row);
            let sources: Vec<Source> = sources
                .iter()
                .map(|&source| {
                    let at = e.index(source.at, y, source.row);
                    e.known(Source { at, ..source }, source.pixel == 0)
                })
                .collect();
            // A vector's neighbour: the next pixel, or the next block of a vector.
            e.times(0, nest.width, |e, x| {
                let mut values = Vec::with_capacity(sources.len());
                for &source in &sources {
                    let at = e.index(source.at, x, source.pixel);
                    values.push(e.value(Source { at, ..source }));
                }
                let Some(mut value) = e.combined(step.combination, &values) else {
                    return;
                };
                if let Some((scale, shift)) = scale_shift {
                    value = e.mul(value, scale);
                    value = e.add(value, shift);
                }
                if let Some(slope) = slope {
                    let zero = e.splat(0.0);
                    let sloped = e.mul(value, slope);
                    value = e.select((value, Comparison::Greater, zero), value, sloped);
                }
                if let Some(mask) = mask {
                    value = e.existing(mask, value);
                }
                let at = e.index(sink, x, VECTOR);
                e.store(value, at, 0);
            });
            if let Some(function) = step.activation {
                e.activate(function, sink, nest.width * BLOCK);
            }
        });
    }

    /// The operands at one place as one.
    fn combined(&mut self, kind: CombineKind, values: &[Vector]) -> Option<Vector> {
        if let (CombineKind::Where, &[mask, then, otherwise]) = (kind, values) {
            // Not 0: below, above, or NaN.
            let zero = self.splat(0.0);
            let value = self.select((mask, Comparison::Less, zero), then, otherwise);
            let value = self.select((mask, Comparison::Greater, zero), then, value);
            return Some(self.select((mask, Comparison::Unordered, mask), then, value));
        }
        let (first, rest) = values.split_first()?;
        Some(rest.iter().fold(*first, |a, &b| match kind {
            CombineKind::Add => self.add(a, b),
            CombineKind::Mul => self.mul(a, b),
            CombineKind::Sub => self.sub(a, b),
            CombineKind::Div => self.div(a, b),
            CombineKind::Max => self.extreme_or_nan(Extreme::Max, a, b),
            CombineKind::Min => self.extreme_or_nan(Extreme::Min, a, b),
            CombineKind::Equal => self.mask_of(a, b, [0.0, 1.0, 0.0]),
            CombineKind::Greater => self.mask_of(a, b, [0.0, 0.0, 1.0]),
            CombineKind::GreaterEqual => self.mask_of(a, b, [0.0, 1.0, 1.0]),
            // Chosen above.
            CombineKind::Where => b,
        }))
    }

    /// One of three numbers where `a` is less than, equal to or greater than `b`; 0 where either is NaN.
    fn mask_of(&mut self, a: Vector, b: Vector, [less, equal, greater]: [f32; 3]) -> Vector {
        let [less, equal, greater, neither] = [less, equal, greater, 0.0].map(|number| self.splat(number));
        let value = self.select((a, Comparison::Less, b), less, equal);
        let value = self.select((a, Comparison::Greater, b), greater, value);
        self.select((a, Comparison::Unordered, b), neither, value)
    }

    fn value(&mut self, source: Source) -> Vector {
        match source.value {
            Some(value) => value,
            None if source.spread => {
                let float = self.load_float(source.at, 0);
                self.splat_value(float)
            }
            None => self.load(source.at, 0),
        }
    }

    /// Reads an operand that no further loop changes.
    fn known(&mut self, source: Source, is_last: bool) -> Source {
        let value = if is_last {
            Some(self.value(source))
        } else {
            source.value
        };
        Source { value, ..source }
    }
}
