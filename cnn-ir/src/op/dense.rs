//! Fully connected layers.

use super::attributes::Reader;
use super::conv::fits;
use super::fault::{sized, too_large};
use super::writer::Writer;
use super::{Activation, Fault, FoldedNorm, Operator, WeightDecl};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// `units` weighted sums of a flat input.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Outputs.
    pub units: usize,
    /// Whether a bias per unit is added.
    pub bias: bool,
    /// Applied to the result.
    pub activation: Option<Activation>,
    /// A batch norm that a pass folded into weights and bias (before the activation).
    pub norm: Option<FoldedNorm>,
}

impl Dense {
    pub(super) fn read(keys: &mut Reader<'_>) -> Dense {
        Dense {
            units: keys.count("units", None),
            bias: keys.flag("bias", true),
            activation: keys.activation(),
            norm: FoldedNorm::read(keys),
        }
    }
}

impl Operator for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        let keys = Writer::default()
            .count("units", self.units, None)
            .flag("bias", self.bias, true)
            .activation(self.activation);
        FoldedNorm::write(self.norm.as_ref(), keys).finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let Shape::Flat(n) = operands[0] else {
            let input = operands[0];
            let message =
                format!("`dense` needs a flat vector, but its input is the map {input}: put a `flatten` before it");
            let dims: Vec<_> = input.dims().iter().map(usize::to_string).collect();
            let note = format!(
                "`flatten` makes a vector of {} = {} elements of it",
                dims.join("·"),
                input.elements()
            );
            return Err(Fault::new("from", message).note(note).into());
        };
        let dims = [self.units, n];
        if !fits(&dims) {
            return Err(too_large("weights", &format!("{dims:?}"), "units").into());
        }
        sized(Shape::Flat(self.units), "units")
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        let mut weights = vec![WeightDecl::new(prefix, "weight", &[self.units, operands[0].elements()])];
        if self.bias {
            weights.push(WeightDecl::new(prefix, "bias", &[self.units]));
        }
        if let Some(norm) = &self.norm {
            weights.extend(WeightDecl::norm(&norm.weights, self.units));
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, int, read};
    use super::*;

    fn dense() -> Op {
        read("dense", &[("units", int(10))]).expect("a dense layer")
    }

    #[test]
    fn a_vector_becomes_units() {
        assert_eq!(dense().shape(&[Shape::Flat(84)]), Ok(Shape::Flat(10)));
        let weights = dense().weights("f7", &[Shape::Flat(84)]);
        assert_eq!(
            weights,
            [
                WeightDecl::new("f7", "weight", &[10, 84]),
                WeightDecl::new("f7", "bias", &[10])
            ]
        );
    }

    #[test]
    fn a_map_must_be_flattened_first() {
        let fault = fault(&dense(), &[Shape::map(3, 8, 8)]);
        assert_eq!(
            fault.message,
            "`dense` needs a flat vector, but its input is the map [3, 8, 8]: put a `flatten` before it"
        );
        assert_eq!(fault.notes, ["`flatten` makes a vector of 3·8·8 = 192 elements of it"]);
        assert_eq!(fault.key, Some("from"));
    }

    #[test]
    fn weights_that_are_too_large_are_refused() {
        let dense = read("dense", &[("units", int(i64::from(i32::MAX)))]).expect("a dense layer");
        assert_eq!(fault(&dense, &[Shape::Flat(1 << 20)]).key, Some("units"));
    }
}
