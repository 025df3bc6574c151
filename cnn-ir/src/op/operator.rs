//! What every operator knows about itself.

use super::attributes::Attributes;
use super::{Activation, Arity, Fault, Meaning, WeightDecl};
use crate::shape::Shape;
use crate::value::ElementType;

/// What an operator computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Real numbers.
    Floats,
    /// 8-bit integers.
    Integers,
    /// Either, all operands of one type: it only moves or compares elements.
    Either,
}

impl Takes {
    /// What is wrong with operands of these types.
    pub(super) fn check(self, op: &str, operands: &[ElementType]) -> Result<(), Fault> {
        let floats = |element: &ElementType| *element == ElementType::F32;
        match self {
            Takes::Floats if !operands.iter().all(floats) => Err(Fault::new(
                "from",
                format!("`{op}` computes with real numbers, but its operand holds 8-bit integers"),
            )
            .note("put a `dequantize` before it")),
            Takes::Integers if operands.iter().any(floats) => Err(Fault::new(
                "from",
                format!("`{op}` computes with 8-bit integers, but its operand holds real numbers"),
            )
            .note("put a `quantize` before it")),
            Takes::Either if operands.windows(2).any(|pair| pair[0] != pair[1]) => Err(Fault::new(
                "from",
                format!("the operands of `{op}` hold integers of different scales or zero points, or not all integers"),
            )
            .note("give each a `dequantize`, and one `quantize` to the result")),
            Takes::Floats | Takes::Integers | Takes::Either => Ok(()),
        }
    }
}

/// What every operator knows about itself. Operands are as many as [`Operator::arity`] says, each of a size that can be
/// computed with.
pub(crate) trait Operator {
    /// The word for it in a declaration.
    fn name(&self) -> &'static str;

    /// What it computes, for the documentation: a formula or a sentence, and its source.
    fn doc(&self) -> &'static str;

    /// What other frameworks call it, in lower case.
    fn called_elsewhere(&self) -> &'static [&'static str] {
        &[]
    }

    /// Shows its attributes, each field with its key, type and default, in the order of the documentation.
    fn attributes(&mut self, _: &mut Attributes<'_, '_>) {}

    /// How many operands it takes.
    fn arity(&self) -> Arity {
        Arity::Exactly(1)
    }

    /// The shape of its result: that of its operand, if nothing else is said.
    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        Ok(operands[0])
    }

    /// What it computes with: real numbers, if nothing else is said.
    fn takes(&self) -> Takes {
        Takes::Floats
    }

    /// What the elements of its result are: what those of its first operand are, if nothing else is said.
    fn element(&self, operands: &[ElementType]) -> ElementType {
        operands[0]
    }

    /// How that shape comes about.
    fn formula(&self, _operands: &[Shape]) -> String {
        String::new()
    }

    /// The weights it needs.
    fn weights(&self, _prefix: &str, _operands: &[Shape]) -> Vec<WeightDecl> {
        Vec::new()
    }

    /// The weights as the documentation has them.
    fn weights_doc(&self) -> &'static str {
        ""
    }

    /// Multiplications for one image, and the product that they come from; `None` where the field counts none.
    fn multiplications(&self, _operands: &[Shape], _result: Shape) -> Option<(u128, String)> {
        None
    }

    /// Where it carries the activation that it applies to its result, if it can.
    fn activation_slot(&mut self) -> Option<&mut Option<Activation>> {
        None
    }

    /// Why its result is its only operand, of shape `x`, given that both have this shape; `None` if it may differ.
    fn does_nothing(&self, _x: Shape) -> Option<&'static str> {
        None
    }

    /// What the numbers of its result are, if the operator tells.
    fn meaning(&self) -> Meaning {
        Meaning::Values
    }

    /// Whether each element of the result is one of the first operand's, wherever it stood.
    fn moves_elements(&self) -> bool {
        self.keeps_elements()
    }

    /// Whether each element of the result depends only on the elements at its own place, so that it can be written
    /// over an operand.
    fn is_elementwise(&self) -> bool {
        false
    }

    /// Whether the result is the operand's elements in their order, perhaps under another shape.
    fn keeps_elements(&self) -> bool {
        false
    }
}
