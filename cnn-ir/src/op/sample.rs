//! Operators with random attributes, for tests: from what the attributes say of themselves.

use super::attributes::{Attribute, Kind};
use super::{Dialect, Op, activation, values};
use crate::ast::{Value, ValueKind};

/// Values for the attributes of the operator named `name`, as a declaration in `dialect` may have them: what must be
/// written, and now and then what need not. `below(n)` draws a number below `n`. Each value is possible by itself, but
/// together they may be refused, or not fit an operand.
///
/// # Panics
/// If there is no such operator.
pub fn sample(name: &str, dialect: Dialect, below: &mut dyn FnMut(usize) -> usize) -> Vec<(&'static str, ValueKind)> {
    let attributes = Op::describe(name, dialect).unwrap_or_else(|| panic!("there is no operator `{name}`"));
    let mut keys: Vec<(&'static str, ValueKind)> = Vec::new();
    for (i, attribute) in attributes.iter().enumerate() {
        // Of two that stand for each other the second is drawn if the first was not.
        let follower = attributes.get(i + 1).and_then(|next| next.instead_of);
        let needed = match attribute.instead_of {
            Some(other) if keys.iter().any(|(key, _)| *key == other) => continue,
            Some(_) => true,
            None => attribute.required && follower != Some(attribute.key),
        };
        if needed || below(2) == 0 {
            keys.push((attribute.key, value(attribute, below)));
        }
    }
    keys
}

fn value(attribute: &Attribute, below: &mut dyn FnMut(usize) -> usize) -> ValueKind {
    match &attribute.kind {
        Kind::Count => count(1, 6, below),
        Kind::Integer => ValueKind::Integer(below(9) as i64 - 4),
        Kind::Byte => count(0, 255, below),
        Kind::Pair { least } if below(2) == 0 => count(*least, *least + 3, below),
        Kind::Pair { least } => list([count(*least, *least + 3, below), count(*least, *least + 3, below)]),
        Kind::Padding if below(3) == 0 => values::text(["valid", "same"][below(2)]),
        Kind::Padding | Kind::Sides => match below(3) {
            0 => count(0, 3, below),
            1 => list([count(0, 3, below), count(0, 3, below)]),
            _ => list([0; 4].map(|least| count(least, least + 3, below))),
        },
        Kind::Shape if below(3) == 0 => list([count(1, 60, below)]),
        Kind::Shape => list([count(1, 9, below), count(1, 5, below), count(1, 5, below)]),
        Kind::Number { least, greatest } => ValueKind::Float(number(least.max(-2.0), greatest.min(2.0), below)),
        Kind::Factors if below(2) == 0 => ValueKind::Float(number(0.25, 3.0, below)),
        Kind::Factors => list([number(0.25, 3.0, below), number(0.25, 3.0, below)].map(ValueKind::Float)),
        Kind::Flag => ValueKind::Boolean(below(2) == 0),
        Kind::Word(words) => values::text(words[below(words.len())]),
        Kind::Axis => values::integer(below(3)),
        Kind::Axes => {
            let subset = 1 + below(7);
            let axes: Vec<_> = (0..3).filter(|axis| subset >> axis & 1 == 1).collect();
            values::integers(&axes)
        }
        Kind::Order => {
            let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
            values::integers(&orders[below(6)])
        }
        Kind::Activation => {
            let all: Vec<_> = activation::fused().collect();
            let name = all[below(all.len())].name();
            let keys = match name {
                // A negative exponent has no value at 0.
                "pow" => vec![("exponent", ValueKind::Float(number(0.0, 2.0, below)))],
                _ => sample(name, Dialect::Declaration, below),
            };
            values::table([vec![("op", values::text(name))], keys].concat())
        }
        Kind::Sizes => list([count(1, 9, below)]),
        Kind::Text => values::text(["bn", "features.1"][below(2)]),
        Kind::Norm => values::table(vec![
            ("weights", values::text(["bn", "features.1"][below(2)])),
            ("epsilon", ValueKind::Float(number(0.0, 1.0, below))),
        ]),
    }
}

fn count(least: usize, most: usize, below: &mut dyn FnMut(usize) -> usize) -> ValueKind {
    values::integer(least + below(most + 1 - least))
}

/// A multiple of 1/16.
fn number(least: f64, greatest: f64, below: &mut dyn FnMut(usize) -> usize) -> f64 {
    let steps = ((greatest - least) * 16.0) as usize;
    least + below(steps + 1) as f64 / 16.0
}

fn list<const N: usize>(items: [ValueKind; N]) -> ValueKind {
    ValueKind::List(items.map(Value::unplaced).into())
}
