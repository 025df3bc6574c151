//! Means along axes.

use super::code::{Address, FloatOp, Int, Vector, VectorExpr};
use super::step::Builder;
use crate::plan::View;
use crate::plan::layout::BLOCK;

/// Items of a mean: rows of the result's blocks.
pub(super) fn items(batch: usize, output: View) -> usize {
    let [channels, rows, _] = output.shape.extent();
    batch * channels.div_ceil(BLOCK) * rows
}

impl Builder<'_> {
    /// The body of one item. Operands: input, output.
    pub(super) fn reduce_mean(&mut self, input: View, output: View, axes: [bool; 3], item: Int) {
        let channels = input.shape.channels();
        let [result, rows, columns] = output.shape.extent();
        let (item, y) = self.divide(item, rows);
        let (image, block) = self.divide(item, result.div_ceil(BLOCK));
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
                let last = e.offset(at, whole as i64 * from.block);
                let tail = e.total(last, &plane);
                let mut lanes = e.masked(tail, channels - whole * BLOCK, 0.0);
                if whole > 0 {
                    let all = e.total(at, &[(whole, from.block), plane[0], plane[1]]);
                    lanes = e.add(all, lanes);
                }
                let sum = e.horizontal(lanes, |e, a, b| e.float_op(FloatOp::Add, a, b));
                let scale = e.float(scale);
                let mean = e.float_op(FloatOp::Multiply, sum, scale);
                let zeros = e.splat(0.0);
                e.vector(VectorExpr::WithLane(zeros, 0, mean))
            } else {
                let sum = e.total(at, &plane);
                let scale = e.splat(scale);
                e.mul(sum, scale)
            };
            let at = e.index(sink, x, to.pixel);
            e.store(value, at, 0);
        });
    }

    /// The sum of vectors so many bytes apart, the outermost loop first. A sum for each row first: it keeps the
    /// rounding error of large maps small.
    fn total(&mut self, at: Address, loops: &[(usize, i64)]) -> Vector {
        match loops {
            [] => self.load(at, 0),
            [(1, _), inner @ ..] => self.total(at, inner),
            [(count, step), inner @ ..] => {
                let zero = self.splat(0.0);
                let sum = self.variable(zero);
                self.times(0, *count, |e, i| {
                    let at = e.index(at, i, *step);
                    let value = e.total(at, inner);
                    let before = e.read(sum);
                    let after = e.add(before, value);
                    e.set(sum, after);
                });
                self.read(sum)
            }
        }
    }
}
