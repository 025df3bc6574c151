//! Loop code → Cranelift IR.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, I64};
use cranelift_codegen::ir::{
    FuncRef, GlobalValue, InstBuilder, MemFlagsData, SigRef, SourceLoc, StackSlot, StackSlotData, StackSlotKind, Value,
};
use cranelift_frontend::{FunctionBuilder, Variable};

use super::compiler::{Compiler, Kept};
use super::vectors::condition;
use crate::loops::{
    Address, AddressExpr, Count, Float, FloatExpr, FloatOp, Function, Inst, Int, IntExpr, IntOp, TestExpr, Vector,
};

/// Bytes of half a vector: Cranelift's vectors have four floats.
pub(super) const HALF: i64 = 16;
/// Bytes of an address.
const ADDRESS: i64 = 8;

/// A function's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameters {
    /// `(operands: *const *mut u8, first, end, scratch)`: a step.
    Step,
    /// `(input, weights, output, residual, ahead)`: a tile kernel. The operands themselves.
    Tile,
}

/// Builds the whole body of a function of four words. The caller finalizes the builder.
pub(super) fn translate(
    function: &Function,
    parameters: Parameters,
    builder: &mut FunctionBuilder<'_>,
    compiler: &Compiler<'_>,
    kept: &mut Kept,
) {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let words = [0, 1, 2, 3].map(|i| builder.block_params(entry)[i]);
    let operands = match parameters {
        Parameters::Tile => words.to_vec(),
        Parameters::Step => (0..function.operands as i32)
            .map(|index| {
                let offset = index * ADDRESS as i32;
                builder.ins().load(I64, memory(), words[0], offset)
            })
            .collect(),
    };
    let tables = function.tables.iter().map(|table| {
        let number = kept.table(table);
        compiler.constant(number, builder.func)
    });
    let tables = tables.collect();
    let mut translator = Translator {
        builder,
        compiler,
        kept,
        callees: HashMap::new(),
        runtime: HashMap::new(),
        words,
        operands,
        tables,
        values: Vec::new(),
        variables: Vec::new(),
        temporary: None,
        line: 0,
    };
    translator.all(&function.body);
    translator.builder.set_srcloc(SourceLoc::default());
    translator.builder.ins().return_(&[]);
}

pub(super) struct Translator<'a, 'f> {
    pub(super) builder: &'a mut FunctionBuilder<'f>,
    pub(super) compiler: &'a Compiler<'a>,
    pub(super) kept: &'a mut Kept,
    /// What this function calls.
    callees: HashMap<usize, FuncRef>,
    /// What it calls of the runtime: where the address is, and the signature.
    runtime: HashMap<&'static str, (GlobalValue, SigRef)>,
    words: [Value; 4],
    operands: Vec<Value>,
    /// The tables, in the image.
    tables: Vec<GlobalValue>,
    /// By name: one value twice, or the halves of a vector.
    pub(super) values: Vec<[Value; 2]>,
    /// By name, likewise.
    pub(super) variables: Vec<[Variable; 2]>,
    temporary: Option<StackSlot>,
    /// The line of the loop code that is translated: see [`Origin::line`](super::Origin::line).
    line: u32,
}

/// Accesses are in bounds and may be unaligned: the plan was verified.
pub(super) fn memory() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

impl Translator<'_, '_> {
    fn all(&mut self, body: &[Inst]) {
        body.iter().for_each(|inst| self.inst(inst));
    }

    /// Calls a tile kernel.
    fn call_kernel(&mut self, number: usize, arguments: &[Value]) {
        let new = || self.compiler.callee(number, self.builder.func);
        let callee = *self.callees.entry(number).or_insert_with(new);
        self.builder.ins().call(callee, arguments);
    }

