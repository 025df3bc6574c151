//! Fully connected layers.

use super::attributes::Attributes;
use super::conv::{count, fits};
use super::fault::{sized, too_large};
use super::operator::Operator;
use super::{Activation, Fault, FoldedNorm, Meaning, WeightDecl};
use crate::shape::Shape;

/// `units` weighted sums of a flat input.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Outputs.
    pub units: usize,
    /// Whether a bias per unit is added.
    pub bias: bool,
    /// Whether its weights are 8-bit integers times a scale for each unit, `weight_scale`.
    pub quantized: bool,
    /// Applied to the result.
    pub activation: Option<Activation>,
    /// A batch norm that a pass folded into weights and bias (before the activation).
    pub norm: Option<FoldedNorm>,
}

impl Default for Dense {
    fn default() -> Self {
        Dense {
            units: 1,
            bias: true,
            quantized: false,
            activation: None,
            norm: None,
        }
    }
}

impl Operator for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn doc(&self) -> &'static str {
        "`units` weighted sums of a vector"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["linear", "fully_connected", "fc"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("units", &mut self.units, None);
        a.flag("bias", &mut self.bias, true);
        a.flag("quantized", &mut self.quantized, false)
            .doc("weights are 8-bit integers times `weight_scale`");
        a.activation(&mut self.activation);
        a.folded_norm(&mut self.norm);
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
        if self.quantized {
            weights.push(WeightDecl::new(prefix, "weight_scale", &[self.units]));
        }
        if self.bias {
            weights.push(WeightDecl::new(prefix, "bias", &[self.units]));
        }
        if let Some(norm) = &self.norm {
            weights.extend(WeightDecl::norm(&norm.weights, self.units));
        }
        weights
    }

    fn weights_doc(&self) -> &'static str {
        "`weight [units, N]`, `bias [units]`"
    }

    fn multiplications(&self, operands: &[Shape], _: Shape) -> Option<(u128, String)> {
        let inputs = operands[0].elements();
        Some((count(&[inputs, self.units]), format!("{inputs}×{}", self.units)))
    }

    fn activation_slot(&mut self) -> Option<&mut Option<Activation>> {
        Some(&mut self.activation)
    }

    fn meaning(&self) -> Meaning {
        match self.activation {
            None => Meaning::Scores,
            Some(_) => Meaning::Values,
        }
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
