//! Writes functions: loops with constant bounds, addresses, and vectors of eight floats.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

use cnn_types::ElementType;

use super::code::{
    Address, AddressExpr, Call, Comparison, Count, Float, FloatExpr, FloatOp, FloatVariable, Function, Inst, Int,
    IntExpr, IntOp, LANES, Test, TestExpr, Vector, VectorExpr, VectorVariable,
};

/// Bytes of a vector of eight floats.
pub(crate) const VECTOR: i64 = LANES as i64 * FLOAT;
/// Bytes of a float: what loops compute with.
pub(crate) const FLOAT: i64 = ElementType::F32.bytes() as i64;

/// Which element of a window wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extreme {
    Max,
    Min,
}

/// A function being written, and what it is written for.
pub(crate) struct Writer<C> {
    context: C,
    body: Vec<Inst>,
    tables: Vec<Vec<i64>>,
    /// The counts among the values, by name, that are known while writing: arithmetic with them is done at once.
    known: HashMap<u32, i64>,
    /// The addresses among the values that are others plus so many bytes.
    offsets: HashMap<u32, (Address, i64)>,
    names: u32,
}

impl<C> Deref for Writer<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.context
    }
}

impl<C> DerefMut for Writer<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.context
    }
}

impl<C> Writer<C> {
    pub(crate) fn new(context: C) -> Self {
        Writer {
            context,
            body: Vec::new(),
            tables: Vec::new(),
            known: HashMap::new(),
            offsets: HashMap::new(),
            names: 0,
        }
    }

    /// The finished function.
    pub(crate) fn finish(self, operands: usize) -> Function {
        Function {
            operands,
            tables: self.tables,
            body: self.body,
        }
    }

    fn name(&mut self) -> u32 {
        self.names += 1;
        self.names - 1
    }

    pub(crate) fn address(&mut self, expr: AddressExpr) -> Address {
        let address = Address(self.name());
        self.body.push(Inst::Address(address, expr));
        address
    }

    pub(super) fn int_expr(&mut self, expr: IntExpr) -> Int {
        let int = Int(self.name());
        if let IntExpr::Constant(value) = expr {
            self.known.insert(int.0, value);
        }
        self.body.push(Inst::Int(int, expr));
        int
    }

    /// A count that is known while writing.
    fn constant_count(&self, count: impl Into<Count>) -> Option<i64> {
        match count.into() {
            Count::Constant(value) => Some(value),
            Count::Value(name) => self.known.get(&name.0).copied(),
        }
    }

    pub(super) fn float_expr(&mut self, expr: FloatExpr) -> Float {
        let float = Float(self.name());
        self.body.push(Inst::Float(float, expr));
        float
    }

    pub(crate) fn vector(&mut self, expr: VectorExpr) -> Vector {
        let vector = Vector(self.name());
        self.body.push(Inst::Vector(vector, expr));
        vector
    }

    pub(super) fn test(&mut self, expr: TestExpr) -> Test {
        let test = Test(self.name());
        self.body.push(Inst::Test(test, expr));
        test
    }

    pub(super) fn int(&mut self, value: usize) -> Int {
        self.int_expr(IntExpr::Constant(value as i64))
    }

    pub(super) fn float(&mut self, value: f32) -> Float {
        self.float_expr(FloatExpr::Constant(value.to_bits()))
    }

    /// `base + offset`
    pub(crate) fn offset(&mut self, base: Address, offset: i64) -> Address {
        let (root, before) = self.offsets.get(&base.0).copied().unwrap_or((base, 0));
        match (offset, before + offset) {
            (0, _) => base,
            (_, 0) => root,
            (_, offset) => {
                let address = self.address(AddressExpr::Offset(root, offset));
                self.offsets.insert(address.0, (root, offset));
                address
            }
        }
    }

    /// `base + index · stride`
    pub(crate) fn index(&mut self, base: Address, index: Int, stride: i64) -> Address {
        match (stride, self.constant_count(index)) {
            (0, _) => base,
            (_, Some(index)) => self.offset(base, index * stride),
            _ => self.address(AddressExpr::Index(base, index, stride)),
        }
    }

