//! Operators across channels: softmax, local response normalisation, shuffling, and enlarging.

use cnn_ir::op::{Lrn, Pair, UpsampleMode};
use cnn_ir::shape::Shape;
use cnn_runtime::kernels::lrn::LrnRow;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, I64};
use cranelift_codegen::ir::{InstBuilder, StackSlotData, StackSlotKind, Value};

use super::JitError;
use super::emit::{ByteStrides, Emitter, Extreme, VECTOR, Vector};
use crate::plan::View;
use crate::plan::layout::{BLOCK, extent};

impl Emitter<'_, '_> {
    /// One image. Operands: input, output.
    pub(super) fn softmax(&mut self, input: View, output: View, log: bool, image: Value) -> Result<(), JitError> {
        let (source, from) = self.image(0, input, image);
        let (sink, to) = self.image(1, output, image);
        let [channels, height, width] = extent(input.shape);
        if let Shape::Flat(n) = input.shape {
            let function = self.runtime(if log { "log_softmax" } else { "softmax" })?;
            let len = self.int(n as i64);
            self.builder.ins().call(function, &[source, sink, len]);
            return Ok(());
        }
        let (exp, ln) = (self.runtime("exp")?, self.runtime("log")?);
        let slot =
            self.builder
                .create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, VECTOR as u32, 4));
        let blocks = channels.div_ceil(BLOCK);
        let last = channels - (blocks - 1) * BLOCK;
        self.pixels([1, height, width], |e, y, x| {
            let (source, sink) = (e.index(source, y, from.row), e.index(sink, y, to.row));
            let (source, sink) = (e.index(source, x, from.pixel), e.index(sink, x, to.pixel));
            let temporary = e.builder.ins().stack_addr(I64, slot, 0);
            let (eight, zero) = (e.int(BLOCK as i64), e.float(0.0));

            // The greatest score; lanes behind the last channel do not count.
            let lowest = e.splat(f32::NEG_INFINITY);
            let greatest = lowest.map(|half| e.variable(half));
            e.times(0, blocks - 1, |e, block| {
                let at = e.index(source, block, from.block);
                let value = e.load(at, 0);
                e.keep_greatest(greatest, value);
            });
            let tail = (blocks as i64 - 1) * from.block;
            let value = e.load(source, tail);
            let value = e.masked(value, last, lowest);
            e.keep_greatest(greatest, value);
            let lanes = greatest.map(|half| e.builder.use_var(half));
            let greatest = e.horizontal(lanes, |e, a, b| e.greater(a, b));

            // exp(x − greatest), or x − greatest for the logarithm, and the sum of all exponentials.
            let sum = e.float(0.0);
            let sum = e.variable(sum);
            let shift = e.splat_value(greatest);
            let zeros = e.splat(0.0);
            let exponentials = |e: &mut Self, block: Value, lanes: usize| {
                let from = e.index(source, block, from.block);
                let at = e.index(sink, block, to.block);
                let value = e.load(from, 0);
                let value = e.sub(value, shift);
                let value = e.masked(value, lanes, zeros);
                e.store(value, at, 0);
                let result = if log { temporary } else { at };
                e.builder.ins().call(exp, &[at, result, eight, zero, zero]);
                let value = e.load(result, 0);
                let value = e.masked(value, lanes, zeros);
                if !log {
                    e.store(value, at, 0);
                }
                let part = e.horizontal(value, |e, a, b| e.builder.ins().fadd(a, b));
                let before = e.builder.use_var(sum);
                let after = e.builder.ins().fadd(before, part);
                e.builder.def_var(sum, after);
            };
            e.times(0, blocks - 1, |e, block| exponentials(e, block, BLOCK));
            let end = e.int(blocks as i64 - 1);
            exponentials(e, end, last);

            let sum = e.builder.use_var(sum);
            let sums = e.splat_value(sum);
            let sums = if log {
                e.store(sums, temporary, 0);
                e.builder.ins().call(ln, &[temporary, temporary, eight, zero, zero]);
                e.load(temporary, 0)
            } else {
                sums
            };
            let finish = |e: &mut Self, block: Value, lanes: usize| {
                let at = e.index(sink, block, to.block);
                let value = e.load(at, 0);
                let value = if log { e.sub(value, sums) } else { e.div(value, sums) };
                let value = e.masked(value, lanes, zeros);
                e.store(value, at, 0);
            };
            e.times(0, blocks - 1, |e, block| finish(e, block, BLOCK));
            finish(e, end, last);
        });
        Ok(())
    }

    fn keep_greatest(&mut self, greatest: [cranelift_frontend::Variable; 2], value: Vector) {
        let before = greatest.map(|half| self.builder.use_var(half));
        let after = self.extreme(Extreme::Max, before, value);
        for (variable, half) in greatest.into_iter().zip(after) {
            self.builder.def_var(variable, half);
        }
    }

    /// The greater of two floats, or a NaN among them.
    fn greater(&mut self, a: Value, b: Value) -> Value {
        let keep = self.builder.ins().fcmp(FloatCC::GreaterThan, a, b);
        let lost = self.builder.ins().fcmp(FloatCC::Unordered, a, a);
        let keep = self.builder.ins().bor(keep, lost);
        self.builder.ins().select(keep, a, b)
    }

    /// Folds the eight lanes into one.
    fn horizontal(&mut self, vector: Vector, mut fold: impl FnMut(&mut Self, Value, Value) -> Value) -> Value {
        let mut lanes = Vec::with_capacity(BLOCK);
        for half in vector {
            for lane in 0..4 {
                lanes.push(self.builder.ins().extractlane(half, lane));
            }
        }
        let mut result = lanes[0];
        for lane in &lanes[1..] {
            result = fold(self, result, *lane);
        }
        result
    }

    /// The first `lanes` lanes of `vector`, the others of `other`.
    fn masked(&mut self, vector: Vector, lanes: usize, other: Vector) -> Vector {
        let mut result = vector;
        for lane in lanes..BLOCK {
            let value = self.builder.ins().extractlane(other[lane / 4], (lane % 4) as u8);
            result[lane / 4] = self.builder.ins().insertlane(result[lane / 4], value, (lane % 4) as u8);
        }
        result
    }

    /// One row of one image. Operands: input, output.
    pub(super) fn lrn(&mut self, input: View, output: View, lrn: Lrn, item: Value) -> Result<(), JitError> {
        let [channels, height, width] = extent(input.shape);
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
        let parameters = self.functions.keep_row(row);
        let function = self.runtime("lrn")?;
        let (image, y) = self.divide(item, height);
        let (source, from) = self.image(0, input, image);
        let source = self.index(source, y, from.row);
        let (sink, to) = self.image(1, output, image);
        let sink = self.index(sink, y, to.row);
        let parameters = self.int(parameters);
        self.builder.ins().call(function, &[source, sink, parameters]);
        Ok(())
    }

    /// One channel of one image: output channel `i · groups + g` is input channel `g · C/groups + i`.
    pub(super) fn channel_shuffle(&mut self, input: View, output: View, groups: usize, item: Value) {
        let (from, to): (ByteStrides, ByteStrides) =
            (self.plan.strides(input).into(), self.plan.strides(output).into());
        let [channels, height, width] = extent(input.shape);
        let (image, channel) = self.divide(item, channels);
        let (i, g) = self.divide(channel, groups);
        let taken = self.index(i, g, (channels / groups) as i64);
        let source = self.channel(0, input, from, image, taken);
        let sink = self.channel(1, output, to, image, channel);
        self.plane(source, from, sink, to, height, width);
        self.clear_lanes(output, to, sink, channel);
    }

    /// One block of one image. Operands: input, output.
    pub(super) fn upsample(&mut self, input: View, output: View, scale: Pair, mode: UpsampleMode, item: Value) {
        let (source, from) = self.block(0, input, item);
        let (sink, to) = self.block(1, output, item);
        let [_, height, width] = extent(input.shape);
        match mode {
            UpsampleMode::Nearest => self.times(0, height, |e, iy| {
                let source = e.index(source, iy, from.row);
                e.times(0, scale.h, |e, dy| {
                    let y = e.index(dy, iy, scale.h as i64);
                    let sink = e.index(sink, y, to.row);
                    e.times(0, width, |e, ix| {
                        let at = e.index(source, ix, from.pixel);
                        let value = e.load(at, 0);
                        e.times(0, scale.w, |e, dx| {
                            let x = e.index(dx, ix, scale.w as i64);
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
                    let row = |e: &mut Self, row: Value| {
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
    fn between(&mut self, i: Value, n: usize, scale: usize) -> (Value, Value, Value) {
        let position = self.builder.ins().fcvt_from_sint(F32, i);
        let (half, factor) = (self.float(0.5), self.float(1.0 / scale as f32));
        let position = self.builder.ins().fadd(position, half);
        let position = self.builder.ins().fmul(position, factor);
        let position = self.builder.ins().fsub(position, half);
        let zero = self.float(0.0);
        let before = self.builder.ins().fcmp(FloatCC::LessThan, position, zero);
        let position = self.builder.ins().select(before, zero, position);
        let first = self.builder.ins().fcvt_to_sint_sat(I64, position);
        let last = self.int(n as i64 - 1);
        let first = self.builder.ins().smin(first, last);
        let next = self.offset(first, 1);
        let is_inside = self.builder.ins().icmp(IntCC::SignedLessThan, first, last);
        let second = self.builder.ins().select(is_inside, next, first);
        let floor = self.builder.ins().fcvt_from_sint(F32, first);
        let part = self.builder.ins().fsub(position, floor);
        (first, second, part)
    }

    /// `a · (1 − part) + b · part`
    fn mixed(&mut self, a: Vector, b: Vector, part: Value) -> Vector {
        let one = self.float(1.0);
        let rest = self.builder.ins().fsub(one, part);
        let (rest, part) = (self.splat_value(rest), self.splat_value(part));
        let (a, b) = (self.mul(a, rest), self.mul(b, part));
        self.add(a, b)
    }
}
