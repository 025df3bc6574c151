//! Operators across channels: softmax, local response normalisation, shuffling, and enlarging.

use cnn_ir::op::{Lrn, Pair, UpsampleMode};
use cnn_ir::shape::Shape;
use cnn_runtime::kernels::activation::ActivationKind;
use cnn_runtime::kernels::lrn::LrnRow;

use super::code::{
    Address, Call, Comparison, Float, FloatExpr, FloatOp, Int, IntExpr, IntOp, LANES, TestExpr, Vector, VectorVariable,
};
use super::step::{Builder, ByteStrides};
use super::writer::Extreme;
use crate::plan::View;
use crate::plan::layout::BLOCK;

impl Builder<'_> {
    /// One image. Operands: input, output.
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
                e.vector_function(ActivationKind::Exp, at, result);
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
                e.vector_function(ActivationKind::Log, temporary, temporary);
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
    fn vector_function(&mut self, kind: ActivationKind, from: Address, to: Address) {
        self.call(Call::Activation {
            kind,
            from,
            to,
            floats: LANES,
            parameters: [0.0; 2],
        });
    }

    /// One row of one image. Operands: input, output.
    pub(super) fn lrn(&mut self, input: View, output: View, lrn: Lrn, item: Int) {
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
        let (image, y) = self.divide(item, height);
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

    /// One channel of one image: output channel `i · groups + g` is input channel `g · C/groups + i`.
    pub(super) fn channel_shuffle(&mut self, input: View, output: View, groups: usize, item: Int) {
        let (from, to): (ByteStrides, ByteStrides) =
            (self.plan.strides(input).into(), self.plan.strides(output).into());
        let [channels, height, width] = input.shape.extent();
        let (image, channel) = self.divide(item, channels);
        let (i, g) = self.divide(channel, groups);
        let first = self.scaled(g, channels / groups);
        let taken = self.arithmetic(IntOp::Add, first, i);
        let source = self.channel(0, input, from, image, taken);
        let sink = self.channel(1, output, to, image, channel);
        self.plane(source, from, sink, to, height, width);
        self.clear_lanes(output, to, sink, channel);
    }

    /// One block of one image. Operands: input, output.
    pub(super) fn upsample(&mut self, input: View, output: View, scale: Pair, mode: UpsampleMode, item: Int) {
        let (source, from) = self.block(0, input, item);
        let (sink, to) = self.block(1, output, item);
        let [_, height, width] = input.shape.extent();
        match mode {
            UpsampleMode::Nearest => self.times(0, height, |e, iy| {
                let source = e.index(source, iy, from.row);
                e.times(0, scale.h, |e, dy| {
                    let y = e.scaled(iy, scale.h);
                    let y = e.arithmetic(IntOp::Add, y, dy);
                    let sink = e.index(sink, y, to.row);
                    e.times(0, width, |e, ix| {
                        let at = e.index(source, ix, from.pixel);
                        let value = e.load(at, 0);
                        e.times(0, scale.w, |e, dx| {
                            let x = e.scaled(ix, scale.w);
                            let x = e.arithmetic(IntOp::Add, x, dx);
                            let at = e.index(sink, x, to.pixel);
                            e.store(value, at, 0);
                        });
                    });
                });
            }),
            UpsampleMode::Bilinear => self.times(0, height * scale.h, |e, y| {
                let (y0, y1, down) = e.between(y, height, scale.h);
                let (upper, lower) = (e.index(source, y0, from.row), e.index(source, y1, from.row));
                let sink = e.index(sink, y, to.row);
                e.times(0, width * scale.w, |e, x| {
                    let (x0, x1, right) = e.between(x, width, scale.w);
                    let row = |e: &mut Self, row: Address| {
                        let (a, b) = (e.index(row, x0, from.pixel), e.index(row, x1, from.pixel));
                        let (a, b) = (e.load(a, 0), e.load(b, 0));
                        e.mixed(a, b, right)
                    };
                    let (upper, lower) = (row(e, upper), row(e, lower));
                    let value = e.mixed(upper, lower, down);
                    let at = e.index(sink, x, to.pixel);
                    e.store(value, at, 0);
                });
            }),
        }
    }

    /// The two neighbours of an enlarged coordinate and how much of the second: pixel centres are at ½.
    fn between(&mut self, i: Int, n: usize, scale: usize) -> (Int, Int, Float) {
        let position = self.float_expr(FloatExpr::FromInt(i));
        let (half, factor) = (self.float(0.5), self.float(1.0 / scale as f32));
        let position = self.float_op(FloatOp::Add, position, half);
        let position = self.float_op(FloatOp::Multiply, position, factor);
        let position = self.float_op(FloatOp::Subtract, position, half);
        let zero = self.float(0.0);
        let before = self.test(TestExpr::Compare(Comparison::Less, position, zero));
        let position = self.float_expr(FloatExpr::Select(before, zero, position));
        let first = self.int_expr(IntExpr::Truncated(position));
        let first = self.arithmetic(IntOp::Min, first, n - 1);
        let second = self.plus(first, 1);
        let second = self.arithmetic(IntOp::Min, second, n - 1);
        let floor = self.float_expr(FloatExpr::FromInt(first));
        let part = self.float_op(FloatOp::Subtract, position, floor);
        (first, second, part)
    }

    /// `a · (1 − part) + b · part`
    fn mixed(&mut self, a: Vector, b: Vector, part: Float) -> Vector {
        let one = self.float(1.0);
        let rest = self.float_op(FloatOp::Subtract, one, part);
        let (rest, part) = (self.splat_value(rest), self.splat_value(part));
        let (a, b) = (self.mul(a, rest), self.mul(b, part));
        self.add(a, b)
    }
}