    /// Calls a function of the runtime, whose address is in the image's table.
    pub(super) fn call_runtime(&mut self, name: &'static str, arguments: &[Value]) {
        let (place, signature) = match self.runtime.get(name) {
            Some(known) => *known,
            None => {
                let found = self.compiler.runtime(name, self.builder.func);
                let (place, signature) = found.expect("loop code calls what the runtime has");
                let known = (place, self.builder.import_signature(signature));
                self.runtime.insert(name, known);
                known
            }
        };
        let function = self.table_entry(place);
        self.builder.ins().call_indirect(signature, function, arguments);
    }

    /// The address at a place of the image's table.
    pub(super) fn table_entry(&mut self, place: GlobalValue) -> Value {
        let place = self.builder.ins().symbol_value(I64, place);
        self.builder.ins().load(I64, memory(), place, 0)
    }

    /// Goes to the next line of the loop code. Only texts say which code came from it.
    fn next_line(&mut self) {
        self.line += 1;
        if self.compiler.keep_text {
            self.builder.set_srcloc(SourceLoc::new(self.line));
        }
    }

    fn inst(&mut self, inst: &Inst) {
        self.next_line();
        match inst {
            Inst::Address(Address(name), expr) => {
                let value = self.address(*expr);
                self.define(*name, [value; 2]);
            }
            Inst::Int(Int(name), expr) => {
                let value = self.int(*expr);
                self.define(*name, [value; 2]);
            }
            Inst::Float(Float(name), expr) => {
                let value = self.float(*expr);
                self.define(*name, [value; 2]);
            }
            Inst::Vector(Vector(name), expr) => {
                let value = self.vector(expr);
                self.define(*name, value);
            }
            Inst::Test(test, expr) => {
                let value = self.test(*expr);
                self.define(test.0, [value; 2]);
            }
            Inst::DeclareFloat(variable, value) => {
                let value = self.scalar(value.0);
                self.declare(variable.0, [value; 2]);
            }
            Inst::DeclareVector(variable, value) => {
                let value = self.values[value.0 as usize];
                self.declare(variable.0, value);
            }
            Inst::SetFloat(variable, value) => {
                let value = self.scalar(value.0);
                self.builder.def_var(self.variables[variable.0 as usize][0], value);
            }
            Inst::SetVector(variable, value) => {
                for half in [0, 1] {
                    let value = self.values[value.0 as usize][half];
                    self.builder.def_var(self.variables[variable.0 as usize][half], value);
                }
            }
            Inst::StoreFloat(value, at, offset) => {
                let (at, offset) = self.short(*at, *offset);
                let value = self.scalar(value.0);
                self.builder.ins().store(memory(), value, at, offset);
            }
            Inst::Store(value, at, offset) => {
                let (at, offset) = self.short(*at, *offset);
                for (half, value) in self.values[value.0 as usize].into_iter().enumerate() {
                    let offset = offset + HALF as i32 * half as i32;
                    self.builder.ins().store(memory(), value, at, offset);
                }
            }
            Inst::Range {
                index,
                first,
                end,
                body,
            } => self.range(*index, *first, *end, body),
            Inst::When { condition, body } => {
                let condition = self.scalar(condition.0);
                let (inside, exit) = (self.builder.create_block(), self.builder.create_block());
                self.builder.ins().brif(condition, inside, &[], exit, &[]);
                self.builder.switch_to_block(inside);
                self.builder.seal_block(inside);
                self.all(body);
                self.next_line();
                self.builder.ins().jump(exit, &[]);
                self.builder.switch_to_block(exit);
                self.builder.seal_block(exit);
            }
            Inst::Tile {
                kernel,
                input,
                weights,
                output,
                residual,
                ahead,
            } => {
                let arguments = [*input, *weights, *output, *residual, *ahead].map(|address| self.scalar(address.0));
                self.call_kernel(*kernel, &arguments);
            }
            Inst::Call(call) => self.call(call),
        }
    }

    fn define(&mut self, name: u32, value: [Value; 2]) {
        let name = name as usize;
        if self.values.len() <= name {
            self.values.resize(name + 1, [self.words[0]; 2]);
        }
        self.values[name] = value;
    }

    /// What is not a vector, by name.
    pub(super) fn scalar(&self, name: u32) -> Value {
        self.values[name as usize][0]
    }

