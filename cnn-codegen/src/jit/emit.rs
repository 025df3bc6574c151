//! The building blocks of emitted code: loops with constant bounds, addresses, and vectors of eight floats.

use cnn_ir::op::Activation;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F32X4, I64};
use cranelift_codegen::ir::{FuncRef, InstBuilder, MemFlagsData, Value};
use cranelift_frontend::{FunctionBuilder, Variable};

use super::JitError;
use super::functions::{self, Functions};
use crate::plan::layout::BLOCK;
use crate::plan::{Plan, Strides, View};

/// Bytes of a vector of eight floats.
pub(super) const VECTOR: i64 = 32;
/// Bytes of a float.
pub(super) const FLOAT: i64 = 4;

/// Eight floats, as two of Cranelift's vectors: what eight channels of a pixel are.
pub(super) type Vector = [Value; 2];

/// Which element of a window wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extreme {
    Max,
    Min,
}

/// Emits one step's function: `fn(operands: *const *mut u8, first: usize, end: usize, scratch: *mut u8)`, which does
/// items `first..end`.
pub(super) struct Emitter<'a, 'f> {
    pub(super) builder: FunctionBuilder<'f>,
    pub(super) functions: &'a mut Functions,
    pub(super) plan: &'a Plan,
    /// The addresses of the step's operands.
    pub(super) operands: Vec<Value>,
    /// Memory that this thread has for itself; see [`crate::plan::Work::scratch_bytes`].
    pub(super) scratch: Value,
}

/// Accesses are in bounds and may be unaligned: the plan was verified.
pub(super) fn memory() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

impl Emitter<'_, '_> {
    pub(super) fn int(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(I64, value)
    }

    pub(super) fn float(&mut self, value: f32) -> Value {
        self.builder.ins().f32const(value)
    }

    /// `base + offset`
    pub(super) fn offset(&mut self, base: Value, offset: i64) -> Value {
        if offset == 0 {
            base
        } else {
            self.builder.ins().iadd_imm_s(base, offset)
        }
    }

    /// `base + index · stride`
    pub(super) fn index(&mut self, base: Value, index: Value, stride: i64) -> Value {
        let distance = self.scaled(index, stride);
        self.builder.ins().iadd(base, distance)
    }

    pub(super) fn scaled(&mut self, index: Value, stride: i64) -> Value {
        match stride {
            1 => index,
            _ if stride > 0 && stride.count_ones() == 1 => {
                self.builder.ins().ishl_imm_u(index, i64::from(stride.trailing_zeros()))
            }
            _ => self.builder.ins().imul_imm_s(index, stride),
        }
    }

    /// Quotient and remainder by a constant.
    pub(super) fn divide(&mut self, value: Value, by: usize) -> (Value, Value) {
        if by == 1 {
            return (value, self.int(0));
        }
        let quotient = self.builder.ins().udiv_imm_u(value, by as i64);
        let product = self.builder.ins().imul_imm_s(quotient, by as i64);
        (quotient, self.builder.ins().isub(value, product))
    }

    /// `for index in first..end { body(index) }`
    pub(super) fn range(&mut self, first: Value, end: Value, body: impl FnOnce(&mut Self, Value)) {
        let (head, inside, exit) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        self.builder.append_block_param(head, I64);
        self.builder.ins().jump(head, &[first.into()]);
        self.builder.switch_to_block(head);
        let index = self.builder.block_params(head)[0];
        let more = self.builder.ins().icmp(IntCC::SignedLessThan, index, end);
        self.builder.ins().brif(more, inside, &[], exit, &[]);
        self.builder.switch_to_block(inside);
        self.builder.seal_block(inside);
        body(self, index);
        let next = self.builder.ins().iadd_imm_s(index, 1);
        self.builder.ins().jump(head, &[next.into()]);
        self.builder.seal_block(head);
        self.builder.switch_to_block(exit);
        self.builder.seal_block(exit);
    }

    /// `for index in first..first + count { body(index) }`; no loop for a single one.
    pub(super) fn times(&mut self, first: usize, count: usize, body: impl FnOnce(&mut Self, Value)) {
        let start = self.int(first as i64);
        match count {
            0 => {}
            1 => body(self, start),
            _ => {
                let end = self.int((first + count) as i64);
                self.range(start, end, body);
            }
        }
    }

    /// `if condition { body }`
    pub(super) fn when(&mut self, condition: Value, body: impl FnOnce(&mut Self)) {
        let (inside, exit) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(condition, inside, &[], exit, &[]);
        self.builder.switch_to_block(inside);
        self.builder.seal_block(inside);
        body(self);
        self.builder.ins().jump(exit, &[]);
        self.builder.switch_to_block(exit);
        self.builder.seal_block(exit);
    }

    /// A variable that loops can change.
    pub(super) fn variable(&mut self, value: Value) -> Variable {
        let variable = self.builder.declare_var(self.builder.func.dfg.value_type(value));
        self.builder.def_var(variable, value);
        variable
    }

    pub(super) fn load_float(&mut self, address: Value, offset: i64) -> Value {
        let address = self.offset(address, offset);
        self.builder.ins().load(F32, memory(), address, 0)
    }

    pub(super) fn store_float(&mut self, value: Value, address: Value, offset: i64) {
        let address = self.offset(address, offset);
        self.builder.ins().store(memory(), value, address, 0);
    }

    /// Loads eight floats; the offset may be any constant.
    pub(super) fn load(&mut self, address: Value, offset: i64) -> Vector {
        let (address, offset) = self.short(address, offset);
        [0, 16].map(|half| self.builder.ins().load(F32X4, memory(), address, offset + half))
    }

