//! What can be named inside a block: its input, its layers, and layers of blocks among them.

use std::collections::HashMap;

use crate::ast::BlockDecl;
use crate::op::Op;

/// The names that a block's layers may have as operands.
#[derive(Debug)]
pub(super) struct Inner<'a> {
    input: &'a str,
    /// Each layer, and whether it is an instance with layers of its own.
    layers: HashMap<&'a str, bool>,
}

impl<'a> Inner<'a> {
    pub(super) fn of(block: &'a BlockDecl) -> Inner<'a> {
        let is_instance = |op: &str| !Op::names().contains(&op);
        let layers = block.layers.iter();
        Inner {
            input: &block.input,
            layers: layers
                .map(|layer| (layer.name.value.as_str(), is_instance(&layer.op.value)))
                .collect(),
        }
    }

    /// Whether the input, a layer of the block, or a layer of a block within names this operand.
    pub(super) fn holds(&self, operand: &str) -> bool {
        // Names have dots of their own; more than these only names made to be looked up for ever have.
        const MOST_DOTS: usize = 64;
        let mut instances = operand
            .match_indices('.')
            .take(MOST_DOTS)
            .map(|(dot, _)| &operand[..dot]);
        operand == self.input
            || self.layers.contains_key(operand)
            || instances.any(|name| self.layers.get(name) == Some(&true))
    }
}
