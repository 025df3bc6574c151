//! What norms are made of: elements less their mean, over their deviation.

use super::composite::{Expansion, Value};
use super::{Activation, CombineKind, Op, Reduce, ReduceKind, WeightDecl};
use crate::shape::Shape;

/// An operator and its operands, not yet added.
type Last = (Op, Vec<Value>);

/// Sizes along the axes that `axes` names, in order.
pub(super) fn sizes(shape: Shape, axes: [bool; 3]) -> Vec<usize> {
    let dims = shape.dims().into_iter().zip(axes);
    dims.filter(|(_, named)| *named).map(|(size, _)| size).collect()
}

/// The shape with 1 along the axes that `axes` does not name.
pub(super) fn spread(shape: Shape, axes: [bool; 3]) -> Shape {
    let unnamed = (0..shape.dims().len()).filter(|&axis| !axes[axis]);
    unnamed.fold(shape, |shape, axis| shape.with_size(axis, 1).unwrap_or(shape))
}

/// `x − mean(x)` along axes.
pub(super) fn centred(x: Value, axes: [bool; 3], to: &mut Expansion<'_>) -> Value {
    let kind = ReduceKind::Mean;
    let mean = to.add("mean", Reduce { kind, axes }, &[x]);
    to.add("centred", CombineKind::Sub, &[x, mean])
}

/// `x / √(mean(x²) + epsilon)` along axes.
pub(super) fn over_deviation(x: Value, axes: [bool; 3], epsilon: f64, to: &mut Expansion<'_>) -> Last {
    let kind = ReduceKind::SumSquare;
    let squares = to.add("squares", Reduce { kind, axes }, &[x]);
    let count = x.shape.elements() / squares.shape.elements();
    let mean = Activation::Affine {
        alpha: (1.0 / count as f64) as f32,
        beta: epsilon as f32,
    };
    let variance = to.add("variance", mean, &[squares]);
    let deviation = to.add("deviation", Activation::Sqrt, &[variance]);
    (CombineKind::Div.into(), vec![x, deviation])
}

/// The learnt scale and shift that follow a norm, as far as it has them.
#[derive(Clone, Copy)]
pub(super) struct ScaleShift {
    /// Whether there is `· weight`.
    pub(super) weight: bool,
    /// Whether there is `+ bias` after it.
    pub(super) bias: bool,
}

impl ScaleShift {
    /// Its tensors, with these dimensions.
    pub(super) fn tensors(self, prefix: &str, dims: &[usize]) -> Vec<WeightDecl> {
        let roles = [("weight", self.weight), ("bias", self.bias)];
        let present = roles.iter().filter(|(_, present)| *present);
        present.map(|(role, _)| WeightDecl::new(prefix, role, dims)).collect()
    }

    /// Adds `last`, and what follows it but for the last, where tensors have this shape and are stored as `stored`.
    pub(super) fn after(self, mut last: Last, shape: Shape, stored: &[usize], to: &mut Expansion<'_>) -> Last {
        if self.weight {
            let normal = to.add("normal", last.0, &last.1);
            let weight = to.weight("weight", shape, stored);
            last = (CombineKind::Mul.into(), vec![normal, weight]);
        }
        if self.bias {
            let scaled = to.add("scaled", last.0, &last.1);
            let bias = to.weight("bias", shape, stored);
            last = (CombineKind::Add.into(), vec![scaled, bias]);
        }
        last
    }
}
