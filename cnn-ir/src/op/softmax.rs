//! Softmax and log-softmax.

use super::attributes::Attributes;
use super::axes::along;
use super::operator::Operator;
use super::{Fault, Meaning};
use crate::shape::Shape;

/// `e^x / Σ e^x`, the sum along an axis: over the channels of each pixel, over a vector …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// Its logarithm instead.
    pub log: bool,
    /// 0 channels (or a vector's only axis), 1 rows, 2 columns.
    pub axis: usize,
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn doc(&self) -> &'static str {
        if self.log {
            "`ln(e^x / Σ e^x)` along an axis"
        } else {
            "`e^x / Σ e^x` along an axis"
        }
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axis("axis", &mut self.axis, Some(0));
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        along(self.axis, "axis", operands[0])?;
        Ok(operands[0])
    }

    fn meaning(&self) -> Meaning {
        if self.log {
            Meaning::LogProbabilities
        } else {
            Meaning::Probabilities
        }
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
