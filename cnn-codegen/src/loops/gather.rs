//! Elements taken through index maps, and pixels between pixels.

use cnn_ir::op::Tap;

use super::code::{Count, Float, FloatExpr, FloatOp, Int, IntOp, Vector, VectorExpr};
use super::step::Builder;
use super::writer::FLOAT;
use crate::plan::layout::BLOCK;
use crate::plan::{Gather, GatherSource, Interpolate, Lanes};

/// Shares are whole numbers of this part in tables: as exact as a float next to 1.
const SHARES: f32 = 16_777_216.0;

impl Builder<'_> {
    /// The body of one task, a block of channels of an image. Operands: the value, the output; or the output, the
    /// constant.
    pub(super) fn gather(&mut self, gather: &Gather, task: Int) {
        // The map's places are floats from the view's first; in bytes here, so that an index is added as it is.
        let bytes = |places: &[usize]| places.iter().map(|&at| at as i64 * FLOAT).collect();
        let [channels, rows, columns]: [Vec<i64>; 3] = [0, 1, 2].map(|axis| bytes(&gather.index_map[axis]));
        let blocks = channels.len().div_ceil(BLOCK);
        let (image, block) = self.divide(task, blocks);
        let (source, sink) = match gather.from {
            GatherSource::View(view) => (self.image(0, view, image).0, 1),
            GatherSource::Constant(_) => (self.operands[1], 0),
        };
        let (sink, to) = self.block(sink, gather.to, task);
        let lanes = gather.lanes(self.plan);
        // The places of one lane of each block; those behind the last channel are read, and then cleared.
        let of_lane = |lane: usize| -> Vec<i64> {
            let lanes = (0..blocks).map(|block| channels.get(block * BLOCK + lane));
            lanes.map(|at| *at.unwrap_or(&channels[0])).collect()
        };
        // Of a single block only the channels that are there are read.
        let present = if blocks == 1 { channels.len() } else { BLOCK };
        let count = match lanes {
            Lanes::Even(_) => 1,
            Lanes::Scattered => present,
        };
        let bases: Vec<_> = (0..count)
            .map(|lane| {
                let at = self.place(&of_lane(lane), block);
                self.index(source, at, 1)
            })
            .collect();
        let joined = lanes != Lanes::Even(1);
        let tail = !channels.len().is_multiple_of(BLOCK) && !gather.keeps_padding(self.plan);
        let cleared = tail && !(blocks == 1 && joined);
        let mask = cleared.then(|| self.mask(channels.len(), block, 0.0));
        self.times(0, rows.len(), |e, y| {
            let row = e.place(&rows, y);
            let sink = e.index(sink, y, to.row);
            e.times(0, columns.len(), |e, x| {
                let column = e.place(&columns, x);
                let at = e.arithmetic(IntOp::Add, row, column);
                let at: Vec<_> = bases.iter().map(|&base| e.index(base, at, 1)).collect();
                let mut value = match lanes {
                    Lanes::Even(1) => e.load(at[0], 0),
                    Lanes::Even(apart) => {
                        e.joined(present, |e, lane| e.load_float(at[0], (lane * apart) as i64 * FLOAT))
                    }
                    Lanes::Scattered => e.joined(present, |e, lane| e.load_float(at[lane], 0)),
                };
                if let Some(mask) = mask {
                    value = e.existing(mask, value);
                }
                let at = e.index(sink, x, to.pixel);
                e.store(value, at, 0);
            });
        });
    }

    /// A vector of so many floats, and zeros.
    fn joined(&mut self, lanes: usize, mut float: impl FnMut(&mut Self, usize) -> Float) -> Vector {
        let (first, rest) = match lanes {
            BLOCK => (float(self, 0), 1..BLOCK),
            _ => (self.float(0.0), 0..lanes),
        };
        let first = self.splat_value(first);
        rest.fold(first, |vector, lane| {
            let value = float(self, lane);
            self.vector(VectorExpr::WithLane(vector, lane, value))
        })
    }

    /// An element of a table, reckoned where they are evenly apart.
    fn place(&mut self, table: &[i64], index: Int) -> Int {
        // Evenly apart, `table[0] + index · step` needs no memory; most maps are.
        let step = table.get(1).map_or(0, |second| second - table[0]);
        if table.windows(2).any(|pair| pair[1] - pair[0] != step) {
            return self.table(table, index);
        }
        let first = self.arithmetic(IntOp::Multiply, index, Count::Constant(step));
        self.plus(first, table[0])
    }

    /// The body of one task, a block of channels of an image. Operands: input, output.
    pub(super) fn interpolate(&mut self, work: &Interpolate, task: Int) {
        let (source, from) = self.block(0, work.input, task);
        let (sink, to) = self.block(1, work.output, task);
        self.times(0, work.rows.len(), |e, y| {
            let (upper, lower, down) = e.tap(&work.rows, from.row, y);
            let (upper, lower) = (e.index(source, upper, 1), e.index(source, lower, 1));
            let sink = e.index(sink, y, to.row);
            e.times(0, work.columns.len(), |e, x| {
                let (left, right, across) = e.tap(&work.columns, from.pixel, x);
                let [upper, lower] = [upper, lower].map(|row| {
                    let (a, b) = (e.index(row, left, 1), e.index(row, right, 1));
                    let (a, b) = (e.load(a, 0), e.load(b, 0));
                    e.mixed(a, b, across)
                });
                let value = e.mixed(upper, lower, down);
                let at = e.index(sink, x, to.pixel);
                e.store(value, at, 0);
            });
        });
    }

    /// Bytes to both places of a tap, and how much of the second.
    fn tap(&mut self, taps: &[Tap], stride: i64, index: Int) -> (Int, Int, Float) {
        let places = |place: fn(&Tap) -> usize| taps.iter().map(|tap| place(tap) as i64 * stride).collect::<Vec<_>>();
        let first = self.place(&places(|tap| tap.first), index);
        let second = self.place(&places(|tap| tap.second), index);
        // Tables hold whole numbers: 24 bits of a share, which a float keeps exactly.
        let shares: Vec<i64> = taps
            .iter()
            .map(|tap| (tap.share * f64::from(SHARES)).round() as i64)
            .collect();
        let share = self.place(&shares, index);
        let share = self.float_expr(FloatExpr::FromInt(share));
        let unit = self.float(1.0 / SHARES);
        (first, second, self.float_op(FloatOp::Multiply, share, unit))
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
