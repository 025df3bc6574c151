//! Where along an axis the greatest or least element is.

use super::attributes::Attributes;
use super::axes::along;
use super::operator::Operator;
use super::{Fault, Meaning};
use crate::shape::Shape;

/// Places along an axis are whole numbers that single precision holds exactly.
pub(super) const MOST_PLACES: usize = 1 << 24;

/// The place of the greatest or least element along an axis, which stays with size 1. NaN is greater and less than
/// all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgExtreme {
    /// Whether of the least.
    pub least: bool,
    /// 0 channels (or a vector's only axis), 1 rows, 2 columns.
    pub axis: usize,
    /// Whether of several equal ones the last, instead of the first.
    pub last: bool,
}

impl ArgExtreme {
    /// Along channels.
    pub const fn new(least: bool) -> ArgExtreme {
        ArgExtreme {
            least,
            axis: 0,
            last: false,
        }
    }
}

/// The size along an axis whose places are counted.
pub(super) fn counted(axis: usize, shape: Shape) -> Result<usize, Fault> {
    let n = along(axis, "axis", shape)?;
    match n <= MOST_PLACES {
        true => Ok(n),
        false => Err(Fault::new(
            "axis",
            format!("places are counted up to {MOST_PLACES}, but the axis has {n}"),
        )),
    }
}

impl Operator for ArgExtreme {
    fn name(&self) -> &'static str {
        if self.least { "arg_min" } else { "arg_max" }
    }

    fn doc(&self) -> &'static str {
        if self.least {
            "the place along an axis of the least element; the axis stays with size 1"
        } else {
            "the place along an axis of the greatest element (the class of each pixel); the axis stays with size 1"
        }
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        if self.least { &["argmin"] } else { &["argmax"] }
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axis("axis", &mut self.axis, Some(0));
        a.flag("last", &mut self.last, false)
            .doc("of equal ones the last, not the first");
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        counted(self.axis, operands[0])?;
        Ok(operands[0].with_size(self.axis, 1).unwrap_or(operands[0]))
    }

    fn formula(&self, operands: &[Shape]) -> String {
        match operands.first().map(|&shape| along(self.axis, "axis", shape)) {
            Some(Ok(n)) => format!("0 … {}", n.saturating_sub(1)),
            Some(Err(_)) | None => String::new(),
        }
    }

    fn meaning(&self) -> Meaning {
        Meaning::Indices
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, int, read};
    use super::*;

    #[test]
    fn the_axis_stays_with_size_1() {
        let op = read("arg_max", &[("axis", int(1))]).expect("an operator");
        assert_eq!(op.shape(&[Shape::map(3, 4, 5)]), Ok(Shape::map(3, 1, 5)));
        assert_eq!(op.formula(&[Shape::map(3, 4, 5)]), "0 … 3");
        assert_eq!(op.meaning(), Meaning::Indices);
        assert_eq!(fault(&op, &[Shape::Flat(3)]).key, Some("axis"));
        let many = fault(
            &read("arg_min", &[]).expect("an operator"),
            &[Shape::Flat(MOST_PLACES + 1)],
        );
        assert_eq!(
            many.message,
            "places are counted up to 16777216, but the axis has 16777217"
        );
    }
}
