//! The output transform Y = Aᵀ P A of runs of tiles, with what follows a convolution.

use core::mem::{MaybeUninit, offset_of};

use cnn_types::{Activation, Step};

use super::variant::Transforms;
use crate::kernels::Isa;
use crate::kernels::epilogue::activate;
use crate::kernels::isa::instance;
use crate::kernels::lanes::{LANES, Lanes, load_each, store_each};
use crate::kernels::parameters::parameters;

parameters! {
    /// Where an output transform's products and outputs lie, the same for all its runs. Strides and offsets count f32.
    ///
    /// Tile t holds the outputs from row `(t / tiles_across) · m` and column `(t % tiles_across) · m`
    /// on; those beyond `rows` × `columns` are not written.
    pub struct OutputShape {
        /// From a position ξ to the next.
        pub xi_stride: usize,
        /// From a channel block to the next in `src`.
        pub src_block_stride: usize,
        /// From a tile to the next in `src`: 8, or 16 in panels of two blocks.
        pub tile_stride: usize,
        /// From a row to the next in `dst`; outputs of a row are 8 apart.
        pub row_stride: usize,
        /// From a channel block to the next in `dst`.
        pub dst_block_stride: usize,
        /// Rows of outputs.
        pub rows: usize,
        /// Columns of outputs.
        pub columns: usize,
        /// Tiles in a row of tiles.
        pub tiles_across: usize,
        /// How many channel blocks.
        pub blocks: usize,
        /// From a row to the next in `residual`.
        pub residual_row_stride: usize,
        /// From a channel block to the next in `residual`.
        pub residual_block_stride: usize,
    }
}

/// What one run of an output transform reads and writes. An output is activation(Y + bias + residual).
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct OutputTransform {
    /// The first tile's first position of the first block.
    pub src: *const f32,
    /// The first output of the first channel block.
    pub dst: *mut f32,
    /// Eight f32 a block, or null.
    pub bias: *const f32,
    /// What is added before the activation, or null: the counterpart of the first output.
    pub residual: *const f32,
    /// The activation, one of [steps](Activation::steps), or null.
    pub activation: *const Activation,
    /// The first tile.
    pub first_tile: usize,
    /// How many tiles.
    pub tiles: usize,
    /// Where they lie.
    pub shape: OutputShape,
}

impl OutputTransform {
    /// The name of each field and where it begins, in bytes.
    pub const LAYOUT: &'static [(&'static str, usize)] = &[
        ("src", offset_of!(OutputTransform, src)),
        ("dst", offset_of!(OutputTransform, dst)),
        ("bias", offset_of!(OutputTransform, bias)),
        ("residual", offset_of!(OutputTransform, residual)),
        ("activation", offset_of!(OutputTransform, activation)),
        ("first_tile", offset_of!(OutputTransform, first_tile)),
        ("tiles", offset_of!(OutputTransform, tiles)),
        ("shape", offset_of!(OutputTransform, shape)),
    ];
}

// SAFETY: the pointers are only addresses until a transform, whose caller vouches for them, is carried out.
unsafe impl Sync for OutputTransform {}

/// The type of the functions compiled code calls: the outputs of all tiles and blocks.
///
/// To call one, the processor must have the instruction set it was asked for with; the parameters
/// must be readable, `src` be readable at
/// `ξ · xi_stride + block · src_block_stride + tile · tile_stride`, eight f32 each, for all
/// ξ < a², blocks and `tile` counted from `first_tile`; `bias`, `residual` and `activation`, unless null, be
/// readable and `dst` writable where the tiles have outputs; `dst` must not overlap the others,
/// except that it may equal `residual` with the same strides; `tiles_across` must not be 0.
pub type OutputTransformFn = unsafe extern "C" fn(parameters: *const OutputTransform);

/// The instance of variant `V` for `isa`.
pub(super) fn symbol<V: Transforms<A, M>, const A: usize, const M: usize>(isa: Isa) -> OutputTransformFn {
    instance!(isa, run, [V: Transforms<A, M>, const A: usize, const M: usize], [V, A, M], (parameters: *const OutputTransform))
}

/// Where one tile's outputs go and what is added to them.
struct Target<'a, L> {
    dst: *mut f32,
    row_stride: usize,
    /// Null if there is none.
    residual: *const f32,
    residual_row_stride: usize,
    /// Outputs inside the map.
    rows: usize,
    columns: usize,
    bias: L,
    /// The activation.
    steps: &'a [Step],
}

