//! How a convolution or dense layer gets its kernel. Read it from top to bottom:
//!
//! 1. `select`: which algorithm, by predicted cost;
//! 2. the layer as the algorithm sees it: `direct` and depthwise, `winograd`, `transposed` (ordinary convolutions, one
//!    for each remainder by the stride), `dense` (matrix products), `recurrent`;
//! 3. `reduction`: the order of the multiply–adds of one sum, and which of them are unrolled;
//! 4. `tiling`: tile kernels and the loop nest around them: k-blocks, panels, pixels. `cover` cuts the pixels into tiles;
//! 5. `prefetch`: weights that tiles bring nearer for the tiles after them.
//!
//! In goes a [`Layer`], out comes a [`Kernel`]: all that the layer's step says.

mod cover;
mod dense;
mod direct;
mod layer;
mod prefetch;
mod recurrent;
mod reduction;
mod select;
mod tiling;
mod transposed;
mod winograd;

use cnn_ir::op::Conv;

use super::data::{Algorithm, Constants};
use crate::tile::SpecError;
pub(crate) use dense::dense;
pub(crate) use direct::{is_depthwise, padding, reach};
pub(crate) use layer::{Kernel, Layer, StridedView};
pub(crate) use recurrent::recurrent;
pub(crate) use select::{Selected, select, streams};
pub(crate) use transposed::{MOST_PHASES, phases, reach as transposed_reach, transposed};

/// The kernel of a convolution by the algorithm that was selected.
///
/// # Errors
/// [`SpecError`]: offsets that do not fit a tile kernel.
pub(crate) fn conv(
    layer: &Layer<'_>,
    conv: &Conv,
    selected: &Selected,
    constants: &mut Constants,
) -> Result<Kernel, SpecError> {
    let filters = layer.filters(
        conv.weight_dims(layer.input.view.shape.channels()).to_vec(),
        conv.bias,
        &conv.norm,
    );
    let sides = direct::padding(conv, layer.input.view.shape);
    let kernel = match selected.algorithm {
        Algorithm::Direct => {
            // The first output's first tap is in the input's halo.
            let start = [sides.top, sides.left].map(|side| -(side as i64));
            direct::conv(layer, conv, filters, start, constants)?
        }
        Algorithm::Winograd(variant) => winograd::conv(layer, variant, conv, filters, sides, constants)?,
    };
    let reasons = [selected.why.as_str(), &kernel.why].into_iter();
    let why = reasons.filter(|why| !why.is_empty()).collect::<Vec<_>>().join("; ");
    Ok(Kernel { why, ..kernel })
}
