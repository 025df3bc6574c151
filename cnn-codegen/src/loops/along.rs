//! Steps along one axis: a call of the runtime for each task.

use cnn_ir::shape::Shape;
use cnn_runtime::kernels::along::{AlongShape, TakeShape};
use cnn_runtime::kernels::task::Kernel;

use super::code::{Call, Int};
use super::step::Builder;
use crate::plan::{AlongKind, AlongWork, Plan, PlanData, View};

/// The axes that are not walked: rows, columns.
fn others(axis: usize) -> [usize; 2] {
    match axis {
        0 => [1, 2],
        1 => [0, 2],
        _ => [0, 1],
    }
}

/// Tasks: rows of all images.
pub(super) fn tasks(plan: &Plan, work: &AlongWork) -> usize {
    plan.batch * work.output.shape.extent()[others(work.axis)[0]]
}

/// Where the elements of a view are: those of its axes, and the rest.
struct Places {
    origin: usize,
    image: usize,
    steps: [usize; 3],
}

fn places(plan: &PlanData, view: View) -> Places {
    let strides = plan.strides(view);
    Places {
        origin: strides.origin + strides.channel(view.channel),
        image: strides.image,
        steps: [strides.lane, strides.row, strides.pixel],
    }
}

/// The runtime's kernel for a step.
fn kernel(plan: &PlanData, work: &AlongWork) -> Kernel {
    let (from, to) = (places(plan, work.input), places(plan, work.output));
    let axis = work.axis;
    let [row, column] = others(axis);
    let (sizes, along) = (work.output.shape.extent(), work.input.shape.extent()[axis]);
    let shape = |backwards: bool, variant: bool| AlongShape {
        rows: sizes[row],
        columns: sizes[column],
        along,
        results: sizes[axis],
        from_origin: from.origin,
        from_image: from.image,
        from_row: from.steps[row],
        from_column: from.steps[column],
        from_step: from.steps[axis],
        to_origin: to.origin,
        to_image: to.image,
        to_row: to.steps[row],
        to_column: to.steps[column],
        to_step: to.steps[axis],
        backwards: backwards.into(),
        variant: variant.into(),
    };
    match work.kind {
        AlongKind::Extreme { least, last } => Kernel::Extreme(shape(least, last)),
        AlongKind::Top { largest, indices } => Kernel::Top(shape(!largest, indices)),
        AlongKind::Sum { exclusive, reverse } => Kernel::RunningSum(shape(reverse, exclusive)),
        AlongKind::Take => {
            let view = work.places.unwrap_or(work.input);
            let at = places(plan, view);
            // A vector of places lies along the axis, whichever it is.
            let steps = match (view.shape, work.input.shape) {
                (Shape::Flat(_), Shape::Map { .. }) => {
                    [0, 1, 2].map(|other| if other == axis { at.steps[0] } else { 0 })
                }
                _ => {
                    let extent = view.shape.extent();
                    [0, 1, 2].map(|other| {
                        if extent[other] == 1 && other != axis {
                            0
                        } else {
                            at.steps[other]
                        }
                    })
                }
            };
            Kernel::Take(TakeShape {
                rows: sizes[row],
                columns: sizes[column],
                along,
                results: sizes[axis],
                from_origin: from.origin,
                from_image: from.image,
                from_row: from.steps[row],
                from_column: from.steps[column],
                from_step: from.steps[axis],
                places_origin: at.origin,
                places_image: at.image,
                places_row: steps[row],
                places_column: steps[column],
                places_step: steps[axis],
                to_origin: to.origin,
                to_image: to.image,
                to_row: to.steps[row],
                to_column: to.steps[column],
                to_step: to.steps[axis],
            })
        }
    }
}

impl Builder<'_> {
    /// The body of one task. Operands: input, the places if there are any, output.
    pub(super) fn along(&mut self, work: &AlongWork, task: Int) {
        let kernel = kernel(self.plan, work);
        let input = self.operands[0];
        let (other, output) = match work.places {
            Some(_) => (self.operands[1], self.operands[2]),
            None => (input, self.operands[1]),
        };
        self.call(Call::Task {
            kernel,
            input,
            other,
            output,
            task,
        });
    }
}