/// # Safety
/// As [`OutputTransformFn`], the instructions being those of `L`.
#[inline(always)]
unsafe fn run<L: Lanes, V: Transforms<A, M>, const A: usize, const M: usize>(parameters: *const OutputTransform) {
    // SAFETY: readable, as the caller promises.
    let run = unsafe { &*parameters };
    let p = &run.shape;
    // SAFETY: null, or readable, as the caller promises.
    let steps = unsafe { run.activation.as_ref() }.and_then(|activation| activation.steps());
    let steps = steps.as_ref().map_or(&[][..], |steps| steps.as_slice());
    for block in 0..p.blocks {
        let zeros = [0.0; LANES];
        // SAFETY: the bias, if there is one, has eight f32 a block.
        let bias = unsafe {
            if run.bias.is_null() {
                L::load(zeros.as_ptr())
            } else {
                L::load(run.bias.add(block * LANES))
            }
        };
        let mut across = run.first_tile % p.tiles_across;
        let mut top = run.first_tile / p.tiles_across * M;
        for tile in 0..run.tiles {
            let left = across * M;
            let rows = p.rows.saturating_sub(top).min(M);
            let columns = p.columns.saturating_sub(left).min(M);
            if rows > 0 && columns > 0 {
                // SAFETY: the tile has outputs, so row `top` and column `left` exist in `dst` and
                // `residual`; `src` holds every tile.
                unsafe {
                    let residual = if run.residual.is_null() {
                        run.residual
                    } else {
                        let row = top * p.residual_row_stride;
                        run.residual.add(block * p.residual_block_stride + row + left * LANES)
                    };
                    let row = top * p.row_stride;
                    let target = Target {
                        dst: run.dst.add(block * p.dst_block_stride + row + left * LANES),
                        row_stride: p.row_stride,
                        residual,
                        residual_row_stride: p.residual_row_stride,
                        rows,
                        columns,
                        bias,
                        steps,
                    };
                    let src = run.src.add(block * p.src_block_stride + tile * p.tile_stride);
                    transform::<L, V, A, M>(src, p.xi_stride, &target);
                }
            }
            across += 1;
            if across == p.tiles_across {
                across = 0;
                top += M;
            }
        }
    }
}

/// Y of one tile.
///
/// # Safety
/// `src` may be read at each position, and the target's outputs be written.
#[inline(always)]
unsafe fn transform<L: Lanes, V: Transforms<A, M>, const A: usize, const M: usize>(
    src: *const f32,
    xi_stride: usize,
    target: &Target<'_, L>,
) {
    // Aᵀ P, row by row. Written before it is read, so not initialised.
    let mut half = MaybeUninit::<[[[f32; LANES]; A]; M]>::uninit();
    let half: *mut f32 = half.as_mut_ptr().cast();
    for j in 0..A {
        // SAFETY: column j has A positions, and M rows in the scratch.
        unsafe {
            let column = load_each::<L, A>(src.add(j * xi_stride), A * xi_stride);
            store_each(V::output(column), half.add(j * LANES), A * LANES);
        }
    }
    for i in 0..target.rows {
        // SAFETY: row i < M of the scratch was written above.
        let outputs = V::output(unsafe { load_each::<L, A>(half.add(i * A * LANES), LANES) });
        // SAFETY: row `i` is inside the map, and so are its first `columns` outputs and their counterparts.
        unsafe {
            if target.columns == M {
                let outputs = activate(target.steps, sums(outputs, M, i, target));
                for (j, output) in outputs.into_iter().enumerate() {
                    output.store(target.dst.add(i * target.row_stride + j * LANES));
                }
            } else {
                let outputs = activate(target.steps, sums(outputs, target.columns, i, target));
                for (j, output) in outputs.into_iter().enumerate().take(target.columns) {
                    output.store(target.dst.add(i * target.row_stride + j * LANES));
                }
            }
        }
    }
}

/// Adds the bias and the residual to the first `columns` outputs of row `i` of a tile.
///
/// # Safety
/// Their counterparts may be read.
#[inline(always)]
unsafe fn sums<L: Lanes, const M: usize>(outputs: [L; M], columns: usize, i: usize, target: &Target<'_, L>) -> [L; M] {
    let mut outputs = outputs.map(|output| output.add(target.bias));
    if !target.residual.is_null() {
        for (j, output) in outputs.iter_mut().enumerate().take(columns) {
            // SAFETY: the caller's promise.
            let other = unsafe { L::load(target.residual.add(i * target.residual_row_stride + j * LANES)) };
            *output = output.add(other);
        }
    }
    outputs
}
