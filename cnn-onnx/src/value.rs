//! How an ONNX tensor lies in what a layer gives: dimensions, their order, and the shape they have in the network.
//!
//! A layer gives `[C, H, W]` or `[N]` for each image. An ONNX tensor has any number of axes in any order. Instead of
//! moving elements at every `Transpose` and `Reshape`, a [`Value`] remembers how its axes lie, and layers that move
//! elements are made only where an operator needs them elsewhere. So the transposes around every layer of a
//! graph with channels last cancel.

use cnn_ir::op::Meaning;
use cnn_ir::shape::Shape;
use cnn_ir::value::{ElementType, ValueType};

use crate::tensor::Tensor;

/// What a layer (or an input) of the network gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Data {
    pub(crate) layer: String,
    pub(crate) shape: Shape,
    pub(crate) element: ElementType,
    pub(crate) meaning: Meaning,
}

impl Data {
    /// Its shape, and what its elements are.
    pub(crate) fn value_type(&self) -> ValueType {
        ValueType {
            element: self.element,
            shape: self.shape,
        }
    }
}

/// An ONNX tensor that the network computes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    /// Where it lies. Its elements, in row-major order, are those of the tensor with its axes in `order`.
    pub(crate) data: Data,
    /// The tensor's dimensions; without the batch if the network has one.
    pub(crate) dims: Vec<usize>,
    /// `order[i]` is the axis of `dims` that is `i`th in memory.
    pub(crate) order: Vec<usize>,
}

/// What is known of a name in the ONNX graph.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    Constant(Tensor),
    Value(Value),
    /// It depends on something that could not be imported.
    Lost,
}

/// A shape of the network for a tensor's dimensions in memory order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) shape: Shape,
    /// For each dimension its axis in `shape`; `None` for ones that are left out.
    pub(crate) axes: Vec<Option<usize>>,
}

/// `[n]` is a vector, `[c, l]` the map `[c, 1, l]`, `[c, h, w]` a map. What has more axes is one of these if so many of
/// them are 1; the first are left out.
pub(crate) fn frame(dims: &[usize]) -> Option<Frame> {
    let mut too_many = dims.len().saturating_sub(3);
    let mut kept = Vec::new();
    for (axis, &dim) in dims.iter().enumerate() {
        match dim {
            1 if too_many > 0 => too_many -= 1,
            _ => kept.push((axis, dim)),
        }
    }
    let (shape, places): (_, &[usize]) = match *kept {
        [] => (Shape::Flat(1), &[]),
        [(_, n)] => (Shape::Flat(n), &[0]),
        [(_, c), (_, l)] => (Shape::map(c, 1, l), &[0, 2]),
        [(_, c), (_, h), (_, w)] => (Shape::map(c, h, w), &[0, 1, 2]),
        _ => return None,
    };
    let mut axes = vec![None; dims.len()];
    for ((axis, _), &place) in kept.iter().zip(places) {
        axes[*axis] = Some(place);
    }
    Some(Frame { shape, axes })
}

/// The order in which nothing is moved.
pub(crate) fn identity(rank: usize) -> Vec<usize> {
    (0..rank).collect()
}

/// The positions of a permutation's numbers.
pub(crate) fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    for (position, &axis) in order.iter().enumerate() {
        inverse[axis] = position;
    }
    inverse
}

/// Whether the numbers are a permutation of 0 … n − 1.
pub(crate) fn is_permutation(order: &[usize]) -> bool {
    let mut seen = vec![false; order.len()];
    order
        .iter()
        .all(|&axis| seen.get_mut(axis).is_some_and(|seen| !std::mem::replace(seen, true)))
}

impl Value {
    /// A tensor whose axes lie as they are numbered.
    pub(crate) fn plain(data: Data, dims: Vec<usize>) -> Value {
        let order = identity(dims.len());
        Value { data, dims, order }
    }

    /// The same tensor after a layer that left its form alone.
    pub(crate) fn through(&self, data: Data) -> Value {
        Value { data, ..self.clone() }
    }

    /// The dimensions as they lie in memory.
    pub(crate) fn in_memory(&self) -> Vec<usize> {
        self.order.iter().map(|&axis| self.dims[axis]).collect()
    }

