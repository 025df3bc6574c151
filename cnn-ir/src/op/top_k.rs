//! The greatest or least few elements along an axis.

use super::arg_extreme::counted;
use super::attributes::Attributes;
use super::operator::Operator;
use super::{Fault, Meaning};
use crate::shape::Shape;

/// The `k` greatest (or least) elements along an axis, the first of them first; of equal ones the one that comes first
/// in the operand. NaN is greater than all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopK {
    /// How many.
    pub k: usize,
    /// 0 channels (or a vector's only axis), 1 rows, 2 columns.
    pub axis: usize,
    /// Whether the greatest.
    pub largest: bool,
    /// Whether their places, instead of themselves.
    pub indices: bool,
}

impl Default for TopK {
    fn default() -> Self {
        TopK {
            k: 1,
            axis: 0,
            largest: true,
            indices: false,
        }
    }
}

impl Operator for TopK {
    fn name(&self) -> &'static str {
        "top_k"
    }

    fn doc(&self) -> &'static str {
        "the `k` greatest elements along an axis, in order; of equal ones those that come first"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["topk"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("k", &mut self.k, None);
        a.axis("axis", &mut self.axis, Some(0));
        a.flag("largest", &mut self.largest, true).doc("else the least");
        a.flag("indices", &mut self.indices, false)
            .doc("their places, not themselves");
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let n = counted(self.axis, operands[0])?;
        if self.k > n {
            let message = format!("`k` is {}, but there are only {n} along the axis", self.k);
            return Err(Fault::new("k", message).into());
        }
        Ok(operands[0].with_size(self.axis, self.k).unwrap_or(operands[0]))
    }

    fn formula(&self, operands: &[Shape]) -> String {
        match operands.first().map(|&shape| counted(self.axis, shape)) {
            Some(Ok(n)) => format!("{} of {n}", self.k),
            Some(Err(_)) | None => String::new(),
        }
    }

    fn meaning(&self) -> Meaning {
        if self.indices {
            Meaning::Indices
        } else {
            Meaning::Values
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, fault, int, read};
    use super::*;

    #[test]
    fn there_must_be_so_many() {
        let op = read("top_k", &[("k", int(3)), ("axis", int(2))]).expect("an operator");
        assert_eq!(op.shape(&[Shape::map(2, 4, 5)]), Ok(Shape::map(2, 4, 3)));
        assert_eq!(op.formula(&[Shape::map(2, 4, 5)]), "3 of 5");
        let few = fault(&op, &[Shape::map(2, 4, 2)]);
        assert_eq!(
            (few.key, &*few.message),
            (Some("k"), "`k` is 3, but there are only 2 along the axis")
        );
        assert!(error("top_k", &[]).0.contains("`k`"));
    }
}
