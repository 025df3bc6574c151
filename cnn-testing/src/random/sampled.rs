//! Layers of any operator, with attributes as its own file describes them: what is added to the language is drawn
//! without being listed here.

use cnn_ir::ast::{Key, Value as Written, ValueKind};
use cnn_ir::front::write;
use cnn_ir::op::{Arity, Dialect, Op, sample};
use cnn_ir::shape::Shape;
use cnn_ir::span::{Span, Spanned};
use cnn_ir::value::{ElementType, ValueType};

use super::{MAX_MACS, Model, Value};

/// Operators that are not drawn with any attributes: where they jump, have a pole or multiply what differs, a rounding
/// error of an operand becomes more than a back end is allowed.
pub const UNSTEADY: [&str; 27] = [
    "arg_max",
    "arg_min",
    "ceil",
    "div",
    "equal",
    "exp",
    "floor",
    "gather",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "lrn",
    "not_equal",
    "pow",
    "reciprocal",
    "reduce_prod",
    "round",
    "rsqrt",
    "shrink",
    "sign",
    "sqrt",
    "thresholded_relu",
    "top_k",
    "where",
    "xor",
];

/// Of these, those whose results are exact where their operands are: they are drawn with the network's inputs.
const JUMPING: [&str; 11] = [
    "arg_max",
    "arg_min",
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "not_equal",
    "top_k",
    "where",
    "xor",
];

/// The least `epsilon` of a norm: of elements that are all the same it makes their rounding errors at most so many times
/// larger, one over its root.
const LEAST_EPSILON: f64 = 0.0625;

impl Model {
    /// A layer of an operator drawn from all of them; `None` if none of a few that were drawn takes `x`.
    pub(super) fn sampled(&mut self, x: &Value) -> Option<Value> {
        let exact = self.is_input(x);
        let steady = |name: &&str| !UNSTEADY.contains(name) || (exact && JUMPING.contains(name));
        let names: Vec<&'static str> = Op::names().iter().copied().filter(steady).collect();
        (0..8).find_map(|_| {
            let name = self.pick(&names);
            self.layer_of(name, x, |element| element == ElementType::F32)
        })
    }

    /// A layer of this operator whose result has elements of a type that is `wanted`; `None` if what was drawn for its
    /// attributes does not take `x`.
    pub(super) fn layer_of(
        &mut self,
        name: &'static str,
        x: &Value,
        wanted: impl Fn(ElementType) -> bool,
    ) -> Option<Value> {
        let mut keys = sample(name, Dialect::Declaration, &mut |n| self.rng.usize(..n));
        let attributes = Op::describe(name, Dialect::Declaration)?;
        if attributes.iter().any(|attribute| attribute.key == "affine") {
            // Without its weights the mean of what a norm gives is 0: an average of it is rounding errors and nothing else.
            keys.retain(|(key, _)| !["affine", "bias"].contains(key));
            keys.push(("affine", ValueKind::Boolean(true)));
        }
        if attributes.iter().any(|attribute| attribute.key == "epsilon") {
            keys.retain(|(key, _)| *key != "epsilon");
            let epsilon = LEAST_EPSILON * f64::from(self.rng.u32(1..5));
            keys.push(("epsilon", ValueKind::Float(epsilon)));
        }
        let written = |(key, value): &(&str, ValueKind)| Key {
            name: Spanned::new((*key).to_owned(), Span::NONE),
            value: Written::unplaced(value.clone()),
        };
        let declared: Vec<Key> = keys.iter().map(written).collect();
        let op = Op::read(
            &Spanned::new(name.to_owned(), Span::NONE),
            &declared,
            Dialect::Declaration,
        )
        .ok()?;
        if op.activation().is_some_and(|one| UNSTEADY.contains(&one.name())) {
            return None;
        }
        let count = match op.arity() {
            Arity::Exactly(count) => count,
            Arity::AtLeast(least) => least + self.rng.usize(..2),
        };
        // Without an operand it would not follow `x`.
        let others = count.checked_sub(1)?;
        let operands: Vec<Value> = std::iter::once(x.clone())
            .chain((0..others).map(|_| match JUMPING.contains(&name) {
                true => self.values[self.rng.usize(..self.input_count)].clone(),
                false => self.beside(x),
            }))
            .collect();
        let shapes: Vec<Shape> = operands.iter().map(|operand| operand.shape).collect();
        let types: Vec<ValueType> = operands.iter().map(Value::value_type).collect();
        let out = op.value_type(&types).ok().filter(|out| wanted(out.element))?;
        let cost = op.cost(&shapes);
        if !Model::fits(out.shape) || cost.multiplications > MAX_MACS as u64 {
            return None;
        }
        let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, write::value(value))).collect();
        let operands: Vec<&Value> = operands.iter().collect();
        let value = self.layer(name, &operands, &keys, out.shape);
        Some(Value {
            element: out.element,
            ..value
        })
    }

    /// Whether it is an input of the network.
    fn is_input(&self, x: &Value) -> bool {
        self.values[..self.input_count].iter().any(|input| input.name == x.name)
    }

    /// Another operand: the same value, or any other of integers or real numbers as it is.
    fn beside(&mut self, x: &Value) -> Value {
        if self.rng.bool() {
            return x.clone();
        }
        let integers = x.element != ElementType::F32;
        let place = self.rng.usize(
            ..if integers {
                self.integers.len()
            } else {
                self.values.len()
            },
        );
        if integers {
            self.integers[place].clone()
        } else {
            self.values[place].clone()
        }
    }
}
