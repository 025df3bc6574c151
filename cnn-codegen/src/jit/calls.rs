//! Calls of the runtime's functions from Cranelift IR.

use std::mem::offset_of;

use cnn_ir::op::Activation;
use cnn_runtime::kernels::winograd::{InputTransform, OutputTransform};
use cnn_runtime::kernels::{Field, Number};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, StackSlot, Value};

use super::runtime::transforms;
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
                self.call_runtime(function.name(), &[from, to, floats, first, second]);
            }
            Call::Softmax { log, from, to, floats } => {
                let (from, to, floats) = (self.scalar(from.0), self.scalar(to.0), self.constant(*floats as i64));
                let name = if *log { "log_softmax" } else { "softmax" };
                self.call_runtime(name, &[from, to, floats]);
            }
            Call::Lrn { row, from, to } => {
                let row = self.kept.fields(row.fields());
                let (from, to, row) = (self.scalar(from.0), self.scalar(to.0), self.kept_constant(row));
                self.call_runtime("lrn", &[from, to, row]);
            }
            Call::Task {
                kernel,
                input,
                other,
                output,
                task,
            } => {
                let shape = self.kept.kernel(kernel);
                let shape = self.kept_constant(shape);
                let [input, other, output] = [input, other, output].map(|address| self.scalar(address.0));
                let task = self.scalar(task.0);
                self.call_runtime(kernel.name(), &[shape, input, other, output, task]);
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
                self.set_fields(slot, offset_of!(InputTransform, shape), shape.fields());
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
                let activation = match activation {
                    Some(activation) => self.kept_activation(*activation),
                    None => self.constant(0),
                };
                self.set(slot, offset_of!(OutputTransform, activation), activation);
                self.set_fields(slot, offset_of!(OutputTransform, shape), shape.fields());
                self.call_with(slot, transforms(*variant).1);
            }
        }
    }

    fn set(&mut self, slot: StackSlot, offset: usize, value: Value) {
        self.builder.ins().stack_store(I64, value, slot, offset as i32);
    }

    /// Stores a struct of numbers that begins `offset` bytes into the slot.
    fn set_fields(&mut self, slot: StackSlot, offset: usize, fields: impl IntoIterator<Item = Field>) {
        for field in fields {
            let value = match field.value {
                Number::Count(count) => self.constant(count as i64),
                Number::Float(float) => self.builder.ins().f32const(float),
            };
            self.set(slot, offset + field.offset, value);
        }
    }

    fn call_with(&mut self, slot: StackSlot, name: &'static str) {
        let parameters = self.builder.ins().stack_addr(I64, slot, 0);
        self.call_runtime(name, &[parameters]);
    }

    /// The address of a constant of this function.
    fn kept_constant(&mut self, number: usize) -> Value {
        let place = self.compiler.constant(number, self.builder.func);
        self.builder.ins().symbol_value(I64, place)
    }

    /// The address of an activation.
    fn kept_activation(&mut self, activation: Activation) -> Value {
        let number = self.kept.activation(activation);
        let place = self.compiler.activation(number, self.builder.func);
        self.table_entry(place)
    }
}
