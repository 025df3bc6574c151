//! Pooling: windows, whole maps, and windows that divide the map.
//!
//! Outputs whose windows are clipped alike are one run, whose window is unrolled; the inside of a map is a single run.
//! Where that would be too much code, bounds are computed at run time.

use cnn_ir::op::{PoolKind, ReduceKind};

use super::code::{Address, FloatExpr, Int, IntOp, Vector, VectorExpr, VectorVariable};
use super::reduce::Reduction;
use super::step::{Builder, ByteStrides};
use crate::plan::{PoolWindow, View};

/// Unrolled taps of all runs together.
const UNROLLED: usize = 256;

/// One axis of a pool.
#[derive(Clone, Copy)]
struct Axis {
    input: usize,
    output: usize,
    size: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
    include_pad: bool,
}

/// Neighbouring outputs whose windows have the same taps inside the map.
struct Run {
    first: usize,
    count: usize,
    taps: std::ops::Range<usize>,
    /// How many taps an average divides by.
    divisor: usize,
}

impl Axis {
    fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for first in 0..self.output {
            let start = (first * self.stride) as i64 - self.before as i64;
            let inside = |tap: usize| {
                let at = start + (tap * self.dilation) as i64;
                at >= 0 && at < self.input as i64
            };
            let from = (0..self.size).find(|&tap| inside(tap)).unwrap_or(0);
            let to = (0..self.size).rev().find(|&tap| inside(tap)).map_or(0, |tap| tap + 1);
            let divisor = if self.include_pad {
                // Windows begin within the padding: only taps behind it do not count.
                let end = (self.input + self.after) as i64;
                (0..self.size)
                    .take_while(|tap| start + ((tap * self.dilation) as i64) < end)
                    .count()
            } else {
                to - from
            };
            match runs
                .last_mut()
                .filter(|run| run.taps == (from..to) && run.divisor == divisor)
            {
                Some(run) => run.count += 1,
                None => runs.push(Run {
                    first,
                    count: 1,
                    taps: from..to,
                    divisor,
                }),
            }
        }
        runs
    }
}

impl From<PoolKind> for Reduction {
    fn from(kind: PoolKind) -> Self {
        match kind {
            PoolKind::Max => Reduction::MAX,
            PoolKind::Min => Reduction::MIN,
            PoolKind::Avg { .. } => Reduction::Sum,
        }
    }
}

