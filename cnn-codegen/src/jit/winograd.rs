//! Winograd convolutions: both transforms are the runtime's, the products between them are tile kernels.

use std::mem::offset_of;

use cnn_runtime::kernels::winograd::{Clamp, InputTransform, OutputTransform};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, StackSlot, StackSlotData, StackSlotKind, Value};

use super::JitError;
use super::emit::{Emitter, FLOAT};
use super::functions::transforms;
use super::sweep::Pointers;
use crate::plan::WinogradWork;
use crate::plan::layout::{BLOCK, extent};

impl Emitter<'_, '_> {
    /// The body of one item. Operands: input, weights, output, residual (if there is one).
    pub(super) fn winograd(&mut self, work: &WinogradWork, item: Value) -> Result<(), JitError> {
        let blocks = work.all_tiles().div_ceil(work.block);
        let (rest, part) = self.divide(item, work.parts);
        let (image, block) = self.divide(rest, blocks);
        let first_tile = self.scaled(block, work.block as i64);
        let all = self.int(work.all_tiles() as i64);
        let left = self.builder.ins().isub(all, first_tile);
        let full = self.int(work.block as i64);
        let tiles = self.builder.ins().smin(left, full);

        let transformed = self.scratch;
        let products = self.offset(transformed, (work.variant.products() * work.planes[0]) as i64 * FLOAT);
        self.input_transform(work, image, first_tile, tiles, transformed)?;

        let weights = self.offset(self.operands[1], work.bias_floats() as i64 * FLOAT);
        let weights = self.index(weights, part, work.part_floats as i64 * FLOAT);
        let at = Pointers {
            input: transformed,
            weights,
            output: products,
            residual: products,
        };
        for (count, nest) in &work.products {
            let mut result = Ok(());
            let mut all_items = |e: &mut Self| {
                e.times(0, nest.items(), |e, item| result = e.nest(nest, at, item));
            };
            if work.products.len() == 1 {
                all_items(self);
            } else {
                let is_this = self.builder.ins().icmp_imm_u(IntCC::Equal, tiles, *count as i64);
                self.when(is_this, all_items);
            }
            result?;
        }
        self.output_transform(work, image, part, first_tile, tiles, products)
    }

    fn input_transform(
        &mut self,
        work: &WinogradWork,
        image: Value,
        first_tile: Value,
        tiles: Value,
        transformed: Value,
    ) -> Result<(), JitError> {
        let strides = *self.plan.strides(work.input);
        let (source, _) = self.image(0, work.input, image);
        let [_, height, width] = extent(work.input.shape);
        let slot = self.parameters(size_of::<InputTransform>());
        self.set(slot, offset_of!(InputTransform, src), source);
        self.set(slot, offset_of!(InputTransform, dst), transformed);
        self.set(slot, offset_of!(InputTransform, first_tile), first_tile);
        self.set(slot, offset_of!(InputTransform, tiles), tiles);
        for (offset, value) in [
            (offset_of!(InputTransform, row_stride), strides.row),
            (offset_of!(InputTransform, src_block_stride), strides.block),
            (offset_of!(InputTransform, rows), height),
            (offset_of!(InputTransform, columns), width),
            (offset_of!(InputTransform, pad_top), work.sides.top),
            (offset_of!(InputTransform, pad_left), work.sides.left),
            (offset_of!(InputTransform, tiles_across), work.tiles[0]),
            (offset_of!(InputTransform, blocks), work.blocks[0]),
            (offset_of!(InputTransform, xi_stride), work.planes[0]),
            (offset_of!(InputTransform, dst_block_stride), work.block * BLOCK),
            (offset_of!(InputTransform, tile_stride), BLOCK),
        ] {
            let value = self.int(value as i64);
            self.set(slot, offset, value);
        }
        self.call_with(slot, transforms(work.variant).0)
    }

    fn output_transform(
        &mut self,
        work: &WinogradWork,
        image: Value,
        part: Value,
        first_tile: Value,
        tiles: Value,
        products: Value,
    ) -> Result<(), JitError> {
        let strides = *self.plan.strides(work.output);
        let blocks = work.blocks[1] as i64;
        let (sink, to) = self.image(2, work.output, image);
        let sink = self.index(sink, part, blocks * to.block);
        let bias = self.index(self.operands[1], part, blocks * BLOCK as i64 * FLOAT);
        let [_, height, width] = extent(work.output.shape);
        let slot = self.parameters(size_of::<OutputTransform>());
        self.set(slot, offset_of!(OutputTransform, src), products);
        self.set(slot, offset_of!(OutputTransform, dst), sink);
        self.set(slot, offset_of!(OutputTransform, bias), bias);
        self.set(slot, offset_of!(OutputTransform, first_tile), first_tile);
        self.set(slot, offset_of!(OutputTransform, tiles), tiles);
        let (residual, residual_strides) = match work.residual {
            None => (self.int(0), strides),
            Some(view) => {
                let from = *self.plan.strides(view);
                let (base, step) = self.image(3, view, image);
                (self.index(base, part, blocks * step.block), from)
            }
        };
        self.set(slot, offset_of!(OutputTransform, residual), residual);
        for (offset, value) in [
            (offset_of!(OutputTransform, xi_stride), work.planes[1]),
            (offset_of!(OutputTransform, src_block_stride), work.block * BLOCK),
            (offset_of!(OutputTransform, tile_stride), BLOCK),
            (offset_of!(OutputTransform, row_stride), strides.row),
            (offset_of!(OutputTransform, dst_block_stride), strides.block),
            (offset_of!(OutputTransform, rows), height),
            (offset_of!(OutputTransform, columns), width),
            (offset_of!(OutputTransform, tiles_across), work.tiles[0]),
            (offset_of!(OutputTransform, blocks), work.blocks[1]),
            (offset_of!(OutputTransform, residual_row_stride), residual_strides.row),
            (
                offset_of!(OutputTransform, residual_block_stride),
                residual_strides.block,
            ),
        ] {
            let value = self.int(value as i64);
            self.set(slot, offset, value);
        }
        let clamp = offset_of!(OutputTransform, clamp);
        for (offset, value) in [
            (offset_of!(Clamp, slope), work.clamp.slope),
            (offset_of!(Clamp, least), work.clamp.least),
            (offset_of!(Clamp, most), work.clamp.most),
        ] {
            let value = self.float(value);
            self.set(slot, clamp + offset, value);
        }
        self.call_with(slot, transforms(work.variant).1)
    }

    /// A place on the stack for a function's parameters.
    fn parameters(&mut self, bytes: usize) -> StackSlot {
        self.builder
            .create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes as u32, 4))
    }

    fn set(&mut self, slot: StackSlot, offset: usize, value: Value) {
        self.builder.ins().stack_store(I64, value, slot, offset as i32);
    }

    fn call_with(&mut self, slot: StackSlot, name: &'static str) -> Result<(), JitError> {
        let function = self.runtime(name)?;
        let parameters = self.builder.ins().stack_addr(I64, slot, 0);
        self.builder.ins().call(function, &[parameters]);
        Ok(())
    }
}
