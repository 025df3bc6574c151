//! Sums, products, differences, comparisons … of several operands, element by element.

use super::attributes::Attributes;
use super::fault::sized;
use super::operator::Operator;
use super::{Activation, Arity, Fault, Meaning};
use crate::shape::Shape;

/// How elements of the operands at one place become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum CombineKind {
    /// `a + b + …`
    Add,
    /// `a · b · …`
    Mul,
    /// `a − b`
    Sub,
    /// `a / b`
    Div,
    /// The greatest.
    Max,
    /// The least.
    Min,
    /// 1 where they are equal, 0 elsewhere: a mask.
    Equal,
    /// 1 where the first is greater.
    Greater,
    /// 1 where the first is greater or equal.
    GreaterEqual,
    /// The second where the first, a mask, is not 0; the third elsewhere.
    Where,
}

/// Two or more operands, element by element. They have as many dimensions as each other, and in every axis the
/// sizes are equal, or 1: such an operand counts for every place along that axis (numpy's broadcasting).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combine {
    /// What is computed.
    pub kind: CombineKind,
    /// Applied to the result.
    pub activation: Option<Activation>,
}

impl Operator for Combine {
    fn name(&self) -> &'static str {
        match self.kind {
            CombineKind::Add => "add",
            CombineKind::Mul => "mul",
            CombineKind::Sub => "sub",
            CombineKind::Div => "div",
            CombineKind::Max => "max",
            CombineKind::Min => "min",
            CombineKind::Equal => "equal",
            CombineKind::Greater => "greater",
            CombineKind::GreaterEqual => "greater_equal",
            CombineKind::Where => "where",
        }
    }

    fn doc(&self) -> &'static str {
        match self.kind {
            CombineKind::Add => "`a + b + …`",
            CombineKind::Mul => "`a · b · …`",
            CombineKind::Sub => "`a − b`",
            CombineKind::Div => "`a / b`",
            CombineKind::Max => "the greatest of the operands",
            CombineKind::Min => "the least of the operands",
            CombineKind::Equal => "1 where `a = b`, 0 elsewhere",
            CombineKind::Greater => "1 where `a > b`, 0 elsewhere",
            CombineKind::GreaterEqual => "1 where `a ≥ b`, 0 elsewhere",
            CombineKind::Where => "`b` where the mask `a` is not 0, `c` elsewhere",
        }
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        match self.kind {
            CombineKind::Add => &["sum"],
            CombineKind::Mul => &["multiply"],
            CombineKind::Sub => &["subtract"],
            CombineKind::Div => &["divide"],
            CombineKind::Max => &["maximum"],
            CombineKind::Min => &["minimum"],
            CombineKind::Equal => &["eq"],
            CombineKind::Greater => &["gt"],
            CombineKind::GreaterEqual => &["ge", "greater_or_equal"],
            CombineKind::Where => &["select"],
        }
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.activation(&mut self.activation);
    }

    fn arity(&self) -> Arity {
        match self.kind {
            CombineKind::Add | CombineKind::Mul | CombineKind::Max | CombineKind::Min => Arity::AtLeast(2),
            CombineKind::Sub
            | CombineKind::Div
            | CombineKind::Equal
            | CombineKind::Greater
            | CombineKind::GreaterEqual => Arity::Exactly(2),
            CombineKind::Where => Arity::Exactly(3),
        }
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        together(self.name(), operands)
    }

    fn activation_slot(&mut self) -> Option<&mut Option<Activation>> {
        Some(&mut self.activation)
    }

    fn meaning(&self) -> Meaning {
        match (self.kind, self.activation) {
            (CombineKind::Equal | CombineKind::Greater | CombineKind::GreaterEqual, None) => Meaning::Mask,
            _ => Meaning::Values,
        }
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        self.activation.is_none().then_some("there is only one operand")
    }

    fn is_elementwise(&self) -> bool {
        true
    }
}

