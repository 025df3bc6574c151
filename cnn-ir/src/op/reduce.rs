//! Means along axes.

use super::attributes::Reader;
use super::axes::along;
use super::writer::{Writer, integers};
use super::{Fault, Operator};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// The mean over axes, which stay with size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReduceMean {
    /// Whether it is taken over channels (or a vector), rows, columns. All three also mean all of a vector.
    pub axes: [bool; 3],
}

impl ReduceMean {
    const ALL: ReduceMean = ReduceMean { axes: [true; 3] };

    pub(super) fn read(keys: &mut Reader<'_>) -> ReduceMean {
        let Some(value) = keys.value("axes", false) else {
            return ReduceMean::ALL;
        };
        match keys.axes("axes", value) {
            Some(axes) if axes.is_empty() => {
                let message = "`axes` names no axis: leave it out for the mean of everything".to_owned();
                keys.error("axes", value, value, message);
                ReduceMean::ALL
            }
            Some(named) => ReduceMean {
                axes: [0, 1, 2].map(|axis| named.contains(&axis)),
            },
            None => ReduceMean::ALL,
        }
    }

    /// The axes, in order.
    fn named(&self) -> Vec<usize> {
        (0..3).filter(|&axis| self.axes[axis]).collect()
    }
}

impl Operator for ReduceMean {
    fn name(&self) -> &'static str {
        "reduce_mean"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        if *self == ReduceMean::ALL {
            return Vec::new();
        }
        Writer::default().value("axes", integers(&self.named())).finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let mut shape = operands[0];
        if let (Shape::Flat(_), ReduceMean::ALL) = (shape, *self) {
            return Ok(Shape::Flat(1));
        }
        for axis in self.named() {
            along(axis, "axes", shape)?;
            shape = shape.with_size(axis, 1).unwrap_or(shape);
        }
        Ok(shape)
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
