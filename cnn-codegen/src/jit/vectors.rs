//! Vectors of eight floats as two of Cranelift's.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::F32X4;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

use super::translate::{HALF, Translator, memory};
use crate::loops::{Comparison, FloatOp, Vector, VectorExpr};

impl Translator<'_, '_> {
    pub(super) fn vector(&mut self, expr: &VectorExpr) -> [Value; 2] {
        match expr {
            VectorExpr::Load(at, offset) => {
                let (at, offset) = self.short(*at, *offset);
                [0, HALF as i32].map(|half| self.builder.ins().load(F32X4, memory(), at, offset + half))
            }
            VectorExpr::Splat(float) => {
                let float = self.scalar(float.0);
                [self.builder.ins().splat(F32X4, float); 2]
            }
            VectorExpr::Binary(op, a, b) => self.halves([*a, *b], |t, [a, b]| t.lanes(*op, a, b)),
            VectorExpr::MultiplyAdd(a, b, sum) => self.halves([*a, *b, *sum], |t, [a, b, sum]| {
                if t.compiler.targets.use_fma {
                    return t.builder.ins().fma(a, b, sum);
                }
                let product = t.builder.ins().fmul(a, b);
                t.builder.ins().fadd(sum, product)
            }),
            VectorExpr::Where {
                is,
                left,
                right,
                then,
                otherwise,
            } => self.halves(
                [*left, *right, *then, *otherwise],
                |t, [left, right, then, otherwise]| {
                    let mask = t.builder.ins().fcmp(condition(*is), left, right);
                    t.choose(mask, then, otherwise)
                },
            ),
            VectorExpr::NanOfAny(values, otherwise) => [0, 1].map(|half| {
                let otherwise = self.values[otherwise.0 as usize][half];
                // In pairs: one comparison finds a NaN in either.
                let mut lost: Option<Value> = None;
                for pair in values.chunks(2) {
                    let [a, b] = [pair[0], pair[pair.len() - 1]].map(|value| self.values[value.0 as usize][half]);
                    let mask = self.builder.ins().fcmp(FloatCC::Unordered, a, b);
                    lost = Some(lost.map_or(mask, |lost| self.builder.ins().bor(lost, mask)));
                }
                let Some(lost) = lost else { return otherwise };
                let nan = self.builder.ins().f32const(f32::NAN);
                let nan = self.builder.ins().splat(F32X4, nan);
                self.choose(lost, nan, otherwise)
            }),
            VectorExpr::WithLane(vector, lane, float) => {
                let (mut halves, float) = (self.values[vector.0 as usize], self.scalar(float.0));
                halves[lane / 4] = self.builder.ins().insertlane(halves[lane / 4], float, (lane % 4) as u8);
                halves
            }
            VectorExpr::Read(variable) => self.variables[variable.0 as usize].map(|half| self.builder.use_var(half)),
        }
    }

    /// The same for both halves of vectors.
    fn halves<const N: usize>(
        &mut self,
        vectors: [Vector; N],
        mut each: impl FnMut(&mut Self, [Value; N]) -> Value,
    ) -> [Value; 2] {
        [0, 1].map(|half| {
            let values = vectors.map(|vector| self.values[vector.0 as usize][half]);
            each(self, values)
        })
    }

    fn lanes(&mut self, op: FloatOp, a: Value, b: Value) -> Value {
        let (less, greater) = match op {
            FloatOp::Add => return self.builder.ins().fadd(a, b),
            FloatOp::Subtract => return self.builder.ins().fsub(a, b),
            FloatOp::Multiply => return self.builder.ins().fmul(a, b),
            FloatOp::Divide => return self.builder.ins().fdiv(a, b),
            // In just this form it is one instruction on x86-64: `maxps`, `minps`. Cranelift's own maximum orders
            // signed zeros and NaNs, in many.
            FloatOp::Max => (b, a),
            FloatOp::Min => (a, b),
        };
        let mask = self.builder.ins().fcmp(FloatCC::LessThan, less, greater);
        self.choose(mask, a, b)
    }

    /// `mask ? a : b`, lane by lane.
    fn choose(&mut self, mask: Value, a: Value, b: Value) -> Value {
        let mask = self.builder.ins().bitcast(F32X4, MemFlagsData::new(), mask);
        self.builder.ins().bitselect(mask, a, b)
    }
}

pub(super) fn condition(comparison: Comparison) -> FloatCC {
    match comparison {
        Comparison::Less => FloatCC::LessThan,
        Comparison::Greater => FloatCC::GreaterThan,
        Comparison::Unordered => FloatCC::Unordered,
    }
}