impl Builder<'_> {
    /// Reduces a window's values. NaNs are looked for in pairs, beside the maxima, which lose them.
    fn reduce_all(&mut self, reduce: Reduction, values: &[Vector]) -> Vector {
        let Some((&first, rest)) = values.split_first() else {
            return self.start(reduce);
        };
        let Reduction::Extreme(extreme, _) = reduce else {
            return rest.iter().fold(first, |sum, &value| self.add(sum, value));
        };
        let result = rest
            .iter()
            .fold(first, |result, &value| self.extreme(extreme, result, value));
        self.vector(VectorExpr::NanOfAny(values.to_vec(), result))
    }

    /// The body of one task.
    pub(super) fn pool(&mut self, pool: &PoolWindow, task: Int) {
        let (source, from) = self.block(0, pool.input, task);
        let (sink, to) = self.block(1, pool.output, task);
        let [_, input_rows, input_columns] = pool.input.shape.extent();
        let [_, output_rows, output_columns] = pool.output.shape.extent();
        let include_pad = matches!(
            pool.kind,
            PoolKind::Avg {
                count_include_pad: true
            }
        );
        let rows = Axis {
            input: input_rows,
            output: output_rows,
            size: pool.size.h,
            stride: pool.stride.h,
            dilation: pool.dilation.h,
            before: pool.sides.top,
            after: pool.sides.bottom,
            include_pad,
        };
        let columns = Axis {
            input: input_columns,
            output: output_columns,
            size: pool.size.w,
            stride: pool.stride.w,
            dilation: pool.dilation.w,
            before: pool.sides.left,
            after: pool.sides.right,
            include_pad,
        };
        let reduce = Reduction::from(pool.kind);
        let taps = |runs: &[Run]| runs.iter().map(|run| run.taps.len() + 1).sum::<usize>();
        // Few enough windows to look at each.
        if rows.output * rows.size + columns.output * columns.size < 1 << 20 {
            let (row_runs, column_runs) = (rows.runs(), columns.runs());
            if taps(&row_runs) * taps(&column_runs) <= UNROLLED {
                for row_run in &row_runs {
                    for column_run in &column_runs {
                        self.pool_run(
                            (source, from),
                            (sink, to),
                            (&rows, row_run),
                            (&columns, column_run),
                            reduce,
                        );
                    }
                }
                return;
            }
        }
        self.pool_bounds((source, from), (sink, to), &rows, &columns, reduce);
    }

    /// The outputs of one run, with the window unrolled.
    fn pool_run(
        &mut self,
        (source, from): (Address, ByteStrides),
        (sink, to): (Address, ByteStrides),
        (rows, row_run): (&Axis, &Run),
        (columns, column_run): (&Axis, &Run),
        reduce: Reduction,
    ) {
        let scale = 1.0 / (row_run.divisor * column_run.divisor) as f32;
        self.times(row_run.first, row_run.count, |e, y| {
            let sink = e.index(sink, y, to.row);
            let source = e.index(source, y, rows.stride as i64 * from.row);
            e.times(column_run.first, column_run.count, |e, x| {
                let at = e.index(source, x, columns.stride as i64 * from.pixel);
                let mut values = Vec::new();
                for ky in row_run.taps.clone() {
                    for kx in column_run.taps.clone() {
                        // Negative in the padding's direction from the window's first place, but a run's taps are those
                        // inside the map for each of its outputs.
                        let dy = (ky * rows.dilation) as i64 - rows.before as i64;
                        let dx = (kx * columns.dilation) as i64 - columns.before as i64;
                        values.push(e.load(at, dy * from.row + dx * from.pixel));
                    }
                }
                let mut result = e.reduce_all(reduce, &values);
                if reduce == Reduction::Sum {
                    let scale = e.splat(scale);
                    result = e.mul(result, scale);
                }
                let at = e.index(sink, x, to.pixel);
                e.store(result, at, 0);
            });
        });
    }

    /// First and end tap inside the map, and what an average divides by, computed at run time.
    fn bounds(&mut self, axis: &Axis, output: Int) -> (Int, Int, Int, Int) {
        let start = self.scaled(output, axis.stride);
        let start = self.plus(start, -(axis.before as i64));
        let zero = self.int(0);
        // ⌈−start / d⌉ where start is negative.
        let missing = self.arithmetic(IntOp::Subtract, zero, start);
        let missing = self.arithmetic(IntOp::Max, missing, zero);
        let missing = self.plus(missing, axis.dilation as i64 - 1);
        // Rounded up by the dilation − 1 above: nothing negative is divided.
        let (first, _) = self.divide(missing, axis.dilation);
        let end = self.taps_before(axis, start, axis.input);
        let divisor = if axis.include_pad {
            self.taps_before(axis, start, axis.input + axis.after)
        } else {
            self.arithmetic(IntOp::Subtract, end, first)
        };
        (start, first, end, divisor)
    }

    /// How many taps of a window from `start` on are before a place.
    fn taps_before(&mut self, axis: &Axis, start: Int, place: usize) -> Int {
        let left = self.int(place + axis.dilation - 1);
        let left = self.arithmetic(IntOp::Subtract, left, start);
        let zero = self.int(0);
        let left = self.arithmetic(IntOp::Max, left, zero);
        let (taps, _) = self.divide(left, axis.dilation);
        self.arithmetic(IntOp::Min, taps, axis.size)
    }

    fn pool_bounds(
        &mut self,
        (source, from): (Address, ByteStrides),
        (sink, to): (Address, ByteStrides),
        rows: &Axis,
        columns: &Axis,
        reduce: Reduction,
    ) {
        self.times(0, rows.output, |e, y| {
            let (row, y0, y1, row_divisor) = e.bounds(rows, y);
            let source = e.index(source, row, from.row);
            let sink = e.index(sink, y, to.row);
            e.times(0, columns.output, |e, x| {
                let (column, x0, x1, column_divisor) = e.bounds(columns, x);
                let source = e.index(source, column, from.pixel);
                let start = e.start(reduce);
                let sum = e.variable(start);
                e.range(y0, y1, |e, ky| {
                    let row = e.index(source, ky, rows.dilation as i64 * from.row);
                    e.range(x0, x1, |e, kx| {
                        let at = e.index(row, kx, columns.dilation as i64 * from.pixel);
                        e.accumulate(reduce, sum, at);
                    });
                });
                let mut result = e.read(sum);
                if reduce == Reduction::Sum {
                    let divisor = e.arithmetic(IntOp::Multiply, row_divisor, column_divisor);
                    result = e.divided(result, divisor);
                }
                let at = e.index(sink, x, to.pixel);
                e.store(result, at, 0);
            });
        });
    }

    fn accumulate(&mut self, reduce: Reduction, sum: VectorVariable, at: Address) {
        let value = self.load(at, 0);
        let before = self.read(sum);
        let after = self.reduce(reduce, before, value);
        self.set(sum, after);
    }

    fn divided(&mut self, sum: Vector, divisor: Int) -> Vector {
        let divisor = self.float_expr(FloatExpr::FromInt(divisor));
        let divisor = self.splat_value(divisor);
        self.div(sum, divisor)
    }

    /// The mean, sum, greatest … of the whole map.
    pub(super) fn global_pool(&mut self, input: View, output: View, kind: ReduceKind, task: Int) {
        let (source, from) = self.block(0, input, task);
        let (sink, _) = self.block(1, output, task);
        let [_, height, width] = input.shape.extent();
        let reduce = Reduction::from(kind);
        let start = self.start(reduce);
        let total = self.variable(start);
        self.times(0, height, |e, y| {
            // A sum for each row first: it keeps the rounding error of large maps small.
            let row = e.index(source, y, from.row);
            let start = e.start(reduce);
            let sum = e.variable(start);
            e.times(0, width, |e, x| {
                let at = e.index(row, x, from.pixel);
                let value = e.reduced_value(kind, at);
                let before = e.read(sum);
                let after = e.reduce(reduce, before, value);
                e.set(sum, after);
            });
            let (sum, before) = (e.read(sum), e.read(total));
            let after = e.reduce(reduce, before, sum);
            e.set(total, after);
        });
        let mut result = self.read(total);
        if kind == ReduceKind::Mean {
            let scale = self.splat(1.0 / (height * width) as f32);
            result = self.mul(result, scale);
        }
        self.store(result, sink, 0);
    }

    /// Averages over windows `⌊i·n/m⌋ … ⌈(i+1)·n/m⌉`.
    pub(super) fn adaptive_avg_pool(&mut self, input: View, output: View, task: Int) {
        let (source, from) = self.block(0, input, task);
        let (sink, to) = self.block(1, output, task);
        let [_, input_rows, input_columns] = input.shape.extent();
        let [_, output_rows, output_columns] = output.shape.extent();
        self.times(0, output_rows, |e, y| {
            let (y0, y1) = e.share(y, input_rows, output_rows);
            let sink = e.index(sink, y, to.row);
            e.times(0, output_columns, |e, x| {
                let (x0, x1) = e.share(x, input_columns, output_columns);
                let zero = e.splat(0.0);
                let sum = e.variable(zero);
                e.range(y0, y1, |e, iy| {
                    let row = e.index(source, iy, from.row);
                    e.range(x0, x1, |e, ix| {
                        let at = e.index(row, ix, from.pixel);
                        e.accumulate(Reduction::Sum, sum, at);
                    });
                });
                let height = e.arithmetic(IntOp::Subtract, y1, y0);
                let width = e.arithmetic(IntOp::Subtract, x1, x0);
                let divisor = e.arithmetic(IntOp::Multiply, height, width);
                let sum = e.read(sum);
                let result = e.divided(sum, divisor);
                let at = e.index(sink, x, to.pixel);
                e.store(result, at, 0);
            });
        });
    }

    /// First and end element of share `i` of `n` elements among `m`: `⌊i·n/m⌋` and `⌈(i+1)·n/m⌉`, the latter as
    /// `⌊(i·n + n + m − 1)/m⌋`.
    fn share(&mut self, i: Int, n: usize, m: usize) -> (Int, Int) {
        let start = self.scaled(i, n);
        let end = self.plus(start, (n + m - 1) as i64);
        let (start, _) = self.divide(start, m);
        let (end, _) = self.divide(end, m);
        (start, end)
    }
}
