//! Arithmetic of dimensions, axes and ranges, which operators on constants and on computed tensors share.

use crate::node::{Node, absolute_axis};
use crate::tensor::{Tensor, count};

/// Elements `start`, `start + step` … along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) count: usize,
    pub(crate) step: i64,
}

impl Range {
    pub(crate) fn is_whole(self, size: usize) -> bool {
        self.count == size && self.start == 0 && (self.step == 1 || size == 1)
    }

    /// The index of element `i` of the result.
    pub(super) fn index(self, i: usize) -> usize {
        (self.start as i64 + self.step * i as i64) as usize
    }
}

/// Python's `start:end:step` along an axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) axis: usize,
    start: i64,
    end: i64,
    step: i64,
}

impl Slice {
    /// Which elements it takes of so many.
    pub(crate) fn range(&self, size: usize) -> Result<Range, String> {
        let n = i64::try_from(size).map_err(|_| "the tensor is too large".to_owned())?;
        let from_start = |at: i64| if at < 0 { at.saturating_add(n) } else { at };
        if self.step == 0 {
            return Err("a step is 0".to_owned());
        }
        let (low, high) = if self.step > 0 { (0, n) } else { (-1, n - 1) };
        let start = from_start(self.start).clamp(low.max(0).min(high.max(0)), high.max(0));
        let end = match self.step > 0 {
            true => from_start(self.end).clamp(low, high),
            false => from_start(self.end).clamp(low, high),
        };
        let distance = if self.step > 0 { end - start } else { start - end };
        let step = self.step.checked_abs().unwrap_or(i64::MAX);
        let count = if distance > 0 {
            (distance as u64).div_ceil(step as u64) as usize
        } else {
            0
        };
        Ok(Range {
            start: start as usize,
            count: if size == 0 { 0 } else { count },
            // A single element is the same whatever the step.
            step: if count == 1 { 1 } else { self.step },
        })
    }
}

/// The parameters of Slice: attributes until opset 9, inputs from 10 on.
pub(crate) fn slices(node: &Node<'_>, rank: usize) -> Result<Vec<Slice>, String> {
    let starts = node.integers("starts", 1)?.ok_or("`starts` is missing")?;
    let ends = node.integers("ends", 2)?.ok_or("`ends` is missing")?;
    let axes = match node.integers("axes", 3)? {
        Some(axes) => axes,
        None => (0..starts.len() as i64).collect(),
    };
    let steps = match node.optional_constant(4, "`steps`")? {
        Some(steps) => steps.list()?,
        None => vec![1; starts.len()],
    };
    if [ends.len(), axes.len(), steps.len()]
        .iter()
        .any(|&length| length != starts.len())
    {
        return Err("`starts`, `ends`, `axes` and `steps` differ in length".to_owned());
    }
    (0..starts.len())
        .map(|i| {
            Ok(Slice {
                axis: absolute_axis(axes[i], rank)?,
                start: starts[i],
                end: ends[i],
                step: steps[i],
            })
        })
        .collect()
}

/// Into which sizes Split divides an axis.
pub(crate) fn split_sizes(node: &Node<'_>, size: usize) -> Result<Vec<usize>, String> {
    let outputs = node.message.output.len();
    if let Some(sizes) = node.integers("split", 1)? {
        node.attributes.ignore("num_outputs");
        let sizes = sizes
            .iter()
            .map(|&size| usize::try_from(size).map_err(|_| format!("a part has the size {size}")))
            .collect::<Result<Vec<_>, _>>()?;
        let sum = sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size));
        if sum != Some(size) || sizes.len() != outputs {
            return Err(format!(
                "parts of {sizes:?} for {outputs} outputs do not make up {size}"
            ));
        }
        return Ok(sizes);
    }
    let parts = match node.attributes.optional_int("num_outputs")? {
        Some(parts) => usize::try_from(parts).unwrap_or(0),
        None => outputs,
    };
    if parts == 0 || parts != outputs {
        return Err(format!("{parts} parts for {outputs} outputs"));
    }
    // From opset 18 on the last part may be smaller.
    let each = size.div_ceil(parts);
    let last = size.checked_sub(each.saturating_mul(parts - 1));
    match last {
        Some(last) if last == each || (node.opset >= 18 && last > 0) => {
            let mut sizes = vec![each; parts];
            sizes[parts - 1] = last;
            Ok(sizes)
        }
        _ => Err(format!("an axis of {size} cannot be divided into {parts} parts")),
    }
}

