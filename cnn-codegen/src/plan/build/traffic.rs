//! What a step moves: the bytes that memory would see if no cache held anything.

use cnn_ir::shape::Shape;

use super::draft::Draft;
use crate::plan::convolution::Kernel;
use crate::plan::data::{Access, Constants, View, Work};

/// Bytes of a step's weights once, and of its operands and result for all images of the batch. Halos, and what a
/// kernel needs for itself, are not counted.
pub(super) fn bytes(constants: &Constants, kernel: &Kernel, batch: usize) -> u64 {
    let weights = kernel.work.constants().into_iter();
    let weights: u64 = weights.map(|constant| constants.floats(constant) as u64).sum();
    let moved = kernel.moved.saturating_mul(batch as u64);
    weights.saturating_add(moved).saturating_mul(size_of::<f32>() as u64)
}

/// Elements that a step reads and writes for one image.
pub(super) fn moved(buffers: &[Draft], work: &Work) -> u64 {
    let elements = |shape: Shape| shape.elements() as u64;
    let sum = |views: &[View]| views.iter().map(|view| elements(view.shape)).sum::<u64>();
    match work {
        // What is read is written, and the border.
        Work::Copy(copy) if copy.border.is_some() => sum(&[copy.from, copy.to]),
        Work::Copy(copy) => 2 * elements(copy.from.shape),
        Work::ClearHalo(buffer) => {
            let buffer = &buffers[buffer.0];
            buffer.strides.image as u64 - elements(buffer.shape)
        }
        // Counted in floats, as everything is.
        Work::Integer(work) => {
            let views = [Some(work.input), work.other, Some(work.output)].into_iter().flatten();
            let bytes = |view: View| elements(view.shape) * buffers[view.buffer.0].element.bytes() as u64;
            views.map(bytes).sum::<u64>().div_ceil(size_of::<f32>() as u64)
        }
        Work::Gather(gather) => gather.from.view().map_or(1, |_| 2) * elements(gather.to.shape),
        Work::Sweep(_)
        | Work::Winograd(_)
        | Work::Elementwise(_)
        | Work::Pool(_)
        | Work::GlobalPool { .. }
        | Work::AdaptiveAvgPool { .. }
        | Work::Softmax { .. }
        | Work::Lrn { .. }
        | Work::Interpolate(_)
        | Work::Matmul { .. }
        | Work::Along(_)
        | Work::Recurrent(_)
        | Work::Reduce { .. } => {
            let (reads, writes) = work.accesses();
            let shape = |access: Access| match access {
                Access::View(view) => view.shape,
                Access::Buffer(buffer) => buffers[buffer.0].shape,
            };
            reads
                .into_iter()
                .chain([writes])
                .map(|access| elements(shape(access)))
                .sum()
        }
    }
}