    fn declare(&mut self, name: u32, start: [Value; 2]) {
        let name = name as usize;
        let kind = self.builder.func.dfg.value_type(start[0]);
        let halves = [0, 1].map(|half| {
            let variable = self.builder.declare_var(kind);
            self.builder.def_var(variable, start[half]);
            variable
        });
        if self.variables.len() <= name {
            self.variables.resize(name + 1, halves);
        }
        self.variables[name] = halves;
    }

    /// `for index in first..end { body }`
    fn range(&mut self, index: Int, first: Count, end: Count, body: &[Inst]) {
        let (first, end) = (self.count(first), self.count(end));
        let [head, inside, exit] = [(); 3].map(|()| self.builder.create_block());
        self.builder.append_block_param(head, I64);
        self.builder.ins().jump(head, &[first.into()]);
        self.builder.switch_to_block(head);
        let value = self.builder.block_params(head)[0];
        let more = self.builder.ins().icmp(IntCC::SignedLessThan, value, end);
        self.builder.ins().brif(more, inside, &[], exit, &[]);
        self.builder.switch_to_block(inside);
        self.builder.seal_block(inside);
        self.define(index.0, [value; 2]);
        self.all(body);
        self.next_line();
        let next = self.builder.ins().iadd_imm_s(value, 1);
        self.builder.ins().jump(head, &[next.into()]);
        self.builder.seal_block(head);
        self.builder.switch_to_block(exit);
        self.builder.seal_block(exit);
    }

    pub(super) fn constant(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(I64, value)
    }

    fn count(&mut self, count: Count) -> Value {
        match count {
            Count::Constant(value) => self.constant(value),
            Count::Value(value) => self.scalar(value.0),
        }
    }

    fn plus(&mut self, base: Value, offset: i64) -> Value {
        match offset {
            0 => base,
            _ => self.builder.ins().iadd_imm_s(base, offset),
        }
    }

    fn times(&mut self, value: Value, by: i64) -> Value {
        match by {
            1 => value,
            _ if by > 0 && by.count_ones() == 1 => {
                let bits = i64::from(by.trailing_zeros());
                self.builder.ins().ishl_imm_u(value, bits)
            }
            _ => self.builder.ins().imul_imm_s(value, by),
        }
    }

    fn address(&mut self, expr: AddressExpr) -> Value {
        match expr {
            AddressExpr::Operand(operand) => self.operands[operand],
            AddressExpr::Scratch => self.words[3],
            AddressExpr::Temporary => {
                let slot = match self.temporary {
                    Some(slot) => slot,
                    None => self.slot(2 * HALF as usize),
                };
                self.temporary = Some(slot);
                self.builder.ins().stack_addr(I64, slot, 0)
            }
            AddressExpr::Offset(base, offset) => {
                let base = self.scalar(base.0);
                self.plus(base, offset)
            }
            AddressExpr::Index(base, index, stride) => {
                let (base, index) = (self.scalar(base.0), self.scalar(index.0));
                let distance = self.times(index, stride);
                self.builder.ins().iadd(base, distance)
            }
        }
    }

    /// An address and an offset that an instruction holds.
    pub(super) fn short(&mut self, address: Address, offset: i64) -> (Value, i32) {
        let address = self.scalar(address.0);
        match i32::try_from(offset) {
            Ok(short) if short < i32::MAX - 64 => (address, short),
            _ => (self.plus(address, offset), 0),
        }
    }

