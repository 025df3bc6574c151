//! What is done along one axis of a value that lies channel by channel: the places of extremes, the few greatest, running
//! sums, elements at computed places. Results do not depend on the instruction set, to the bit.
//!
//! The axis is walked; the two others are rows and columns: a task is a row of an image. Where columns are neighbours, many
//! are walked together, so that a compiler makes vectors of them.
//!
//! | module | what it owns |
//! |---|---|
//! | `extreme` | the place of the greatest or least |
//! | `top` | the few greatest or least |
//! | `sum` | running sums |
//! | `take` | elements at places that another value says |

pub(super) mod extreme;

pub(super) mod sum;
pub(super) mod take;
pub(super) mod top;

use super::parameters::parameters;

/// Columns that are walked together.
const CHUNK: usize = 64;

parameters! {
    /// A walk along an axis. All steps are in f32.
    pub struct AlongShape {
        /// Rows of an image: the first of the other axes.
        pub rows: usize,
        /// Columns: the second.
        pub columns: usize,
        /// Elements along the axis.
        pub along: usize,
        /// Elements of the result along the axis.
        pub results: usize,
        /// From the operand's first element to the first of the view.
        pub from_origin: usize,
        /// From an image of the operand to the next.
        pub from_image: usize,
        /// From a row of the operand to the next.
        pub from_row: usize,
        /// From a column of the operand to the next.
        pub from_column: usize,
        /// From an element of the operand along the axis to the next.
        pub from_step: usize,
        /// From the result's first element to the first of the view.
        pub to_origin: usize,
        /// From an image of the result to the next.
        pub to_image: usize,
        /// From a row of the result to the next.
        pub to_row: usize,
        /// From a column of the result to the next.
        pub to_column: usize,
        /// From an element of the result along the axis to the next.
        pub to_step: usize,
        /// Of extremes: 1 for the least, 0 for the greatest. Of sums: 1 from the end, 0 from the start.
        pub backwards: usize,
        /// Of extremes: 1 for the last of equal ones. Of the few greatest: 1 for their places. Of sums: 1 without the
        /// element itself. Else 0.
        pub variant: usize,
    }
}

parameters! {
    /// Elements at computed places along an axis. All steps are in f32; those of places are 0 along axes that they are the
    /// same for.
    pub struct TakeShape {
        /// Rows of an image: the first of the other axes.
        pub rows: usize,
        /// Columns: the second.
        pub columns: usize,
        /// Elements of the operand along the axis.
        pub along: usize,
        /// Elements of the result along the axis.
        pub results: usize,
        /// From the operand's first element to the first of the view.
        pub from_origin: usize,
        /// From an image of the operand to the next.
        pub from_image: usize,
        /// From a row of the operand to the next.
        pub from_row: usize,
        /// From a column of the operand to the next.
        pub from_column: usize,
        /// From an element of the operand along the axis to the next.
        pub from_step: usize,
        /// From the places' first element to the first of the view.
        pub places_origin: usize,
        /// From an image of the places to the next.
        pub places_image: usize,
        /// From a row of the places to the next.
        pub places_row: usize,
        /// From a column of the places to the next.
        pub places_column: usize,
        /// From a place along the axis to the next.
        pub places_step: usize,
        /// From the result's first element to the first of the view.
        pub to_origin: usize,
        /// From an image of the result to the next.
        pub to_image: usize,
        /// From a row of the result to the next.
        pub to_row: usize,
        /// From a column of the result to the next.
        pub to_column: usize,
        /// From an element of the result along the axis to the next.
        pub to_step: usize,
    }
}

impl AlongShape {
    /// The row of a task.
    ///
    /// # Safety
    /// The operand and the result are what the shape says, and the task is one of them.
    unsafe fn row(&self, input: *const u8, output: *mut u8, task: usize) -> (*const f32, *mut f32) {
        let (image, row) = (task / self.rows, task % self.rows);
        // SAFETY: both are within the operand and the result.
        unsafe {
            (
                input
                    .cast::<f32>()
                    .add(self.from_origin + image * self.from_image + row * self.from_row),
                output
                    .cast::<f32>()
                    .add(self.to_origin + image * self.to_image + row * self.to_row),
            )
        }
    }
}
