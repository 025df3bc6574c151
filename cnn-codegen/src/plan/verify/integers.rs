//! That steps on 8-bit integers stay within their buffers and their constant, and that floats and integers are not taken
//! for each other.

use cnn_ir::value::ElementType;
use cnn_runtime::pack::Recipe;

use super::{Checks, name};
use crate::plan::data::{Access, ConstantId, IntegerKind, IntegerWork, Layout, View, Windows, Work};

impl Checks<'_> {
    /// That a step of floats is on floats, and a step on integers on integers in their layout.
    pub(super) fn elements(&mut self, work: &Work) {
        let plan = self.plan;
        let (reads, writes) = work.accesses();
        for access in reads.into_iter().chain([writes]) {
            let buffer = &plan.buffers[access.buffer().0];
            let integers = if let (Work::Integer(work), Access::View(view)) = (work, access) {
                match work.kind {
                    IntegerKind::Quantize => view == work.output,
                    IntegerKind::Dequantize => view == work.input,
                    IntegerKind::Copy
                    | IntegerKind::Conv { .. }
                    | IntegerKind::Depthwise { .. }
                    | IntegerKind::Add { .. }
                    | IntegerKind::Pool { .. } => true,
                }
            } else {
                // A halo is cleared of either.
                matches!(work, Work::ClearHalo(_)) && buffer.element != ElementType::F32
            };
            let pixels = matches!(buffer.layout, Layout::Pixels { .. });
            self.require(
                integers == (buffer.element != ElementType::F32) && integers == pixels,
                || format!("{} is not of the step's elements", name(plan, access.buffer())),
            );
        }
    }

    /// Whether the views of a step on integers fit each other and its constant.
    pub(super) fn integers_fit(&self, work: &IntegerWork) -> bool {
        let plan = self.plan;
        let whole =
            |view: &View| view.channel == 0 && view.shape.extent() == plan.buffers[view.buffer.0].shape.extent();
        let (input, output) = (work.input, work.output);
        let ([channels, ..], [filters, ..]) = (input.shape.extent(), output.shape.extent());
        let same = input.shape.extent() == output.shape.extent();
        let alone = work.other.is_none() && work.constant.is_none();
        match work.kind {
            IntegerKind::Quantize => alone && same && whole(&output),
            IntegerKind::Dequantize => alone && same && whole(&input),
            IntegerKind::Copy => {
                let vector = |view: &View| view.shape.plane() == 1;
                let reshaped = input.shape.elements() == output.shape.elements()
                    && (vector(&input) || vector(&output))
                    && whole(&output);
                alone && whole(&input) && (same || reshaped)
            }
            IntegerKind::Conv {
                window,
                bounds,
                row_block,
                panel_block,
            } => {
                bounds[0] <= bounds[1]
                    && row_block >= 1
                    && panel_block >= 1
                    && [&input, &output].into_iter().all(whole)
                    && self.is_within_halo(input, output, window)
                    && self.has_weights(work, [filters, channels], window, false)
            }
            IntegerKind::Depthwise { window, bounds } => {
                bounds[0] <= bounds[1]
                    && channels == filters
                    && [&input, &output].into_iter().all(whole)
                    && self.is_within_halo(input, output, window)
                    && self.has_weights(work, [filters, 1], window, true)
            }
            IntegerKind::Add { bounds } => {
                let fits = |other: View| whole(&other) && other.shape.extent() == output.shape.extent();
                bounds[0] <= bounds[1]
                    && work.constant.is_none()
                    && same
                    && [&input, &output].into_iter().all(whole)
                    && work.other.is_some_and(fits)
            }
            IntegerKind::Pool { .. } => alone && channels == filters && [&input, &output].into_iter().all(whole),
        }
    }

    /// Whether all windows are within a map and its halo.
    fn is_within_halo(&self, input: View, output: View, window: Windows) -> bool {
        let halo = self.plan.buffers[input.buffer.0].layout.halo();
        let sides = [halo.top, halo.left, halo.bottom, halo.right];
        let reach = window.reach(input.shape, output.shape);
        reach.iter().zip(sides).all(|(&reach, side)| reach <= side as i128)
    }

    /// Whether the constant has the weights of so many filters over so many channels.
    fn has_weights(&self, work: &IntegerWork, sizes: [usize; 2], window: Windows, depthwise: bool) -> bool {
        let Some(ConstantId(constant)) = work.constant else {
            return false;
        };
        let taps = window.size.h as u128 * window.size.w as u128;
        match &self.plan.constants[constant].recipe {
            Recipe::Integers { filters, integers } => {
                let from = self.plan.buffers[work.input.buffer.0].element.quantisation();
                work.other.is_none()
                    && from == Some(integers.from)
                    && integers.depthwise == depthwise
                    && filters.shape.len() >= 2
                    && filters.shape[..2] == sizes
                    && filters.taps() as u128 == taps
            }
            Recipe::Panels { .. }
            | Recipe::Fixed { .. }
            | Recipe::Winograd { .. }
            | Recipe::Lanewise { .. }
            | Recipe::ScaleShift { .. }
            | Recipe::Tensor { .. } => false,
        }
    }
}
