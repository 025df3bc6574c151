//! The input transform V = Bᵀ d B of runs of tiles.

use core::mem::{MaybeUninit, offset_of};

use super::variant::Transforms;
use crate::kernels::Isa;
use crate::kernels::isa::instance;
use crate::kernels::lanes::{LANES, Lanes, load_each, store_each};
use crate::kernels::parameters::parameters;

parameters! {
    /// Where an input transform's pixels and results lie, the same for all its runs. Strides and offsets count f32.
    ///
    /// Tile t covers the pixels from row `(t / tiles_across) · m − pad_top` and column
    /// `(t % tiles_across) · m − pad_left` on, a of each. Pixels outside the `rows` × `columns` stored
    /// are 0, on whichever side.
    pub struct InputShape {
        /// From a row to the next; pixels of a row are 8 apart.
        pub row_stride: usize,
        /// From a channel block to the next in `src`.
        pub src_block_stride: usize,
        /// Stored rows. A halo of zeros that is really there counts, and then needs no `pad_top`.
        pub rows: usize,
        /// Stored columns, likewise.
        pub columns: usize,
        /// Rows of zeros that are not stored, above the first row.
        pub pad_top: usize,
        /// Columns of zeros that are not stored, left of the first column.
        pub pad_left: usize,
        /// Tiles in a row of tiles.
        pub tiles_across: usize,
        /// How many channel blocks.
        pub blocks: usize,
        /// From a position ξ to the next. A multiple of 4 KiB would make the a² streams share cache
        /// sets: add 64 bytes.
        pub xi_stride: usize,
        /// From a channel block to the next in `dst`.
        pub dst_block_stride: usize,
        /// From a tile to the next in `dst`: 8 if the tiles of a block follow each other.
        pub tile_stride: usize,
    }
}

/// What one run of an input transform reads and writes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct InputTransform {
    /// The first stored pixel of the first channel block.
    pub src: *const f32,
    /// Where the first tile's first position of the first block goes.
    pub dst: *mut f32,
    /// The first tile.
    pub first_tile: usize,
    /// How many tiles.
    pub tiles: usize,
    /// Where they lie.
    pub shape: InputShape,
}

impl InputTransform {
    /// The name of each field and where it begins, in bytes.
    pub const LAYOUT: &'static [(&'static str, usize)] = &[
        ("src", offset_of!(InputTransform, src)),
        ("dst", offset_of!(InputTransform, dst)),
        ("first_tile", offset_of!(InputTransform, first_tile)),
        ("tiles", offset_of!(InputTransform, tiles)),
        ("shape", offset_of!(InputTransform, shape)),
    ];
}

// SAFETY: the pointers are only addresses until a transform, whose caller vouches for them, is carried out.
unsafe impl Sync for InputTransform {}

/// The type of the functions compiled code calls: V of all tiles and blocks of the parameters.
///
/// To call one, the processor must have the instruction set it was asked for with; the parameters
/// must be readable, the pixels stored be readable, and `dst` be writable at
/// `ξ · xi_stride + block · dst_block_stride + tile · tile_stride`, eight f32 each, for all
/// ξ < a², blocks and `tile` counted from `first_tile`; the two must not overlap; `tiles_across`
/// must not be 0.
pub type InputTransformFn = unsafe extern "C" fn(parameters: *const InputTransform);

/// The instance of variant `V` for `isa`.
pub(super) fn symbol<V: Transforms<A, M>, const A: usize, const M: usize>(isa: Isa) -> InputTransformFn {
    instance!(isa, run, [V: Transforms<A, M>, const A: usize, const M: usize], [V, A, M], (parameters: *const InputTransform))
}

/// # Safety
/// As [`InputTransformFn`], the instructions being those of `L`.
#[inline(always)]
unsafe fn run<L: Lanes, V: Transforms<A, M>, const A: usize, const M: usize>(parameters: *const InputTransform) {
    // SAFETY: readable, as the caller promises.
    let run = unsafe { &*parameters };
    let p = &run.shape;
    for block in 0..p.blocks {
        // SAFETY: within the pixels stored, and within `dst`, for each of `blocks` blocks.
        let (src, dst) = unsafe {
            (
                run.src.add(block * p.src_block_stride),
                run.dst.add(block * p.dst_block_stride),
            )
        };
        let mut across = run.first_tile % p.tiles_across;
        let mut top = run.first_tile / p.tiles_across * M;
        for tile in 0..run.tiles {
            let left = across * M;
            let inside = top >= p.pad_top
                && left >= p.pad_left
                && top - p.pad_top + A <= p.rows
                && left - p.pad_left + A <= p.columns;
            // SAFETY: a tile inside reads stored pixels only, one at the edge is gathered from
            // those that are; `dst` is writable for each tile.
            unsafe {
                let dst = dst.add(tile * p.tile_stride);
                if inside {
                    let row = (top - p.pad_top) * p.row_stride;
                    let from = src.add(row + (left - p.pad_left) * LANES);
                    transform::<L, V, A, M>(from, p.row_stride, dst, p.xi_stride);
                } else {
                    let patch = gather::<L, A>(p, src, top, left);
                    transform::<L, V, A, M>(patch.as_ptr().cast(), A * LANES, dst, p.xi_stride);
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

/// The a×a pixels from row `top` and column `left` of the padded map on, 0 where none is stored.
///
/// # Safety
/// The pixels stored at `src`, as `p` describes them, may be read.
#[inline(always)]
unsafe fn gather<L: Lanes, const A: usize>(
    p: &InputShape,
    src: *const f32,
    top: usize,
    left: usize,
) -> [[[f32; LANES]; A]; A] {
    let mut patch = [[[0.0; LANES]; A]; A];
    for (i, pixels) in patch.iter_mut().enumerate() {
        // Wraps far above `rows` if negative.
        let row = (top + i).wrapping_sub(p.pad_top);
        if row >= p.rows {
            continue;
        }
        for (j, pixel) in pixels.iter_mut().enumerate() {
            let column = (left + j).wrapping_sub(p.pad_left);
            if column < p.columns {
                // SAFETY: row and column are stored.
                unsafe {
                    let from = src.add(row * p.row_stride + column * LANES);
                    L::load(from).store(pixel.as_mut_ptr());
                }
            }
        }
    }
    patch
}

/// V of one tile.
///
/// # Safety
/// `src` may be read for a×a pixels, and `dst` written at each position.
#[inline(always)]
unsafe fn transform<L: Lanes, V: Transforms<A, M>, const A: usize, const M: usize>(
    src: *const f32,
    row_stride: usize,
    dst: *mut f32,
    xi_stride: usize,
) {
    // Bᵀ d, row by row. Written before it is read, so not initialised.
    let mut half = MaybeUninit::<[[[f32; LANES]; A]; A]>::uninit();
    let half: *mut f32 = half.as_mut_ptr().cast();
    for j in 0..A {
        // SAFETY: column j has A pixels, and so has the scratch.
        unsafe {
            let column = load_each::<L, A>(src.add(j * LANES), row_stride);
            store_each(V::input(column), half.add(j * LANES), A * LANES);
        }
    }
    for i in 0..A {
        // SAFETY: row i of the scratch was written above; it has A positions.
        unsafe {
            let row = load_each::<L, A>(half.add(i * A * LANES), LANES);
            store_each(V::input(row), dst.add(i * A * xi_stride), xi_stride);
        }
    }
}
