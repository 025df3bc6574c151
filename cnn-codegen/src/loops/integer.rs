//! Steps on 8-bit integers: a call of the runtime for each task.

use cnn_runtime::kernels::integer::{
    AddShape, ConvShape, CopyShape, DepthwiseShape, DequantizeShape, FillShape, GROUP, Kernel, PANEL, PoolShape,
    QuantizeShape,
};
use cnn_types::Quantisation;

use super::code::{Call, Int};
use super::step::Builder;
use crate::plan::layout::BLOCK;
use crate::plan::{Buffer, BufferId, IntegerKind, IntegerWork, Plan, PlanData, Strides, View, Windows};

/// Tasks of a step: rows of all images, or what a convolution is divided into.
pub(super) fn tasks(plan: &Plan, work: &IntegerWork) -> usize {
    match kernel(plan, work) {
        Kernel::Conv(shape) => plan.batch * shape.tasks(),
        _ => plan.batch * rows(work).extent()[1],
    }
}

/// The shape whose rows are the tasks.
fn rows(work: &IntegerWork) -> cnn_ir::shape::Shape {
    match work.kind {
        // A vector has one row.
        IntegerKind::Copy => map_of(work).shape,
        _ => work.output.shape,
    }
}

/// Of a copy between a map and a vector, the map.
fn map_of(work: &IntegerWork) -> View {
    match work.output.shape.plane() >= work.input.shape.plane() {
        true => work.output,
        false => work.input,
    }
}

/// What a buffer's integers stand for. Floats stand for themselves, and nobody asks.
fn quantisation(plan: &PlanData, view: View) -> Quantisation {
    let element = plan.buffers[view.buffer.0].element;
    element.quantisation().unwrap_or(Quantisation {
        scale: 1.0,
        zero_point: 0,
    })
}

/// The elements from a buffer's first to the first of a view.
fn origin(plan: &PlanData, view: View) -> usize {
    let strides = plan.strides(view);
    strides.origin + strides.channel(view.channel)
}

/// The elements from a buffer's first to the first tap of the first window over it, which is within its halo.
fn first_tap(plan: &PlanData, view: View, window: Windows) -> usize {
    let strides = plan.strides(view);
    origin(plan, view) - window.sides.top * strides.row - window.sides.left * strides.pixel
}

/// The runtime's kernel for a step.
fn kernel(plan: &PlanData, work: &IntegerWork) -> Kernel {
    let (from, to): (&Strides, &Strides) = (plan.strides(work.input), plan.strides(work.output));
    let (from_origin, to_origin) = (origin(plan, work.input), origin(plan, work.output));
    let [channels, rows, columns] = work.output.shape.extent();
    let result = quantisation(plan, work.output);
    let operand = quantisation(plan, work.input);
    match work.kind {
        IntegerKind::Quantize => Kernel::Quantize(QuantizeShape {
            rows,
            columns,
            channels,
            from_origin,
            from_image: from.image,
            from_block: from.block,
            from_lane: from.lane,
            from_row: from.row,
            from_pixel: from.pixel,
            to_origin,
            to_image: to.image,
            to_row: to.row,
            to_pixel: to.pixel,
            scale: result.scale,
            zero_point: result.zero_point.into(),
        }),
        IntegerKind::Dequantize => Kernel::Dequantize(DequantizeShape {
            rows,
            columns,
            channels,
            padded: channels.next_multiple_of(BLOCK),
            from_origin,
            from_image: from.image,
            from_row: from.row,
            from_pixel: from.pixel,
            to_origin,
            to_image: to.image,
            to_block: to.block,
            to_lane: to.lane,
            to_row: to.row,
            to_pixel: to.pixel,
            scale: operand.scale,
            zero_point: operand.zero_point.into(),
        }),
        IntegerKind::Copy => copy(work, from, to, [from_origin, to_origin]),
        IntegerKind::Conv {
            window,
            bounds,
            row_block,
            panel_block,
        } => {
            let groups = work.input.shape.channels().div_ceil(GROUP);
            let tap_pixel = window.dilation.w * from.pixel;
            // Neighbouring pixels without a gap are as one with the channels of them all; their weights stand in that order.
            let [kernel_columns, groups] = match tap_pixel == groups * GROUP {
                true => [1, window.size.w * groups],
                false => [window.size.w, groups],
            };
            Kernel::Conv(ConvShape {
                rows,
                columns,
                row_block,
                panels: channels.div_ceil(PANEL),
                panel_block,
                written: to.pixel,
                from_origin: first_tap(plan, work.input, window),
                from_image: from.image,
                from_row: window.stride.h * from.row,
                from_pixel: window.stride.w * from.pixel,
                kernel_rows: window.size.h,
                kernel_columns,
                tap_row: window.dilation.h * from.row,
                tap_pixel,
                groups,
                to_origin,
                to_image: to.image,
                to_row: to.row,
                to_pixel: to.pixel,
                least: bounds[0].into(),
                greatest: bounds[1].into(),
                zero_point: result.zero_point.into(),
            })
        }
        IntegerKind::Depthwise { window, bounds } => Kernel::Depthwise(DepthwiseShape {
            rows,
            columns,
            blocks: channels.div_ceil(DepthwiseShape::CHANNELS),
            bytes: to.pixel,
            from_origin: first_tap(plan, work.input, window),
            from_image: from.image,
            from_row: window.stride.h * from.row,
            from_pixel: window.stride.w * from.pixel,
            kernel_rows: window.size.h,
            kernel_columns: window.size.w,
            tap_row: window.dilation.h * from.row,
            tap_pixel: window.dilation.w * from.pixel,
            to_origin,
            to_image: to.image,
            to_row: to.row,
            to_pixel: to.pixel,
            least: bounds[0].into(),
            greatest: bounds[1].into(),
            zero_point: result.zero_point.into(),
        }),
        IntegerKind::Add { bounds } => {
            let other = work.other.unwrap_or(work.input);
            let (second, strides) = (quantisation(plan, other), plan.strides(other));
            let (left, right) = (operand.scale / result.scale, second.scale / result.scale);
            let zero = |of: Quantisation| f32::from(of.zero_point);
            Kernel::Add(AddShape {
                rows,
                bytes: columns * to.pixel,
                left_origin: from_origin,
                left_image: from.image,
                left_row: from.row,
                right_origin: origin(plan, other),
                right_image: strides.image,
                right_row: strides.row,
                to_origin,
                to_image: to.image,
                to_row: to.row,
                left,
                right,
                shift: zero(result) - (left * zero(operand) + right * zero(second)),
                least: bounds[0].into(),
                greatest: bounds[1].into(),
            })
        }
        IntegerKind::Pool { window, least } => {
            let [_, height, width] = work.input.shape.extent();
            Kernel::Pool(PoolShape {
                height,
                width,
                rows,
                columns,
                pixel: to.pixel,
                from_origin,
                from_image: from.image,
                from_row: from.row,
                to_origin,
                to_image: to.image,
                to_row: to.row,
                kernel_rows: window.size.h,
                kernel_columns: window.size.w,
                stride_rows: window.stride.h,
                stride_columns: window.stride.w,
                dilation_rows: window.dilation.h,
                dilation_columns: window.dilation.w,
                above: window.sides.top,
                left: window.sides.left,
                least: least.into(),
            })
        }
    }
}

