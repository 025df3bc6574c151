//! Sweeps: loops around calls of tile kernels.

use super::code::{Address, Int, IntOp, TestExpr};
use super::step::Builder;
use crate::plan::{Move, Nest, Region, Sweep};

/// The pointers of a tile kernel, without the one that looks ahead.
#[derive(Clone, Copy)]
pub(super) struct Pointers {
    pub(super) input: Address,
    pub(super) weights: Address,
    pub(super) output: Address,
    pub(super) residual: Address,
}

impl Builder<'_> {
    fn moved(&mut self, p: Pointers, by: Move) -> Pointers {
        Pointers {
            input: self.offset(p.input, by.input),
            weights: self.offset(p.weights, by.weights),
            output: self.offset(p.output, by.output),
            residual: self.offset(p.residual, by.residual),
        }
    }

    fn stepped(&mut self, p: Pointers, index: Int, step: Move) -> Pointers {
        Pointers {
            input: self.index(p.input, index, step.input),
            weights: self.index(p.weights, index, step.weights),
            output: self.index(p.output, index, step.output),
            residual: self.index(p.residual, index, step.residual),
        }
    }

    /// The body of one task. Operands: input, weights, output, residual (if there is one).
    pub(super) fn sweep(&mut self, sweep: &Sweep, task: Int) {
        let start = Pointers {
            input: self.operands[0],
            weights: self.operands[1],
            output: self.operands[2],
            // A kernel without a residual never looks at its pointer.
            residual: self.operands.get(3).copied().unwrap_or(self.operands[2]),
        };
        let at = self.moved(start, sweep.start);
        self.nest(&sweep.nest, at, task);
    }

    /// One task of a nest of loops around tile kernels.
    pub(super) fn nest(&mut self, nest: &Nest, at: Pointers, task: Int) {
        let kernels: Vec<usize> = nest.specs.iter().map(|spec| self.kernel(spec)).collect();
        let blocks: usize = nest.regions.iter().map(Region::blocks).sum();
        // The panel changes fastest: neighbouring tasks share the input, which is in the cache, and differ in weights, which
        // are read once each.
        let (rest, panel) = self.divide(task, nest.panels.count);
        let (image, block) = self.divide(rest, blocks);
        let at = self.stepped(at, image, nest.images.step);
        let mut at = self.stepped(at, panel, nest.panels.step);
        if !nest.panel_inputs.is_empty() {
            let distance = self.table(&nest.panel_inputs, panel);
            at.input = self.index(at.input, distance, 1);
        }
        let mut first = 0;
        for region in &nest.regions {
            if blocks == region.blocks() {
                return self.region(nest, region, &kernels, at, block);
            }
            // Blocks are numbered through all regions; negative, or too large, in any other than its own.
            let within = self.plus(block, -(first as i64));
            let is_here = self.test(TestExpr::Within(within, region.blocks().into()));
            self.when(is_here, |e| {
                let within = if region.blocks() == 1 { e.int(0) } else { within };
                e.region(nest, region, &kernels, at, within);
            });
            first += region.blocks();
        }
    }

    /// One block of rows: all passes, then what is done with the sums.
    fn region(&mut self, nest: &Nest, region: &Region, kernels: &[usize], at: Pointers, block: Int) {
        let at = self.moved(at, region.start);
        let from = self.scaled(block, region.block);
        let end = self.plus(from, region.block as i64);
        let end = if region.rows.count.is_multiple_of(region.block) {
            end
        } else {
            self.arithmetic(IntOp::Min, end, region.rows.count)
        };
        for (pass, &start) in nest.passes.iter().enumerate() {
            let passing = self.moved(at, start);
            // What is fetched ahead begins anew with each task: the step of row `from` below is taken back here.
            let ahead = self.offset(passing.weights, start.ahead);
            let ahead = self.index(ahead, from, -region.rows.step.ahead);
            self.rows(region, from, end, |e, row| {
                let tiles = e.stepped(passing, row, region.rows.step);
                let ahead = e.index(ahead, row, region.rows.step.ahead);
                for segment in &region.segments {
                    let tiles = e.moved(tiles, segment.start);
                    let ahead = e.offset(ahead, segment.start.ahead);
                    e.times(0, segment.tiles.count, |e, tile| {
                        let p = e.stepped(tiles, tile, segment.tiles.step);
                        let ahead = e.index(ahead, tile, segment.tiles.step.ahead);
                        let pointers = [p.input, p.weights, p.output, p.residual, ahead];
                        e.tile(kernels[segment.specs[pass]], pointers);
                    });
                }
                // The row's sums are complete, and still in the cache.
                if let Some(function) = nest.finish
                    && pass + 1 == nest.passes.len()
                {
                    let output = e.index(at.output, row, region.rows.step.output);
                    for &(offset, floats) in &region.runs {
                        let run = e.offset(output, offset);
                        e.activate(function, run, floats);
                    }
                }
            });
        }
    }

    fn rows(&mut self, region: &Region, from: Int, end: Int, body: impl FnOnce(&mut Self, Int)) {
        if region.block == 1 {
            body(self, from);
        } else {
            self.range(from, end, body);
        }
    }
}
