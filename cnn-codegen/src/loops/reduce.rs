//! Reductions along axes: means, greatest elements …

use cnn_ir::op::ReduceKind;

use super::code::{Address, Float, FloatExpr, FloatOp, Int, Vector, VectorExpr};
use super::step::Builder;
use super::writer::Extreme;
use crate::plan::View;
use crate::plan::layout::BLOCK;

/// How elements become one.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Reduction {
    Sum,
    Product,
    /// The greatest or least; of none, this.
    Extreme(Extreme, f32),
}

impl Reduction {
    pub(super) const MAX: Reduction = Reduction::Extreme(Extreme::Max, f32::NEG_INFINITY);
    pub(super) const MIN: Reduction = Reduction::Extreme(Extreme::Min, f32::INFINITY);

    /// Of no element.
    fn of_none(self) -> f32 {
        match self {
            Reduction::Sum => 0.0,
            Reduction::Product => 1.0,
            Reduction::Extreme(_, limit) => limit,
        }
    }
}

impl From<ReduceKind> for Reduction {
    fn from(kind: ReduceKind) -> Self {
        match kind {
            ReduceKind::Mean | ReduceKind::Sum | ReduceKind::SumSquare => Reduction::Sum,
            ReduceKind::Max => Reduction::MAX,
            ReduceKind::Min => Reduction::MIN,
            ReduceKind::Prod => Reduction::Product,
        }
    }
}

/// Tasks of a reduction: rows of the result's blocks.
pub(super) fn tasks(batch: usize, output: View) -> usize {
    let [channels, rows, _] = output.shape.extent();
    batch * channels.div_ceil(BLOCK) * rows
}

impl Builder<'_> {
    /// The body of one task. Operands: input, output.
    pub(super) fn reduce_axes(&mut self, input: View, output: View, kind: ReduceKind, axes: [bool; 3], task: Int) {
        let reduce = Reduction::from(kind);
        let channels = input.shape.channels();
        let [result, rows, columns] = output.shape.extent();
        let (task, y) = self.divide(task, rows);
        let (image, block) = self.divide(task, result.div_ceil(BLOCK));
        let (source, from) = self.image(0, input, image);
        // Along reduced axes there is only the place 0.
        let source = self.index(source, block, from.block);
        let source = self.index(source, y, from.row);
        let (sink, to) = self.image(1, output, image);
        let sink = self.index(sink, block, to.block);
        let sink = self.index(sink, y, to.row);

        let count = |axis: usize| if axes[axis] { input.shape.extent()[axis] } else { 1 };
        let plane = [(count(1), from.row), (count(2), from.pixel)];
        let scale = 1.0 / (count(0) * count(1) * count(2)) as f32;
        let whole = channels.div_ceil(BLOCK) - 1;
        self.times(0, columns, |e, x| {
            let at = e.index(source, x, from.pixel);
            let value = if axes[0] {
                // The last block may not be full: its other lanes count as none.
                let last = e.offset(at, whole as i64 * from.block);
                let tail = e.total(kind, last, &plane);
                let mut lanes = e.masked(tail, channels - whole * BLOCK, reduce.of_none());
                if whole > 0 {
                    let all = e.total(kind, at, &[(whole, from.block), plane[0], plane[1]]);
                    lanes = e.reduce(reduce, all, lanes);
                }
                let mut result = e.reduced_lanes(reduce, lanes);
                if kind == ReduceKind::Mean {
                    let scale = e.float(scale);
                    result = e.float_op(FloatOp::Multiply, result, scale);
                }
                let zeros = e.splat(0.0);
                e.vector(VectorExpr::WithLane(zeros, 0, result))
            } else {
                let result = e.total(kind, at, &plane);
                if kind == ReduceKind::Mean {
                    let scale = e.splat(scale);
                    e.mul(result, scale)
                } else {
                    result
                }
            };
            let at = e.index(sink, x, to.pixel);
            e.store(value, at, 0);
        });
    }

    /// Of no vector.
    pub(super) fn start(&mut self, reduce: Reduction) -> Vector {
        self.splat(reduce.of_none())
    }

    /// Of two vectors, lane by lane. A NaN on either side stays, as in PyTorch.
    pub(super) fn reduce(&mut self, reduce: Reduction, sum: Vector, value: Vector) -> Vector {
        match reduce {
            Reduction::Sum => self.add(sum, value),
            Reduction::Product => self.mul(sum, value),
            Reduction::Extreme(extreme, _) => self.extreme_or_nan(extreme, sum, value),
        }
    }

    /// What is reduced of the vector at an address.
    pub(super) fn reduced_value(&mut self, kind: ReduceKind, at: Address) -> Vector {
        let value = self.load(at, 0);
        if kind == ReduceKind::SumSquare {
            self.mul(value, value)
        } else {
            value
        }
    }

    /// Of the lanes of a vector.
    fn reduced_lanes(&mut self, reduce: Reduction, lanes: Vector) -> Float {
        let op = match reduce {
            Reduction::Sum => FloatOp::Add,
            Reduction::Product => FloatOp::Multiply,
            Reduction::Extreme(..) => {
                // Vectors of one lane's value, for their care about NaN.
                let each = |e: &mut Self, lane| {
                    let value = e.float_expr(FloatExpr::Lane(lanes, lane));
                    e.splat_value(value)
                };
                let first = each(self, 0);
                let all = (1..BLOCK).fold(first, |result, lane| {
                    let value = each(self, lane);
                    self.reduce(reduce, result, value)
                });
                return self.float_expr(FloatExpr::Lane(all, 0));
            }
        };
        self.horizontal(lanes, |e, a, b| e.float_op(op, a, b))
    }

    /// The reduction of vectors so many bytes apart, the outermost loop first. Of each row first: it keeps the rounding
    /// error of large maps small.
    fn total(&mut self, kind: ReduceKind, at: Address, loops: &[(usize, i64)]) -> Vector {
        let reduce = Reduction::from(kind);
        match loops {
            [] => self.reduced_value(kind, at),
            [(1, _), inner @ ..] => self.total(kind, at, inner),
            [(count, step), inner @ ..] => {
                let start = self.start(reduce);
                let sum = self.variable(start);
                self.times(0, *count, |e, i| {
                    let at = e.index(at, i, *step);
                    let value = e.total(kind, at, inner);
                    let before = e.read(sum);
                    let after = e.reduce(reduce, before, value);
                    e.set(sum, after);
                });
                self.read(sum)
            }
        }
    }
}