    pub(super) fn store(&mut self, vector: Vector, address: Value, offset: i64) {
        let (address, offset) = self.short(address, offset);
        for (half, value) in vector.into_iter().enumerate() {
            self.builder
                .ins()
                .store(memory(), value, address, offset + 16 * half as i32);
        }
    }

    /// An offset as an instruction holds it.
    fn short(&mut self, address: Value, offset: i64) -> (Value, i32) {
        match i32::try_from(offset) {
            Ok(short) if short < i32::MAX - 64 => (address, short),
            _ => (self.offset(address, offset), 0),
        }
    }

    pub(super) fn splat(&mut self, constant: f32) -> Vector {
        let scalar = self.float(constant);
        self.splat_value(scalar)
    }

    pub(super) fn splat_value(&mut self, scalar: Value) -> Vector {
        [self.builder.ins().splat(F32X4, scalar); 2]
    }

    pub(super) fn map2(
        &mut self,
        a: Vector,
        b: Vector,
        mut f: impl FnMut(&mut FunctionBuilder<'_>, Value, Value) -> Value,
    ) -> Vector {
        [f(&mut self.builder, a[0], b[0]), f(&mut self.builder, a[1], b[1])]
    }

    pub(super) fn add(&mut self, a: Vector, b: Vector) -> Vector {
        self.map2(a, b, |builder, a, b| builder.ins().fadd(a, b))
    }

    pub(super) fn sub(&mut self, a: Vector, b: Vector) -> Vector {
        self.map2(a, b, |builder, a, b| builder.ins().fsub(a, b))
    }

    pub(super) fn mul(&mut self, a: Vector, b: Vector) -> Vector {
        self.map2(a, b, |builder, a, b| builder.ins().fmul(a, b))
    }

    pub(super) fn div(&mut self, a: Vector, b: Vector) -> Vector {
        self.map2(a, b, |builder, a, b| builder.ins().fdiv(a, b))
    }

    /// Lanes where `a condition b` as all ones, reinterpreted as floats for [`Self::select`].
    pub(super) fn compare(&mut self, condition: FloatCC, a: Vector, b: Vector) -> Vector {
        self.map2(a, b, |builder, a, b| {
            let mask = builder.ins().fcmp(condition, a, b);
            builder.ins().bitcast(F32X4, MemFlagsData::new(), mask)
        })
    }

    /// `mask ? a : b`, lane by lane.
    pub(super) fn select(&mut self, mask: Vector, a: Vector, b: Vector) -> Vector {
        [0, 1].map(|half| self.builder.ins().bitselect(mask[half], a[half], b[half]))
    }

    /// The greater (or less) of each lane's; `b` where either is NaN.
    pub(super) fn extreme(&mut self, extreme: Extreme, a: Vector, b: Vector) -> Vector {
        // In just this form it is one instruction on x86-64: `maxps`, `minps`.
        let mask = match extreme {
            Extreme::Max => self.compare(FloatCC::LessThan, b, a),
            Extreme::Min => self.compare(FloatCC::LessThan, a, b),
        };
        self.select(mask, a, b)
    }

    /// The address of element (image 0, first channel, row 0, column 0) of a view.
    pub(super) fn origin(&mut self, operand: usize, view: View) -> Value {
        let origin = self.plan.origin(view);
        self.offset(self.operands[operand], origin)
    }

    /// The address of a view's first element in one image, and the view's strides.
    pub(super) fn image(&mut self, operand: usize, view: View, image: Value) -> (Value, ByteStrides) {
        let strides = ByteStrides::from(self.plan.strides(view));
        let base = self.origin(operand, view);
        (self.index(base, image, strides.image), strides)
    }

    /// The same for the block of channels of an item, where items are the blocks of all images.
    pub(super) fn block(&mut self, operand: usize, view: View, item: Value) -> (Value, ByteStrides) {
        let (image, block) = self.divide(item, view.shape.channels().div_ceil(BLOCK));
        let (base, strides) = self.image(operand, view, image);
        (self.index(base, block, strides.block), strides)
    }

    /// The runtime's function that applies an activation to a row of floats.
    pub(super) fn row_function(&mut self, activation: Activation) -> Result<RowFunction, JitError> {
        let (kind, parameters) = functions::activation(activation);
        let function = self.runtime(kind.name())?;
        let parameters = parameters.map(|parameter| self.float(parameter));
        Ok(RowFunction { function, parameters })
    }

    /// Applies it in place.
    pub(super) fn apply(&mut self, row: RowFunction, at: Value, floats: usize) {
        let floats = self.int(floats as i64);
        let [first, second] = row.parameters;
        self.builder.ins().call(row.function, &[at, at, floats, first, second]);
    }

    /// A runtime function, to be called from this one.
    pub(super) fn runtime(&mut self, name: &'static str) -> Result<FuncRef, JitError> {
        self.functions.runtime(name, self.builder.func)
    }
}

/// An activation as a function of the runtime, with its two parameters.
#[derive(Clone, Copy)]
pub(super) struct RowFunction {
    function: FuncRef,
    parameters: [Value; 2],
}

/// A view's strides in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByteStrides {
    pub(super) image: i64,
    pub(super) block: i64,
    pub(super) lane: i64,
    pub(super) row: i64,
    pub(super) pixel: i64,
}

impl From<&Strides> for ByteStrides {
    fn from(strides: &Strides) -> Self {
        let bytes = |floats: usize| floats as i64 * FLOAT;
        ByteStrides {
            image: bytes(strides.image),
            block: bytes(strides.block),
            lane: bytes(strides.lane),
            row: bytes(strides.row),
            pixel: bytes(strides.pixel),
        }
    }
}
