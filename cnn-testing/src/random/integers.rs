//! Chains of layers that compute with 8-bit integers.

use cnn_ir::op::Op;
use cnn_ir::value::ElementType;

use super::{Model, Value};

impl Model {
    /// An input as integers, a few layers that compute with them, and the real numbers they stand for.
    ///
    /// An input, because it is the same for every engine: anywhere else a rounding error may become a whole integer, which
    /// is more than an engine is allowed. Integers themselves are computed exactly.
    pub(super) fn integers(&mut self) -> Option<Value> {
        let place = self.rng.usize(..self.input_count);
        let input = self.values[place].clone();
        let integer = |element| element != ElementType::F32;
        let mut chain = (0..4).find_map(|_| self.layer_of("quantize", &input, integer))?;
        self.integers.push(chain.clone());
        for _ in 0..self.rng.usize(1..=4) {
            let next = if self.one_in(4) {
                self.moved_as_reals(&chain)
            } else {
                // Most operators take real numbers only.
                (0..200).find_map(|_| {
                    let name = self.pick(Op::names());
                    self.layer_of(name, &chain, integer)
                })
            };
            if let Some(next) = next {
                self.integers.push(next.clone());
                chain = next;
            }
        }
        self.layer_of("dequantize", &chain, |element| !integer(element))
    }

    /// Real numbers of integers, moved or compared, and the same integers of them again: a pass may leave out both ways,
    /// and no number changes.
    fn moved_as_reals(&mut self, x: &Value) -> Option<Value> {
        let of = x.element.quantisation()?;
        let reals = self.layer("dequantize", &[x], &[], x.shape);
        let moved = match self.rng.u32(0..3) {
            0 => self.layer_of("max_pool", &reals, |_| true)?,
            1 => self.layer_of("min_pool", &reals, |_| true)?,
            _ => self.reshape(&reals),
        };
        let keys = [
            ("scale", format!("{:?}", of.scale)),
            ("zero_point", of.zero_point.to_string()),
        ];
        let integers = self.layer("quantize", &[&moved], &keys, moved.shape);
        Some(Value {
            element: x.element,
            ..integers
        })
    }
}
