//! For the operators' tests: keys with places, and any operator with any keys.

use proptest::prelude::*;

use super::*;
use crate::ast::{Key, Value, ValueKind};
use crate::diag::Diagnostic;
use crate::span::{Span, Spanned};

/// Where the operator's name stands.
pub(super) const OP: Span = Span { start: 10, end: 20 };

/// Where the name of the `i`-th key stands.
pub(super) fn name_at(i: usize) -> Span {
    Span::from(100 * (i + 1)..100 * (i + 1) + 10)
}

/// Where the value of the `i`-th key stands.
pub(super) fn value_at(i: usize) -> Span {
    Span::from(100 * (i + 1) + 50..100 * (i + 1) + 60)
}

/// Keys, each at its place.
pub(super) fn keys(keys: &[(&str, ValueKind)]) -> Vec<Key> {
    let key = |(i, (name, kind)): (usize, &(&str, ValueKind))| Key {
        name: Spanned::new((*name).to_owned(), name_at(i)),
        value: Value {
            kind: kind.clone(),
            span: value_at(i),
            used_at: None,
        },
    };
    keys.iter().enumerate().map(key).collect()
}

/// Reads an operator as a declaration has it.
pub(super) fn read(op: &str, written: &[(&str, ValueKind)]) -> Result<Op, Vec<Diagnostic>> {
    Op::read(&Spanned::new(op.to_owned(), OP), &keys(written), Dialect::Declaration)
}

/// The only error of reading an operator: its message and its place.
pub(super) fn error(op: &str, written: &[(&str, ValueKind)]) -> (String, Span) {
    let errors = read(op, written).expect_err("there is something wrong");
    let [error] = errors.as_slice() else {
        panic!("one error expected: {errors:?}")
    };
    (
        error.message.clone(),
        error.primary.as_ref().map_or(Span::NONE, |label| label.span),
    )
}

/// The only fault of an operator's shape.
pub(super) fn fault(op: &Op, operands: &[Shape]) -> Fault {
    let faults = op.shape(operands).expect_err("there is something wrong");
    let [fault] = faults.as_slice() else {
        panic!("one fault expected: {faults:?}")
    };
    fault.clone()
}

/// A whole number as a value.
pub(super) fn int(value: i64) -> ValueKind {
    ValueKind::Integer(value)
}

/// A string as a value.
pub(super) fn text(value: &str) -> ValueKind {
    ValueKind::Text(value.to_owned())
}

/// A list of whole numbers as a value.
pub(super) fn list(values: &[i64]) -> ValueKind {
    ValueKind::List(values.iter().map(|&value| Value::unplaced(int(value))).collect())
}

/// A table as a value.
pub(super) fn table(written: &[(&str, ValueKind)]) -> ValueKind {
    ValueKind::Table(keys(written))
}

/// Any activation, with any finite parameters.
pub(super) fn activation() -> impl Strategy<Value = Activation> {
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    let finite = POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO;
    let plain: Vec<_> = activation::fused().collect();
    prop_oneof![
        (0..plain.len()).prop_map(move |i| plain[i]),
        Just(Activation::Gelu { tanh: true }),
        (finite, finite).prop_map(|(alpha, beta)| Activation::HardSigmoid { alpha, beta }),
        finite.prop_map(|alpha| Activation::LeakyRelu { alpha }),
        finite.prop_map(|alpha| Activation::Elu { alpha }),
        (finite, finite).prop_map(|(a, b)| Activation::Clip {
            min: a.min(b),
            max: a.max(b)
        }),
        Just(Activation::Clip {
            min: f32::NEG_INFINITY,
            max: f32::INFINITY
        }),
    ]
}

/// Any operator that dumps can hold.
pub(super) fn op() -> impl Strategy<Value = Op> {
    let names: Vec<_> = Op::names().iter().copied().chain(["input"]).collect();
    let drawn = (0..names.len(), any::<u64>()).prop_filter_map("attributes that go together", move |(i, seed)| {
        let mut state = seed;
        // The generator of Steele et al. (2014), SplitMix.
        let mut below = |n: usize| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) % n as u64) as usize
        };
        let sampled = sample(names[i], Dialect::Dump, &mut below);
        Op::read(&Spanned::new(names[i].to_owned(), OP), &keys(&sampled), Dialect::Dump).ok()
    });
    prop_oneof![5 => drawn, 1 => activation().prop_map(Op::Activation)]
}
