//! Softmax along each axis, local response normalisation.

use cnn_ir::op::Lrn;
use cnn_ir::shape::Shape;
use cnn_runtime::kernels::activation::RowFunction;
use cnn_runtime::kernels::lrn::LrnRow;

use super::code::{Address, Call, Comparison, Float, FloatExpr, FloatOp, Int, LANES, TestExpr, Vector, VectorVariable};
use super::step::Builder;
use super::writer::Extreme;
use crate::plan::View;
use crate::plan::layout::BLOCK;

impl Builder<'_> {
    /// Softmax over channels of one image. Operands: input, output.
    pub(super) fn softmax(&mut self, input: View, output: View, log: bool, image: Int) {
        let (source, from) = self.image(0, input, image);
        let (sink, to) = self.image(1, output, image);
        let [channels, height, width] = input.shape.extent();
        if let Shape::Flat(floats) = input.shape {
            self.call(Call::Softmax {
                log,
                from: source,
                to: sink,
                floats,
            });
            return;
        }
        let temporary = self.temporary();
        let blocks = channels.div_ceil(BLOCK);
        let last = channels - (blocks - 1) * BLOCK;
        self.pixels([1, height, width], |e, y, x| {
            let (source, sink) = (e.index(source, y, from.row), e.index(sink, y, to.row));
            let (source, sink) = (e.index(source, x, from.pixel), e.index(sink, x, to.pixel));

            // The greatest score; lanes behind the last channel do not count.
            let lowest = e.splat(f32::NEG_INFINITY);
            let greatest = e.variable(lowest);
            e.times(0, blocks - 1, |e, block| {
                let at = e.index(source, block, from.block);
                let value = e.load(at, 0);
                e.keep_greatest(greatest, value);
            });
            let tail = (blocks as i64 - 1) * from.block;
            let value = e.load(source, tail);
            let value = e.masked(value, last, f32::NEG_INFINITY);
            e.keep_greatest(greatest, value);
            let lanes = e.read(greatest);
            let greatest = e.horizontal(lanes, |e, a, b| e.greater(a, b));

            // exp(x − greatest), or x − greatest for the logarithm, and the sum of all exponentials.
            let sum = e.float(0.0);
            let sum = e.float_variable(sum);
            let shift = e.splat_value(greatest);
            let exponentials = |e: &mut Self, block: Int, lanes: usize| {
                let from = e.index(source, block, from.block);
                let at = e.index(sink, block, to.block);
                let value = e.load(from, 0);
                let value = e.sub(value, shift);
                let value = e.masked(value, lanes, 0.0);
                e.store(value, at, 0);
                let result = if log { temporary } else { at };
                e.vector_function(RowFunction::Exp, at, result);
                let value = e.load(result, 0);
                let value = e.masked(value, lanes, 0.0);
                if !log {
                    e.store(value, at, 0);
                }
                let part = e.horizontal(value, |e, a, b| e.float_op(FloatOp::Add, a, b));
                let before = e.read_float(sum);
                let after = e.float_op(FloatOp::Add, before, part);
                e.set_float(sum, after);
            };
            e.times(0, blocks - 1, |e, block| exponentials(e, block, BLOCK));
            let end = e.int(blocks - 1);
            exponentials(e, end, last);

            let sum = e.read_float(sum);
            let sums = e.splat_value(sum);
            let sums = if log {
                e.store(sums, temporary, 0);
                e.vector_function(RowFunction::Log, temporary, temporary);
                e.load(temporary, 0)
            } else {
                sums
            };
            let finish = |e: &mut Self, block: Int, lanes: usize| {
                let at = e.index(sink, block, to.block);
                let value = e.load(at, 0);
                let value = if log { e.sub(value, sums) } else { e.div(value, sums) };
                let value = e.masked(value, lanes, 0.0);
                e.store(value, at, 0);
            };
            e.times(0, blocks - 1, |e, block| finish(e, block, BLOCK));
            finish(e, end, last);
        });
    }

    /// Softmax over the rows or columns of one block of channels. Operands: input, output.
    pub(super) fn softmax_along(&mut self, input: View, output: View, axis: usize, log: bool, task: Int) {
        let (source, from) = self.block(0, input, task);
        let (sink, to) = self.block(1, output, task);
        let temporary = self.temporary();
        let [_, height, width] = input.shape.extent();
        let columns = (width, [from.pixel, to.pixel]);
        let rows = (height, [from.row, to.row]);
        let ((count, apart), (n, step)) = if axis == 1 { (columns, rows) } else { (rows, columns) };
        self.times(0, count, |e, i| {
            let (source, sink) = (e.index(source, i, apart[0]), e.index(sink, i, apart[1]));
            let lowest = e.splat(f32::NEG_INFINITY);
            let greatest = e.variable(lowest);
            e.times(0, n, |e, i| {
                let at = e.index(source, i, step[0]);
                let value = e.load(at, 0);
                e.keep_greatest(greatest, value);
            });
            let greatest = e.read(greatest);
            // exp(x − greatest), or x − greatest for the logarithm, and the sum of all exponentials.
            let zero = e.splat(0.0);
            let sum = e.variable(zero);
            e.times(0, n, |e, i| {
                let (from, at) = (e.index(source, i, step[0]), e.index(sink, i, step[1]));
                let value = e.load(from, 0);
                let value = e.sub(value, greatest);
                e.store(value, at, 0);
                let result = if log { temporary } else { at };
                e.vector_function(RowFunction::Exp, at, result);
                let (before, value) = (e.read(sum), e.load(result, 0));
                let after = e.add(before, value);
                e.set(sum, after);
            });
            let mut sum = e.read(sum);
            if log {
                e.store(sum, temporary, 0);
                e.vector_function(RowFunction::Log, temporary, temporary);
                sum = e.load(temporary, 0);
            }
            e.times(0, n, |e, i| {
                let at = e.index(sink, i, step[1]);
                let value = e.load(at, 0);
                let value = if log { e.sub(value, sum) } else { e.div(value, sum) };
                e.store(value, at, 0);
            });
        });
    }

    fn keep_greatest(&mut self, greatest: VectorVariable, value: Vector) {
        let before = self.read(greatest);
        let after = self.extreme(Extreme::Max, before, value);
        self.set(greatest, after);
    }

    /// The greater of two floats, or a NaN among them.
    fn greater(&mut self, a: Float, b: Float) -> Float {
        let keep = self.test(TestExpr::Compare(Comparison::Greater, a, b));
        let lost = self.test(TestExpr::Compare(Comparison::Unordered, a, a));
        let keep = self.test(TestExpr::Or(keep, lost));
        self.float_expr(FloatExpr::Select(keep, a, b))
    }

    /// A function of the runtime for one vector.
    fn vector_function(&mut self, function: RowFunction, from: Address, to: Address) {
        self.call(Call::Row {
            function,
            from,
            to,
            floats: LANES,
        });
    }

    /// One row of one image. Operands: input, output.
    pub(super) fn lrn(&mut self, input: View, output: View, lrn: Lrn, task: Int) {
        let [channels, height, width] = input.shape.extent();
        let down = (lrn.size - 1) / 2;
        let row = LrnRow {
            pixels: width,
            channels,
            src_block_stride: self.plan.strides(input).block,
            dst_block_stride: self.plan.strides(output).block,
            // Channels beyond the map are zeros: there is no need to look further.
            down: down.min(channels),
            up: (lrn.size - 1 - down).min(channels),
            alpha_over_size: (f64::from(lrn.alpha) / lrn.size as f64) as f32,
            beta: lrn.beta,
            k: lrn.k,
        };
        let (image, y) = self.divide(task, height);
        let (source, from) = self.image(0, input, image);
        let source = self.index(source, y, from.row);
        let (sink, to) = self.image(1, output, image);
        let sink = self.index(sink, y, to.row);
        self.call(Call::Lrn {
            row,
            from: source,
            to: sink,
        });
    }
}