    fn int(&mut self, expr: IntExpr) -> Value {
        match expr {
            IntExpr::First => self.words[1],
            IntExpr::End => self.words[2],
            IntExpr::Constant(value) => self.constant(value),
            IntExpr::Binary(IntOp::Add, a, Count::Constant(b)) => {
                let a = self.scalar(a.0);
                self.plus(a, b)
            }
            IntExpr::Binary(IntOp::Multiply, a, Count::Constant(b)) => {
                let a = self.scalar(a.0);
                self.times(a, b)
            }
            IntExpr::Binary(IntOp::Divide, a, Count::Constant(b)) => {
                let a = self.scalar(a.0);
                self.builder.ins().udiv_imm_u(a, b)
            }
            IntExpr::Binary(op, a, b) => {
                let (a, b) = (self.scalar(a.0), self.count(b));
                let ins = self.builder.ins();
                match op {
                    IntOp::Add => ins.iadd(a, b),
                    IntOp::Subtract => ins.isub(a, b),
                    IntOp::Multiply => ins.imul(a, b),
                    IntOp::Divide => ins.udiv(a, b),
                    IntOp::Min => ins.smin(a, b),
                    IntOp::Max => ins.smax(a, b),
                }
            }
            IntExpr::Table(table, index) => {
                let base = self.builder.ins().symbol_value(I64, self.tables[table]);
                let index = self.scalar(index.0);
                let distance = self.times(index, size_of::<i64>() as i64);
                let at = self.builder.ins().iadd(base, distance);
                self.builder.ins().load(I64, memory(), at, 0)
            }
        }
    }

    fn float(&mut self, expr: FloatExpr) -> Value {
        match expr {
            FloatExpr::Constant(bits) => self.builder.ins().f32const(f32::from_bits(bits)),
            FloatExpr::Load(at, offset) => {
                let (at, offset) = self.short(at, offset);
                self.builder.ins().load(F32, memory(), at, offset)
            }
            FloatExpr::Binary(op, a, b) => {
                let (a, b) = (self.scalar(a.0), self.scalar(b.0));
                match op {
                    FloatOp::Add => self.builder.ins().fadd(a, b),
                    FloatOp::Subtract => self.builder.ins().fsub(a, b),
                    FloatOp::Multiply => self.builder.ins().fmul(a, b),
                    FloatOp::Divide => self.builder.ins().fdiv(a, b),
                    FloatOp::Max => self.either(b, a, a, b),
                    FloatOp::Min => self.either(a, b, a, b),
                }
            }
            FloatExpr::FromInt(value) => {
                let value = self.scalar(value.0);
                self.builder.ins().fcvt_from_sint(F32, value)
            }
            FloatExpr::Lane(vector, lane) => {
                let half = self.values[vector.0 as usize][lane / 4];
                self.builder.ins().extractlane(half, (lane % 4) as u8)
            }
            FloatExpr::Read(variable) => self.builder.use_var(self.variables[variable.0 as usize][0]),
            FloatExpr::Select(test, then, otherwise) => {
                let [test, then, otherwise] = [test.0, then.0, otherwise.0].map(|name| self.scalar(name));
                self.builder.ins().select(test, then, otherwise)
            }
        }
    }

    /// `less < greater ? then : otherwise`
    fn either(&mut self, less: Value, greater: Value, then: Value, otherwise: Value) -> Value {
        let test = self.builder.ins().fcmp(FloatCC::LessThan, less, greater);
        self.builder.ins().select(test, then, otherwise)
    }

    fn test(&mut self, expr: TestExpr) -> Value {
        match expr {
            TestExpr::Within(a, b) => {
                let (a, b) = (self.scalar(a.0), self.count(b));
                self.builder.ins().icmp(IntCC::UnsignedLessThan, a, b)
            }
            TestExpr::Equal(a, b) => {
                let (a, b) = (self.scalar(a.0), self.count(b));
                self.builder.ins().icmp(IntCC::Equal, a, b)
            }
            TestExpr::Compare(is, a, b) => {
                let (a, b) = (self.scalar(a.0), self.scalar(b.0));
                self.builder.ins().fcmp(condition(is), a, b)
            }
            TestExpr::Or(a, b) => {
                let (a, b) = (self.scalar(a.0), self.scalar(b.0));
                self.builder.ins().bor(a, b)
            }
        }
    }

    /// A place on the stack.
    pub(super) fn slot(&mut self, bytes: usize) -> StackSlot {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes as u32, 4);
        self.builder.create_sized_stack_slot(data)
    }
}
