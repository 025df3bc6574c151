//! Calls of the runtime's functions from Cranelift IR.

use std::mem::offset_of;

use cnn_runtime::kernels::winograd::{InputTransform, OutputTransform};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, StackSlot, Value};

use super::functions::transforms;
use super::translate::Translator;
use crate::loops::Call;

impl Translator<'_, '_> {
    pub(super) fn call(&mut self, call: &Call) {
        match call {
            Call::Row {
                function,
                from,
                to,
                floats,
            } => {
                let (from, to, floats) = (self.scalar(from.0), self.scalar(to.0), self.constant(*floats as i64));
                let [first, second] = function
                    .parameters()
                    .map(|parameter| self.builder.ins().f32const(parameter));
                self.runtime(function.name(), &[from, to, floats, first, second]);
            }
            Call::Softmax { log, from, to, floats } => {
                let (from, to, floats) = (self.scalar(from.0), self.scalar(to.0), self.constant(*floats as i64));
                let name = if *log { "log_softmax" } else { "softmax" };
                self.runtime(name, &[from, to, floats]);
            }
            Call::Lrn { row, from, to } => {
                let row = self.kept.row(*row);
                let (from, to, row) = (self.scalar(from.0), self.scalar(to.0), self.constant(row));
                self.runtime("lrn", &[from, to, row]);
            }
            Call::WinogradInput {
                variant,
                shape,
                from,
                to,
                first_tile,
                tiles,
            } => {
                let slot = self.slot(size_of::<InputTransform>());
                for (offset, name) in [
                    (offset_of!(InputTransform, src), from.0),
                    (offset_of!(InputTransform, dst), to.0),
                    (offset_of!(InputTransform, first_tile), first_tile.0),
                    (offset_of!(InputTransform, tiles), tiles.0),
                ] {
                    let value = self.scalar(name);
                    self.set(slot, offset, value);
                }
                for (offset, value) in [
                    (offset_of!(InputTransform, row_stride), shape.row_stride),
                    (offset_of!(InputTransform, src_block_stride), shape.src_block_stride),
                    (offset_of!(InputTransform, rows), shape.rows),
                    (offset_of!(InputTransform, columns), shape.columns),
                    (offset_of!(InputTransform, pad_top), shape.pad_top),
                    (offset_of!(InputTransform, pad_left), shape.pad_left),
                    (offset_of!(InputTransform, tiles_across), shape.tiles_across),
                    (offset_of!(InputTransform, blocks), shape.blocks),
                    (offset_of!(InputTransform, xi_stride), shape.xi_stride),
                    (offset_of!(InputTransform, dst_block_stride), shape.dst_block_stride),
                    (offset_of!(InputTransform, tile_stride), shape.tile_stride),
                ] {
                    let value = self.constant(value as i64);
                    self.set(slot, offset, value);
                }
                self.call_with(slot, transforms(*variant).0);
            }
            Call::WinogradOutput {
                variant,
                shape,
                from,
                to,
                bias,
                residual,
                activation,
                first_tile,
                tiles,
            } => {
                let slot = self.slot(size_of::<OutputTransform>());
                for (offset, name) in [
                    (offset_of!(OutputTransform, src), from.0),
                    (offset_of!(OutputTransform, dst), to.0),
                    (offset_of!(OutputTransform, bias), bias.0),
                    (offset_of!(OutputTransform, first_tile), first_tile.0),
                    (offset_of!(OutputTransform, tiles), tiles.0),
                ] {
                    let value = self.scalar(name);
                    self.set(slot, offset, value);
                }
                let residual = match residual {
                    Some(residual) => self.scalar(residual.0),
                    None => self.constant(0),
                };
                self.set(slot, offset_of!(OutputTransform, residual), residual);
                let activation = activation.map_or(0, |activation| self.kept.activation(activation));
                let activation = self.constant(activation);
                self.set(slot, offset_of!(OutputTransform, activation), activation);
                for (offset, value) in [
                    (offset_of!(OutputTransform, xi_stride), shape.xi_stride),
                    (offset_of!(OutputTransform, src_block_stride), shape.src_block_stride),
                    (offset_of!(OutputTransform, tile_stride), shape.tile_stride),
                    (offset_of!(OutputTransform, row_stride), shape.row_stride),
                    (offset_of!(OutputTransform, dst_block_stride), shape.dst_block_stride),
                    (offset_of!(OutputTransform, rows), shape.rows),
                    (offset_of!(OutputTransform, columns), shape.columns),
                    (offset_of!(OutputTransform, tiles_across), shape.tiles_across),
                    (offset_of!(OutputTransform, blocks), shape.blocks),
                    (
                        offset_of!(OutputTransform, residual_row_stride),
                        shape.residual_row_stride,
                    ),
                    (
                        offset_of!(OutputTransform, residual_block_stride),
                        shape.residual_block_stride,
                    ),
                ] {
                    let value = self.constant(value as i64);
                    self.set(slot, offset, value);
                }
                self.call_with(slot, transforms(*variant).1);
            }
        }
    }

    fn set(&mut self, slot: StackSlot, offset: usize, value: Value) {
        self.builder.ins().stack_store(I64, value, slot, offset as i32);
    }

    fn call_with(&mut self, slot: StackSlot, name: &'static str) {
        let parameters = self.builder.ins().stack_addr(I64, slot, 0);
        self.runtime(name, &[parameters]);
    }

    fn runtime(&mut self, name: &'static str, arguments: &[Value]) {
        self.call_function(self.compiler.runtime[name], arguments);
    }
}