    pub(super) fn arithmetic(&mut self, op: IntOp, a: Int, b: impl Into<Count>) -> Int {
        let b = b.into();
        let expr = match (self.constant_count(a), self.constant_count(b)) {
            (Some(a), Some(b)) => IntExpr::Constant(match op {
                IntOp::Add => a + b,
                IntOp::Subtract => a - b,
                IntOp::Multiply => a * b,
                IntOp::Divide => a / b,
                IntOp::Min => a.min(b),
                IntOp::Max => a.max(b),
            }),
            (None, Some(b)) => IntExpr::Binary(op, a, Count::Constant(b)),
            (_, None) => IntExpr::Binary(op, a, b),
        };
        self.int_expr(expr)
    }

    /// `value + by`
    pub(super) fn plus(&mut self, value: Int, by: i64) -> Int {
        match by {
            0 => value,
            _ => self.arithmetic(IntOp::Add, value, Count::Constant(by)),
        }
    }

    /// `index · stride`
    pub(super) fn scaled(&mut self, index: Int, stride: usize) -> Int {
        match stride {
            1 => index,
            _ => self.arithmetic(IntOp::Multiply, index, stride),
        }
    }

    /// Quotient and remainder by a constant.
    pub(super) fn divide(&mut self, value: Int, by: usize) -> (Int, Int) {
        if by == 1 {
            return (value, self.int(0));
        }
        let quotient = self.arithmetic(IntOp::Divide, value, by);
        let product = self.arithmetic(IntOp::Multiply, quotient, by);
        (quotient, self.arithmetic(IntOp::Subtract, value, product))
    }

    /// An element of a table of constants.
    pub(super) fn table(&mut self, table: &[i64], index: Int) -> Int {
        self.tables.push(table.to_vec());
        self.int_expr(IntExpr::Table(self.tables.len() - 1, index))
    }

    /// What `body` writes, apart.
    fn nested(&mut self, body: impl FnOnce(&mut Self)) -> Vec<Inst> {
        let outside = std::mem::take(&mut self.body);
        body(self);
        std::mem::replace(&mut self.body, outside)
    }

    /// `for index in first..end { body(index) }`; no loop for a single one.
    pub(crate) fn range(&mut self, first: impl Into<Count>, end: impl Into<Count>, body: impl FnOnce(&mut Self, Int)) {
        let [first, end] =
            [first.into(), end.into()].map(|count| self.constant_count(count).map_or(count, Count::Constant));
        if let (Count::Constant(first), Count::Constant(end)) = (first, end)
            && end - first == 1
        {
            let only = self.int_expr(IntExpr::Constant(first));
            return body(self, only);
        }
        let index = Int(self.name());
        let body = self.nested(|e| body(e, index));
        self.body.push(Inst::Range {
            index,
            first,
            end,
            body,
        });
    }

    /// `for index in first..first + count { body(index) }`; no loop for a single one.
    pub(crate) fn times(&mut self, first: usize, count: usize, body: impl FnOnce(&mut Self, Int)) {
        if count > 0 {
            self.range(first, first + count, body);
        }
    }

    /// `for y, for x` over a plane.
    pub(super) fn pixels(&mut self, [_, height, width]: [usize; 3], body: impl FnOnce(&mut Self, Int, Int)) {
        self.times(0, height, |e, y| e.times(0, width, |e, x| body(e, y, x)));
    }

    /// `if condition { body }`
    pub(super) fn when(&mut self, condition: Test, body: impl FnOnce(&mut Self)) {
        let body = self.nested(body);
        self.body.push(Inst::When { condition, body });
    }

    /// A float that loops can change.
    pub(super) fn float_variable(&mut self, value: Float) -> FloatVariable {
        let variable = FloatVariable(self.name());
        self.body.push(Inst::DeclareFloat(variable, value));
        variable
    }

    pub(super) fn read_float(&mut self, variable: FloatVariable) -> Float {
        self.float_expr(FloatExpr::Read(variable))
    }

    pub(super) fn set_float(&mut self, variable: FloatVariable, value: Float) {
        self.body.push(Inst::SetFloat(variable, value));
    }

    /// A vector that loops can change.
    pub(crate) fn variable(&mut self, value: Vector) -> VectorVariable {
        let variable = VectorVariable(self.name());
        self.body.push(Inst::DeclareVector(variable, value));
        variable
    }

    pub(crate) fn read(&mut self, variable: VectorVariable) -> Vector {
        self.vector(VectorExpr::Read(variable))
    }

