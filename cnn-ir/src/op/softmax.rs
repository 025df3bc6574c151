//! Softmax and log-softmax.

use super::attributes::Reader;
use super::axes::along;
use super::writer::Writer;
use super::{Fault, Operator};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// `e^x / Σ e^x`, the sum along an axis: over the channels of each pixel, over a vector …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// Its logarithm instead.
    pub log: bool,
    /// 0 channels (or a vector's only axis), 1 rows, 2 columns.
    pub axis: usize,
}

impl Softmax {
    pub(super) fn read(log: bool, keys: &mut Reader<'_>) -> Softmax {
        let axis = keys.axis("axis", Some(0));
        Softmax { log, axis }
    }
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default().count("axis", self.axis, Some(0)).finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        along(self.axis, "axis", operands[0])?;
        Ok(operands[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, int, read};
    use super::*;

    #[test]
    fn maps_and_vectors_keep_their_shape() {
        let softmax = Op::Softmax(Softmax { log: true, axis: 0 });
        assert_eq!(read("log_softmax", &[]), Ok(softmax.clone()));
        for shape in [Shape::map(3, 10, 12), Shape::Flat(10)] {
            assert_eq!(softmax.shape(&[shape]), Ok(shape));
        }
    }

    #[test]
    fn a_vector_has_one_axis() {
        let softmax = read("softmax", &[("axis", int(2))]).expect("a softmax over columns");
        assert_eq!(softmax.shape(&[Shape::map(3, 10, 12)]), Ok(Shape::map(3, 10, 12)));
        let fault = fault(&softmax, &[Shape::Flat(10)]);
        assert_eq!(
            (fault.key, fault.message.as_str()),
            (Some("axis"), "`axis` 2 is not an axis of the vector [10]")
        );
    }
}
