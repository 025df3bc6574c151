//! What every operator knows about itself.

use super::attributes::Attributes;
use super::{Activation, Arity, Fault, WeightDecl};
use crate::shape::Shape;
use crate::value::ElementType;

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
