//! Softmax and log-softmax.

use super::{Fault, Operator};
use crate::shape::Shape;

/// `e^x / Σ e^x` over the channels of each pixel, or over a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// Its logarithm instead.
    pub log: bool,
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        Ok(operands[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::read;
    use super::*;

    #[test]
    fn maps_and_vectors_keep_their_shape() {
        assert_eq!(read("log_softmax", &[]), Ok(Op::Softmax(Softmax { log: true })));
        for shape in [Shape::map(3, 10, 12), Shape::Flat(10)] {
            assert_eq!(Op::Softmax(Softmax { log: false }).shape(&[shape]), Ok(shape));
        }
    }
}
