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