/// The shape that the operands of the operator `name` spread to.
pub(super) fn together(name: &str, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
    let mut whole = operands[0];
    for &other in &operands[1..] {
        whole = whole.broadcast(other).ok_or_else(|| misfit(name, whole, other))?;
    }
    sized(whole, "from")
}

fn misfit(name: &str, whole: Shape, other: Shape) -> Fault {
    let message = format!("`{name}` cannot bring {whole} and {other} together");
    Fault::new("from", message).note(match (whole, other) {
        (Shape::Flat(_), Shape::Flat(_)) => "vectors must have one length, or the length 1",
        (Shape::Map { .. }, Shape::Map { .. }) => {
            "along each axis sizes must be equal, or 1: [C, 1, 1] beside [C, H, W] counts for every pixel"
        }
        (Shape::Flat(_), Shape::Map { .. }) | (Shape::Map { .. }, Shape::Flat(_)) => {
            "one is a map and one a vector: a `reshape` to [C, 1, 1] makes a map of a vector"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, read};
    use super::*;

    const ADD: Op = Op::Combine(Combine {
        kind: CombineKind::Add,
        activation: None,
    });
    const MAP: Shape = Shape::map(8, 6, 5);
    const PER_CHANNEL: Shape = Shape::map(8, 1, 1);

    #[test]
    fn one_value_a_channel_spreads_over_the_map_wherever_it_stands() {
        for operands in [
            [MAP, MAP, PER_CHANNEL],
            [PER_CHANNEL, MAP, MAP],
            [MAP, PER_CHANNEL, PER_CHANNEL],
        ] {
            assert_eq!(ADD.shape(&operands), Ok(MAP));
        }
        assert_eq!(ADD.shape(&[PER_CHANNEL, PER_CHANNEL]), Ok(PER_CHANNEL));
        assert_eq!(ADD.shape(&[Shape::Flat(4), Shape::Flat(4)]), Ok(Shape::Flat(4)));
    }

    #[test]
    fn sizes_of_one_spread_along_every_axis() {
        let sub = read("sub", &[]).expect("a difference");
        for (a, b, whole) in [
            (MAP, Shape::map(1, 6, 5), MAP),
            (Shape::map(1, 1, 1), MAP, MAP),
            (Shape::map(8, 6, 1), Shape::map(1, 1, 5), MAP),
            (Shape::map(8, 1, 5), MAP, MAP),
            (Shape::Flat(1), Shape::Flat(7), Shape::Flat(7)),
        ] {
            assert_eq!(sub.shape(&[a, b]), Ok(whole));
            assert_eq!(sub.shape(&[b, a]), Ok(whole));
        }
        let large = Shape::map(1, crate::shape::MAX_DIMENSION, 1);
        let fault = fault(&ADD, &[large, Shape::map(1, 1, crate::shape::MAX_DIMENSION)]);
        assert!(fault.message.starts_with("`from` makes the result too large"));
    }

    #[test]
    fn other_shapes_do_not_mix() {
        let differing = fault(&ADD, &[Shape::map(3, 6, 6), Shape::map(3, 8, 8)]);
        assert_eq!(differing.message, "`add` cannot bring [3, 6, 6] and [3, 8, 8] together");
        assert_eq!(differing.key, Some("from"));
        for other in [Shape::map(4, 1, 1), Shape::map(8, 6, 2), Shape::Flat(8), Shape::Flat(1)] {
            assert!(fault(&ADD, &[MAP, other]).message.contains(&other.to_string()));
            assert!(ADD.shape(&[other, MAP]).is_err());
        }
        let note = &fault(&ADD, &[Shape::Flat(8), PER_CHANNEL]).notes[0];
        assert!(note.starts_with("one is a map and one a vector"), "{note}");
    }

    #[test]
    fn one_operand_is_no_sum() {
        assert_eq!(
            fault(&ADD, &[MAP]).message,
            "`add` takes at least 2 operands, but has 1"
        );
        let three = fault(&read("div", &[]).expect("a quotient"), &[MAP, MAP, MAP]);
        assert_eq!(three.message, "`div` takes 2 operands, but has 3");
    }
}