    pub(crate) fn set(&mut self, variable: VectorVariable, value: Vector) {
        self.body.push(Inst::SetVector(variable, value));
    }

    pub(super) fn load_float(&mut self, address: Address, offset: i64) -> Float {
        self.float_expr(FloatExpr::Load(address, offset))
    }

    pub(super) fn store_float(&mut self, value: Float, address: Address, offset: i64) {
        self.body.push(Inst::StoreFloat(value, address, offset));
    }

    pub(crate) fn load(&mut self, address: Address, offset: i64) -> Vector {
        self.vector(VectorExpr::Load(address, offset))
    }

    pub(crate) fn store(&mut self, vector: Vector, address: Address, offset: i64) {
        self.body.push(Inst::Store(vector, address, offset));
    }

    pub(crate) fn splat(&mut self, constant: f32) -> Vector {
        let scalar = self.float(constant);
        self.splat_value(scalar)
    }

    pub(crate) fn splat_value(&mut self, scalar: Float) -> Vector {
        self.vector(VectorExpr::Splat(scalar))
    }

    pub(crate) fn combine(&mut self, op: FloatOp, a: Vector, b: Vector) -> Vector {
        self.vector(VectorExpr::Binary(op, a, b))
    }

    pub(crate) fn add(&mut self, a: Vector, b: Vector) -> Vector {
        self.combine(FloatOp::Add, a, b)
    }

    pub(super) fn sub(&mut self, a: Vector, b: Vector) -> Vector {
        self.combine(FloatOp::Subtract, a, b)
    }

    pub(super) fn mul(&mut self, a: Vector, b: Vector) -> Vector {
        self.combine(FloatOp::Multiply, a, b)
    }

    pub(super) fn div(&mut self, a: Vector, b: Vector) -> Vector {
        self.combine(FloatOp::Divide, a, b)
    }

    pub(super) fn float_op(&mut self, op: FloatOp, a: Float, b: Float) -> Float {
        self.float_expr(FloatExpr::Binary(op, a, b))
    }

    /// Lane by lane `then` where `left` and `right` compare so, else `otherwise`.
    pub(super) fn select(
        &mut self,
        (left, is, right): (Vector, Comparison, Vector),
        then: Vector,
        otherwise: Vector,
    ) -> Vector {
        self.vector(VectorExpr::Where {
            is,
            left,
            right,
            then,
            otherwise,
        })
    }

    /// The greater (or less) of each lane's; `b` where either is NaN.
    pub(super) fn extreme(&mut self, extreme: Extreme, a: Vector, b: Vector) -> Vector {
        let op = match extreme {
            Extreme::Max => FloatOp::Max,
            Extreme::Min => FloatOp::Min,
        };
        self.combine(op, a, b)
    }

    /// The greater (or less) of each lane's; NaN where either is.
    pub(super) fn extreme_or_nan(&mut self, extreme: Extreme, a: Vector, b: Vector) -> Vector {
        let result = self.extreme(extreme, a, b);
        self.select((a, Comparison::Unordered, a), a, result)
    }

    /// Folds the eight lanes into one.
    pub(super) fn horizontal(
        &mut self,
        vector: Vector,
        mut fold: impl FnMut(&mut Self, Float, Float) -> Float,
    ) -> Float {
        let [first, rest @ ..] =
            std::array::from_fn::<_, LANES, _>(|lane| self.float_expr(FloatExpr::Lane(vector, lane)));
        rest.into_iter().fold(first, |result, lane| fold(self, result, lane))
    }

    /// The first `lanes` lanes of `vector`, the others a constant.
    pub(super) fn masked(&mut self, vector: Vector, lanes: usize, other: f32) -> Vector {
        if lanes == LANES {
            return vector;
        }
        let other = self.float(other);
        (lanes..LANES).fold(vector, |result, lane| {
            self.vector(VectorExpr::WithLane(result, lane, other))
        })
    }

    /// Calls a tile kernel with its pointers: input, weights, output, residual, ahead.
    pub(super) fn tile(&mut self, kernel: usize, [input, weights, output, residual, ahead]: [Address; 5]) {
        self.body.push(Inst::Tile {
            kernel,
            input,
            weights,
            output,
            residual,
            ahead,
        });
    }

    pub(super) fn call(&mut self, call: Call) {
        self.body.push(Inst::Call(call));
    }
}
