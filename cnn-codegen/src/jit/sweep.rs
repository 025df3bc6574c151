//! Sweeps: loops around calls of tile kernels.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{FuncRef, InstBuilder, Value};
use cranelift_module::Module;

use super::JitError;
use super::emit::Emitter;
use crate::plan::{Move, Nest, Region, Sweep};

/// The four pointers of a tile kernel.
#[derive(Clone, Copy)]
pub(super) struct Pointers {
    pub(super) input: Value,
    pub(super) weights: Value,
    pub(super) output: Value,
    pub(super) residual: Value,
}

impl Emitter<'_, '_> {
    fn moved(&mut self, p: Pointers, by: Move) -> Pointers {
        Pointers {
            input: self.offset(p.input, by.input),
            weights: self.offset(p.weights, by.weights),
            output: self.offset(p.output, by.output),
            residual: self.offset(p.residual, by.residual),
        }
    }

    fn stepped(&mut self, p: Pointers, index: Value, step: Move) -> Pointers {
        let mut at = |pointer: Value, stride: i64| {
            if stride == 0 {
                pointer
            } else {
                self.index(pointer, index, stride)
            }
        };
        Pointers {
            input: at(p.input, step.input),
            weights: at(p.weights, step.weights),
            output: at(p.output, step.output),
            residual: at(p.residual, step.residual),
        }
    }

    /// The body of one item. Operands: input, weights, output, residual (if there is one).
    pub(super) fn sweep(&mut self, sweep: &Sweep, item: Value) -> Result<(), JitError> {
        let start = Pointers {
            input: self.operands[0],
            weights: self.operands[1],
            output: self.operands[2],
            // A kernel without a residual never looks at its pointer.
            residual: self.operands.get(3).copied().unwrap_or(self.operands[2]),
        };
        let at = self.moved(start, sweep.start);
        self.nest(&sweep.nest, at, item)
    }

    /// One item of a nest of loops around tile kernels.
    pub(super) fn nest(&mut self, nest: &Nest, at: Pointers, item: Value) -> Result<(), JitError> {
        let mut kernels = Vec::with_capacity(nest.specs.len());
        for spec in &nest.specs {
            let id = self.functions.kernel(spec)?;
            kernels.push(self.functions.module.declare_func_in_func(id, self.builder.func));
        }
        let blocks: usize = nest.regions.iter().map(Region::blocks).sum();
        let (rest, panel) = self.divide(item, nest.panels.count);
        let (image, block) = self.divide(rest, blocks);
        let at = self.stepped(at, image, nest.images.step);
        let mut at = self.stepped(at, panel, nest.panels.step);
        if !nest.panel_inputs.is_empty() {
            let distance = self.table(&nest.panel_inputs, panel);
            at.input = self.builder.ins().iadd(at.input, distance);
        }
        let mut first = 0;
        for region in &nest.regions {
            if blocks == region.blocks() {
                return self.region(nest, region, &kernels, at, block);
            }
            let within = self.offset(block, -(first as i64));
            let is_here = self
                .builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedLessThan, within, region.blocks() as i64);
            let mut result = Ok(());
            self.when(is_here, |e| result = e.region(nest, region, &kernels, at, within));
            result?;
            first += region.blocks();
        }
        Ok(())
    }

    /// One block of rows: all passes, then what is done with the sums.
    fn region(
        &mut self,
        nest: &Nest,
        region: &Region,
        kernels: &[FuncRef],
        at: Pointers,
        block: Value,
    ) -> Result<(), JitError> {
        let at = self.moved(at, region.start);
        let from = self.scaled(block, region.block as i64);
        let end = self.offset(from, region.block as i64);
        let end = if region.rows.count.is_multiple_of(region.block) {
            end
        } else {
            let count = self.int(region.rows.count as i64);
            self.builder.ins().smin(end, count)
        };
        for (pass, &start) in nest.passes.iter().enumerate() {
            let at = self.moved(at, start);
            self.rows(region, from, end, |e, row| {
                let at = e.stepped(at, row, region.rows.step);
                for segment in &region.segments {
                    let at = e.moved(at, segment.start);
                    e.times(0, segment.tiles.count, |e, tile| {
                        let p = e.stepped(at, tile, segment.tiles.step);
                        let kernel = kernels[segment.specs[pass]];
                        e.builder
                            .ins()
                            .call(kernel, &[p.input, p.weights, p.output, p.residual]);
                    });
                }
            });
        }
        if let Some(function) = nest.finish {
            let function = self.row_function(function)?;
            self.rows(region, from, end, |e, row| {
                let at = e.stepped(at, row, region.rows.step);
                for &(offset, floats) in &region.runs {
                    let run = e.offset(at.output, offset);
                    e.apply(function, run, floats);
                }
            });
        }
        Ok(())
    }

    fn rows(&mut self, region: &Region, from: Value, end: Value, body: impl FnOnce(&mut Self, Value)) {
        if region.block == 1 {
            body(self, from)
        } else {
            self.range(from, end, body)
        }
    }

    /// An element of a table of constants.
    fn table(&mut self, table: &[i64], index: Value) -> Value {
        let address = self.functions.keep(table.into());
        let base = self.int(address);
        let at = self.index(base, index, size_of::<i64>() as i64);
        self.builder
            .ins()
            .load(cranelift_codegen::ir::types::I64, super::emit::memory(), at, 0)
    }
}