    /// The tensor with its axes permuted: axis `i` of the result is axis `permutation[i]`.
    pub(crate) fn transposed(&self, permutation: &[usize]) -> Value {
        let renamed = inverse(permutation);
        Value {
            data: self.data.clone(),
            dims: permutation.iter().map(|&axis| self.dims[axis]).collect(),
            order: self.order.iter().map(|&axis| renamed[axis]).collect(),
        }
    }

    /// The tensor with axes of size 1 inserted so that they have these numbers (ascending) in the result.
    pub(crate) fn unsqueezed(&self, new: &[usize]) -> Value {
        let mut value = self.clone();
        for &axis in new {
            value
                .order
                .iter_mut()
                .filter(|old| **old >= axis)
                .for_each(|old| *old += 1);
            value.dims.insert(axis, 1);
            value.order.insert(axis, axis);
        }
        value
    }

    /// The tensor with several axes in the place of one, of as many elements; it goes if there are none.
    pub(crate) fn split(&self, axis: usize, into: &[usize]) -> Value {
        let renamed = |old: usize| if old > axis { old + into.len() - 1 } else { old };
        let order = self.order.iter().flat_map(|&old| match old == axis {
            true => axis..axis + into.len(),
            false => renamed(old)..renamed(old) + 1,
        });
        Value {
            data: self.data.clone(),
            dims: [&self.dims[..axis], into, &self.dims[axis + 1..]].concat(),
            order: order.collect(),
        }
    }

    /// The tensor without these axes (ascending), each of size 1.
    pub(crate) fn squeezed(&self, gone: &[usize]) -> Value {
        let mut value = self.clone();
        for &axis in gone.iter().rev() {
            value.dims.remove(axis);
            value.order.retain(|&old| old != axis);
            value
                .order
                .iter_mut()
                .filter(|old| **old > axis)
                .for_each(|old| *old -= 1);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(dims: &[usize]) -> Value {
        let data = Data {
            layer: "x".into(),
            shape: Shape::Flat(dims.iter().product()),
            element: ElementType::F32,
            meaning: Meaning::Values,
        };
        Value::plain(data, dims.to_vec())
    }

    #[test]
    fn frames_leave_out_ones() {
        let of = |dims: &[usize]| frame(dims).map(|frame| (frame.shape.dims(), frame.axes));
        assert_eq!(of(&[7]), Some((vec![7], vec![Some(0)])));
        assert_eq!(of(&[3, 5]), Some((vec![3, 1, 5], vec![Some(0), Some(2)])));
        assert_eq!(
            of(&[1, 1, 3, 4, 5]),
            Some((vec![3, 4, 5], vec![None, None, Some(0), Some(1), Some(2)]))
        );
        assert_eq!(
            of(&[2, 1, 4, 1]),
            Some((vec![2, 4, 1], vec![Some(0), None, Some(1), Some(2)]))
        );
        assert_eq!(of(&[2, 3, 4, 5]), None);
    }

    #[test]
    fn transposes_there_and_back_cancel() {
        let image = value(&[4, 5, 3]);
        let first = image.transposed(&[2, 0, 1]);
        assert_eq!(
            (first.dims.as_slice(), first.order.as_slice()),
            (&[3, 4, 5][..], &[1, 2, 0][..])
        );
        assert_eq!(first.in_memory(), [4, 5, 3]);
        assert_eq!(first.transposed(&[1, 2, 0]), image);
    }

    #[test]
    fn an_axis_becomes_several_where_it_lies() {
        let turned = value(&[3, 6, 5]).transposed(&[2, 0, 1]);
        let split = turned.split(2, &[2, 3]);
        assert_eq!((&*split.dims, split.in_memory()), (&[5, 3, 2, 3][..], vec![3, 2, 3, 5]));
        assert_eq!(value(&[3, 1, 5]).split(1, &[]), value(&[3, 1, 5]).squeezed(&[1]));
    }

    #[test]
    fn axes_of_size_one_come_and_go() {
        let image = value(&[3, 5]).transposed(&[1, 0]);
        let more = image.unsqueezed(&[0, 2]);
        assert_eq!(more.dims, [1, 5, 1, 3]);
        assert!(is_permutation(&more.order));
        assert_eq!(
            more.in_memory().iter().filter(|&&dim| dim != 1).collect::<Vec<_>>(),
            [&3, &5]
        );
        assert_eq!(more.squeezed(&[0, 2]), image);
        assert_eq!(value(&[3, 5]).unsqueezed(&[1]).order, [0, 1, 2]);
    }
}
