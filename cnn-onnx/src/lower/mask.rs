//! Comparisons, logic of masks, choices. A mask is a value of ones and zeros.

use super::combine::combined;
use crate::network::{Keys, number};
use crate::node::{Node, Outputs};
use crate::tensor::Tensor;
use crate::value::Known;

/// Two operands, of which either may be a constant.
pub(super) fn compare(node: &mut Node<'_>, op: &str) -> Outputs {
    let operands = [node.input(0)?.clone(), node.input(1)?.clone()];
    combined(node, op, &operands)
}

/// `Where`: a condition, what is taken where it holds, what elsewhere.
pub(super) fn choose(node: &mut Node<'_>) -> Outputs {
    let operands = [0, 1, 2].map(|input| node.input(input).cloned());
    let [condition, then, otherwise] = operands;
    combined(node, "where", &[condition?, then?, otherwise?])
}

/// One value for each class: 1 where an index is the class's, 0 elsewhere; or the two other numbers that are given.
pub(super) fn one_hot(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let depth = node.constant(1, "the depth")?.scalar()?;
    let depth = super::window::size("depth", depth as i64, 1)?;
    let [off, on] = match *node.constant(2, "the values")?.few_doubles()? {
        [off, on] => [off as f32, on as f32],
        ref other => return Err(format!("has {} values; off and on are two", other.len())),
    };
    let rank = value.dims.len() + node.outside() + 1;
    let axis = crate::node::absolute_axis(node.attributes.int("axis", -1)?, rank)?;
    let axis = axis
        .checked_sub(node.outside())
        .ok_or("puts the classes before the batch")?;
    let value = value.unsqueezed(&[axis]);
    node.network.spend(&[2, depth])?;
    let classes = |first: i64| {
        let numbers = (0..depth as i64).map(|class| (first + class) as f32).collect();
        let mut dims = vec![1; rank];
        dims[axis + node.outside()] = depth;
        Tensor::from_floats(dims, numbers)
    };
    let (own, from_end) = (classes(0), classes(-(depth as i64)));
    let equal = |node: &mut Node<'_>, classes: Tensor| {
        super::combine::joined(node, "equal", &[Known::Value(value.clone()), Known::Constant(classes)])
    };
    // Indices below 0 count from the end.
    let (own, from_end) = (equal(node, own)?, equal(node, from_end)?);
    let plain = (off, on) == (0.0, 1.0);
    let masks = [Known::Value(own), Known::Value(from_end)];
    if plain {
        return combined(node, "or", &masks);
    }
    let mask = super::combine::joined(node, "or", &masks)?;
    let keys: Keys = vec![("alpha", number(on - off)), ("beta", number(off))];
    let data = node.layer("affine", keys, &[&mask.data], Vec::new())?;
    Ok(vec![Known::Value(mask.through(data))])
}