/// The dimensions that Reshape gives: 0 is the old dimension, −1 what is left.
pub(crate) fn reshaped_dims(old: &[usize], shape: &[i64], allow_zero: bool) -> Result<Vec<usize>, String> {
    let mut unknown = None;
    let mut dims = Vec::new();
    for (axis, &dim) in shape.iter().enumerate() {
        dims.push(match dim {
            -1 if unknown.replace(axis).is_some() => return Err(format!("the shape {shape:?} leaves two axes open")),
            -1 => 1,
            0 if !allow_zero => *old
                .get(axis)
                .ok_or_else(|| format!("the shape {shape:?} takes axis {axis} over from {old:?}"))?,
            dim => usize::try_from(dim).map_err(|_| format!("the shape {shape:?} has a negative number"))?,
        });
    }
    let (elements, known) = (count(old)?, count(&dims)?);
    if let Some(axis) = unknown {
        if known == 0 || !elements.is_multiple_of(known) {
            return Err(format!("{old:?} cannot become {shape:?}"));
        }
        dims[axis] = elements / known;
    } else if elements != known {
        return Err(format!("{old:?} has {elements} elements, {shape:?} has {known}"));
    }
    Ok(dims)
}

/// The two dimensions that Flatten gives.
pub(crate) fn flattened_dims(old: &[usize], axis: i64) -> Result<Vec<usize>, String> {
    let axis = match usize::try_from(axis) {
        Ok(axis) if axis == old.len() => axis,
        _ => absolute_axis(axis, old.len())?,
    };
    Ok(vec![count(&old[..axis])?, count(&old[axis..])?])
}

/// Transpose's `perm`; axes in reverse if there is none.
pub(crate) fn permutation(given: Option<&[i64]>, rank: usize) -> Result<Vec<usize>, String> {
    let Some(given) = given else {
        return Ok((0..rank).rev().collect());
    };
    let permutation: Vec<usize> = given.iter().filter_map(|&axis| usize::try_from(axis).ok()).collect();
    match given.len() == rank && permutation.len() == rank && crate::value::is_permutation(&permutation) {
        true => Ok(permutation),
        false => Err(format!("`perm` {given:?} is no permutation of {rank} axes")),
    }
}

/// Distances in memory between neighbours along each axis.
pub(super) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis].max(1);
    }
    strides
}

/// For every element of a tensor of dimensions `dims`, in row-major order, the sum of its indices times `strides`.
pub(super) fn offsets<'a>(dims: &'a [usize], strides: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let count = if dims.contains(&0) { 0 } else { dims.iter().product() };
    let mut index = vec![0usize; dims.len()];
    let mut offset = 0;
    (0..count).map(move |_| {
        let here = offset;
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            offset += strides[axis];
            if index[axis] < dims[axis] {
                break;
            }
            offset -= strides[axis] * dims[axis];
            index[axis] = 0;
        }
        here
    })
}

/// A tensor with its axes permuted: axis `i` of the result is axis `permutation[i]`.
pub(crate) fn transposed(tensor: &Tensor, permutation: &[usize]) -> Tensor {
    if permutation.is_sorted() {
        return tensor.clone();
    }
    let dims: Vec<usize> = permutation.iter().map(|&axis| tensor.dims[axis]).collect();
    if tensor.is_uniform() {
        return Tensor::uniform(dims, tensor);
    }
    let strides = strides(&tensor.dims);
    let steps: Vec<usize> = permutation.iter().map(|&axis| strides[axis]).collect();
    tensor.picked(dims.clone(), offsets(&dims, &steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: i64, end: i64, step: i64, size: usize) -> Vec<usize> {
        let slice = Slice {
            axis: 0,
            start,
            end,
            step,
        };
        let range = slice.range(size).unwrap();
        (0..range.count).map(|i| range.index(i)).collect()
    }

    #[test]
    fn slices_are_pythons() {
        assert_eq!(range(1, 4, 1, 5), [1, 2, 3]);
        assert_eq!(range(-2, i64::MAX, 1, 5), [3, 4]);
        assert_eq!(range(0, -1, 2, 5), [0, 2]);
        assert_eq!(range(4, i64::MIN, -1, 5), [4, 3, 2, 1, 0]);
        assert_eq!(range(20, 0, -2, 5), [4, 2]);
        assert_eq!(range(3, 1, 1, 5), [0; 0]);
        assert_eq!(range(1000, 2000, 1, 5), [0; 0]);
        assert_eq!(range(0, 5, 1, 0), [0; 0]);
        assert_eq!(range(i64::MIN, i64::MAX, i64::MAX, 3), [0]);
    }

    #[test]
    fn shapes_are_completed() {
        assert_eq!(reshaped_dims(&[2, 3, 4], &[0, -1], false), Ok(vec![2, 12]));
        assert_eq!(reshaped_dims(&[2, 3, 4], &[4, 6], false), Ok(vec![4, 6]));
        for wrong in [&[-1, -1][..], &[5, -1], &[25], &[-2], &[2, 3, 4, 0]] {
            assert!(reshaped_dims(&[2, 3, 4], wrong, false).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn elements_are_found_by_strides() {
        let tensor = Tensor::from_integers(vec![2, 3], &[0, 1, 2, 3, 4, 5]);
        let turned = transposed(&tensor, &[1, 0]);
        assert_eq!(
            (turned.dims.as_slice(), turned.integers().unwrap()),
            (&[3, 2][..], vec![0, 3, 1, 4, 2, 5])
        );
    }
}
