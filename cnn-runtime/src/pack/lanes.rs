//! Eight filters side by side: their rows read line by line, their weights put lane by lane.

use std::array::from_fn;
use std::ops::Range;

use super::LANES;
use super::instructions::Instructions;

/// The weights of eight filters, one a lane.
pub(super) struct LaneRows<'a> {
    rows: [&'a [f32]; LANES],
    /// Factors of a folded batch norm.
    scales: Option<[f64; LANES]>,
}

impl<'a> LaneRows<'a> {
    /// Rows of the same length, to be multiplied by `scales`, in f64.
    pub(super) fn new(rows: [&'a [f32]; LANES], scales: Option<[f64; LANES]>) -> LaneRows<'a> {
        LaneRows { rows, scales }
    }

    /// Weights of a row.
    pub(super) fn len(&self) -> usize {
        self.rows[0].len()
    }

    /// Calls `put(i, weights)` with the eight filters' weights `i` for each of `range`, in order.
    ///
    /// Rows are often a power of two apart, so that the same lines of all of them share a cache set: a line must be
    /// used up before many others are read.
    #[inline(always)]
    pub(super) fn each(
        &self,
        instructions: impl Instructions,
        range: Range<usize>,
        mut put: impl FnMut(usize, [f32; LANES]),
    ) {
        match self.scales {
            None => self.each_unscaled(instructions, range, put),
            Some(scales) => self.each_unscaled(instructions, range, |i, mut weights| {
                for lane in 0..LANES {
                    weights[lane] = (f64::from(weights[lane]) * scales[lane]) as f32;
                }
                put(i, weights);
            }),
        }
    }

    #[inline(always)]
    fn each_unscaled(
        &self,
        instructions: impl Instructions,
        range: Range<usize>,
        mut put: impl FnMut(usize, [f32; LANES]),
    ) {
        let (whole, odd) = (range.len() / LANES, range.len() % LANES);
        let rows = self.rows.map(|row| row[range.clone()].as_chunks::<LANES>());
        for vector in 0..whole {
            let columns = instructions.transpose(from_fn(|lane| rows[lane].0[vector]));
            for (i, weights) in columns.into_iter().enumerate() {
                put(range.start + vector * LANES + i, weights);
            }
        }
        for i in 0..odd {
            put(range.start + whole * LANES + i, from_fn(|lane| rows[lane].1[i]));
        }
    }
}
