//! What a step moves: the bytes that memory would see if no cache held anything.

use cnn_ir::graph::NodeId;
use cnn_ir::shape::Shape;

use super::build::Builder;
use super::{Access, View, Work};

const FLOAT: u64 = size_of::<f32>() as u64;

impl Builder<'_> {
    /// Bytes of a step's weights once, and of its operands and result for all images of the batch. Halos, and what a
    /// kernel needs for itself, are not counted.
    pub(super) fn traffic(&self, id: NodeId, work: &Work) -> u64 {
        let elements = |shape: Shape| shape.elements() as u64;
        let sum = |views: &[View]| views.iter().map(|view| elements(view.shape)).sum::<u64>();
        let moved = match work {
            Work::Sweep(_) | Work::Winograd(_) => {
                let operands = self.shapes.operands(self.graph, id);
                operands.into_iter().map(elements).sum::<u64>() + elements(self.shapes[id])
            }
            // What is read is written, and the border.
            Work::Copy(copy) if copy.border.is_some() => sum(&[copy.from, copy.to]),
            Work::Copy(copy) => 2 * elements(copy.from.shape),
            Work::ClearHalo(buffer) => {
                let buffer = &self.plan.buffers[buffer.0];
                buffer.strides.image as u64 - elements(buffer.shape)
            }
            Work::Gather(gather) => gather.from.view().map_or(1, |_| 2) * elements(gather.to.shape),
            Work::Elementwise(_)
            | Work::Pool(_)
            | Work::GlobalPool { .. }
            | Work::AdaptiveAvgPool { .. }
            | Work::Softmax { .. }
            | Work::Lrn { .. }
            | Work::Interpolate(_)
            | Work::Matmul { .. }
            | Work::Reduce { .. } => {
                let (reads, writes) = work.accesses();
                let views: Vec<View> = reads.into_iter().chain([writes]).filter_map(Access::view).collect();
                sum(&views)
            }
        };
        let constants = work.constants().into_iter();
        let weights: u64 = constants
            .map(|constant| self.plan.constants[constant.0].recipe.floats() as u64)
            .sum();
        let moved = moved.saturating_mul(self.plan.batch as u64);
        weights.saturating_add(moved).saturating_mul(FLOAT)
    }
}
