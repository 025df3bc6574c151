//! Reductions along axes: means, greatest elements …

use super::Fault;
use super::attributes::Attributes;
use super::axes::along;
use super::operator::Operator;
use crate::shape::Shape;

/// What the elements along the axes become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ReduceKind {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The greatest, NaN if one is.
    Max,
    /// The least, NaN if one is.
    Min,
    /// Their product.
    Prod,
    /// The sum of their squares.
    SumSquare,
}

/// One element of those along axes, which stay with size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reduce {
    /// Which.
    pub kind: ReduceKind,
    /// Whether it is taken over channels (or a vector), rows, columns. All three also mean all of a vector.
    pub axes: [bool; 3],
}

/// All axes, of maps and of vectors.
const ALL: [bool; 3] = [true; 3];

impl Reduce {
    /// Over all axes, the default.
    pub const fn new(kind: ReduceKind) -> Reduce {
        Reduce { kind, axes: ALL }
    }

    /// The axes, in order.
    fn named(&self) -> Vec<usize> {
        (0..3).filter(|&axis| self.axes[axis]).collect()
    }
}

impl Operator for Reduce {
    fn name(&self) -> &'static str {
        match self.kind {
            ReduceKind::Sum => "reduce_sum",
            ReduceKind::Mean => "reduce_mean",
            ReduceKind::Max => "reduce_max",
            ReduceKind::Min => "reduce_min",
            ReduceKind::Prod => "reduce_prod",
            ReduceKind::SumSquare => "reduce_sum_square",
        }
    }

    fn doc(&self) -> &'static str {
        match self.kind {
            ReduceKind::Sum => "the sum along axes",
            ReduceKind::Mean => "the mean along axes",
            ReduceKind::Max => "the greatest element along axes",
            ReduceKind::Min => "the least element along axes",
            ReduceKind::Prod => "the product along axes",
            ReduceKind::SumSquare => "`Σ x²` along axes",
        }
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        match self.kind {
            ReduceKind::Mean => &["mean"],
            ReduceKind::Max => &["amax"],
            ReduceKind::Min => &["amin"],
            ReduceKind::Prod => &["prod"],
            ReduceKind::Sum | ReduceKind::SumSquare => &[],
        }
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axes("axes", &mut self.axes);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let mut shape = operands[0];
        if let (Shape::Flat(_), ALL) = (shape, self.axes) {
            return Ok(Shape::Flat(1));
        }
        for axis in self.named() {
            along(axis, "axes", shape)?;
            shape = shape.with_size(axis, 1).unwrap_or(shape);
        }
        Ok(shape)
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        (self.kind != ReduceKind::SumSquare).then_some("there is only one element along its axes")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let dims = operands.first().map_or(Vec::new(), Shape::dims);
        let reduced: Vec<_> = self.named().into_iter().filter_map(|axis| dims.get(axis)).collect();
        let count = reduced.iter().fold(1usize, |product, &&n| product.saturating_mul(n));
        let factors: Vec<_> = reduced.iter().map(ToString::to_string).collect();
        match factors.len() {
            0 => String::new(),
            1 => format!("{count} elements become 1"),
            _ => format!("{} = {count} elements become 1", factors.join("·")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{error, fault, list, read};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 5);

    fn mean(axes: &[i64]) -> Op {
        read("reduce_mean", &[("axes", list(axes))]).expect("a mean")
    }

    #[test]
    fn reduced_axes_stay_with_size_1() {
        assert_eq!(mean(&[2, 1]).shape(&[MAP]), Ok(Shape::map(12, 1, 1)));
        assert_eq!(mean(&[2, 1]).formula(&[MAP]), "4·5 = 20 elements become 1");
        assert_eq!(mean(&[0]).shape(&[MAP]), Ok(Shape::map(1, 4, 5)));
        assert_eq!(mean(&[0]).shape(&[Shape::Flat(7)]), Ok(Shape::Flat(1)));
        let all = read("reduce_mean", &[]).expect("a mean");
        assert_eq!(
            (all.shape(&[MAP]), all.shape(&[Shape::Flat(7)])),
            (Ok(Shape::map(1, 1, 1)), Ok(Shape::Flat(1)))
        );
    }

    #[test]
    fn what_is_not_there_cannot_be_reduced() {
        assert_eq!(fault(&mean(&[0, 2]), &[Shape::Flat(7)]).key, Some("axes"));
        assert!(
            error("reduce_mean", &[("axes", list(&[]))])
                .0
                .starts_with("`axes` names no axis")
        );
    }
}