/// A copy of channels, or between a map and a vector of its elements, channel by channel.
fn copy(work: &IntegerWork, from: &Strides, to: &Strides, [from_origin, to_origin]: [usize; 2]) -> Kernel {
    let [channels, rows, columns] = map_of(work).shape.extent();
    // A vector's row, pixel and channel, in the order of the map's elements.
    let strides = |view: View, strides: &Strides| match view.shape.extent() == [channels, rows, columns] {
        true => [strides.row, strides.pixel, 1],
        false => [columns, 1, rows * columns],
    };
    let [from_row, from_pixel, from_channel] = strides(work.input, from);
    let [to_row, to_pixel, to_channel] = strides(work.output, to);
    Kernel::Copy(CopyShape {
        rows,
        columns,
        channels,
        from_origin,
        from_image: from.image,
        from_row,
        from_pixel,
        from_channel,
        to_origin,
        to_image: to.image,
        to_row,
        to_pixel,
        to_channel,
    })
}

/// The kernel that fills the halo of a buffer of integers with what stands for 0.
fn fill(buffer: &Buffer, zero: u8) -> Kernel {
    let (halo, strides) = (buffer.layout.halo(), &buffer.strides);
    let [_, rows, columns] = buffer.shape.extent();
    Kernel::Fill(FillShape {
        image: strides.image,
        all_rows: halo.top + rows + halo.bottom,
        row: strides.row,
        above: halo.top,
        rows,
        left: halo.left * strides.pixel,
        inside: columns * strides.pixel,
        value: zero.into(),
    })
}

impl Builder<'_> {
    /// The body of one task. Operands: input, the other if there is one, output, the constant if there is one.
    pub(super) fn integers(&mut self, work: &IntegerWork, task: Int) {
        let kernel = kernel(self.plan, work);
        let output = self.operands[1 + usize::from(work.other.is_some())];
        let other = match (work.other, work.constant) {
            (Some(_), _) => self.operands[1],
            (None, Some(_)) => self.operands[2],
            (None, None) => self.operands[0],
        };
        self.call(Call::Task {
            kernel,
            input: self.operands[0],
            other,
            output,
            task,
        });
    }

    /// Fills an image's halo.
    pub(super) fn fill_halo(&mut self, buffer: BufferId, zero: u8, task: Int) {
        let kernel = fill(&self.plan.buffers[buffer.0], zero);
        let at = self.operands[0];
        self.call(Call::Task {
            kernel,
            input: at,
            other: at,
            output: at,
            task,
        });
    }
}
