//! Convolutions of one group and dense layers: tiles of pixels × a panel of filters, whose sums stay in registers from the
//! first product to the last.

use super::{GROUP, KernelFn, PANEL};
use crate::kernels::Isa;
use crate::kernels::parameters::parameters;

parameters! {
    /// A convolution of one group. A task is an image, a block of rows of the result and a block of panels.
    ///
    /// Its constant has the biases of all filters, whole panels, in 32 bits; their factors as floats; then the weights, 8-bit
    /// integers: panel by panel, row by row and column by column of the window, four channels at a time, each filter's four.
    pub struct ConvShape {
        /// Rows of the result.
        pub rows: usize,
        /// Columns of the result.
        pub columns: usize,
        /// Rows of a task.
        pub row_block: usize,
        /// Panels of filters.
        pub panels: usize,
        /// Panels of a task.
        pub panel_block: usize,
        /// Bytes of a pixel of the result that may be written.
        pub written: usize,
        /// Bytes from the operand's first byte to the first tap of the first window.
        pub from_origin: usize,
        /// Bytes from an image of the operand to the next.
        pub from_image: usize,
        /// Bytes from a window to that below it.
        pub from_row: usize,
        /// Bytes from a window to the next.
        pub from_pixel: usize,
        /// Rows of a window.
        pub kernel_rows: usize,
        /// Columns of a window.
        pub kernel_columns: usize,
        /// Bytes from a row of a window to the next.
        pub tap_row: usize,
        /// Bytes from a column of a window to the next.
        pub tap_pixel: usize,
        /// Groups of four channels.
        pub groups: usize,
        /// Bytes from the result's first byte to its first element.
        pub to_origin: usize,
        /// Bytes from an image of the result to the next.
        pub to_image: usize,
        /// Bytes from a row of the result to the next.
        pub to_row: usize,
        /// Bytes from a pixel of the result to the next.
        pub to_pixel: usize,
        /// The least integer of the result.
        pub least: usize,
        /// The greatest.
        pub greatest: usize,
        /// The integer of the result that stands for 0.
        pub zero_point: usize,
    }
}

impl ConvShape {
    /// Blocks of rows of an image.
    fn row_blocks(&self) -> usize {
        self.rows.div_ceil(self.row_block)
    }

    /// Tasks of an image.
    pub fn tasks(&self) -> usize {
        self.row_blocks() * self.panels.div_ceil(self.panel_block)
    }

    /// Bytes of a panel's weights.
    fn panel_bytes(&self) -> usize {
        self.kernel_rows * self.kernel_columns * self.groups * GROUP * PANEL
    }
}

/// The most pixels of any tile.
pub(super) const MOST: usize = 10;

/// A panel's part of the constant, and how much of it is there.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    /// Biases of its filters.
    pub(super) biases: *const i32,
    /// Factors of its filters.
    pub(super) factors: *const f32,
    /// Its weights.
    pub(super) weights: *const i8,
    /// Bytes of its filters that are written to a pixel: 1 to 32.
    pub(super) written: usize,
}

/// How tiles are computed with an instruction set.
pub(super) trait Tiles {
    /// The most pixels of a tile, at most [`MOST`].
    const PIXELS: usize;

    /// Computes a tile: the first tap of each pixel's window in `from`, its place in the result in `to`; so many pixels
    /// of both are there, from 1 to [`Tiles::PIXELS`].
    ///
    /// # Safety
    /// The processor has the instructions; all taps of all pixels are readable, the panel's part of the constant is, and
    /// `written` bytes at each place are writable.
    unsafe fn tile(shape: &ConvShape, panel: Panel, from: &[*const u8; MOST], to: &[*mut u8; MOST], pixels: usize);
}

/// One task with an instruction set's tiles.
///
/// # Safety
/// As [`KernelFn`], and the processor has the instructions of the tiles.
#[inline(always)]
pub(super) unsafe fn one_task<T: Tiles>(
    s: &ConvShape,
    input: *const u8,
    constant: *const u8,
    output: *mut u8,
    task: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let panel_blocks = s.panels.div_ceil(s.panel_block);
        let (rest, panel_block) = (task / panel_blocks, task % panel_blocks);
        let (image, row_block) = (rest / s.row_blocks(), rest % s.row_blocks());
        let first_row = row_block * s.row_block;
        let rows = s.row_block.min(s.rows - first_row);
        let pixels = rows * s.columns;
        // Tiles of one size, or one less: all keep the multipliers equally busy.
        let tiles = pixels.div_ceil(T::PIXELS);
        let biases = constant.cast::<i32>();
        let factors = biases.add(s.panels * PANEL).cast::<f32>();
        let weights = factors.add(s.panels * PANEL).cast::<i8>();
        let from_first = s.from_origin + image * s.from_image;
        let to_first = s.to_origin + image * s.to_image;
        let first_panel = panel_block * s.panel_block;
        for panel in first_panel..(first_panel + s.panel_block).min(s.panels) {
            let of = {
                Panel {
                    biases: biases.add(panel * PANEL),
                    factors: factors.add(panel * PANEL),
                    weights: weights.add(panel * s.panel_bytes()),
                    written: PANEL.min(s.written - panel * PANEL),
                }
            };
            let (mut row, mut column) = (first_row, 0);
            for tile in 0..tiles {
                let count = (tile + 1) * pixels / tiles - tile * pixels / tiles;
                let mut from = [input; MOST];
                let mut to = [output; MOST];
                for pixel in 0..count {
                    from[pixel] = input.add(from_first + row * s.from_row + column * s.from_pixel);
                    to[pixel] = output.add(to_first + row * s.to_row + column * s.to_pixel + panel * PANEL);
                    column += 1;
                    if column == s.columns {
                        (row, column) = (row + 1, 0);
                    }
                }
                T::tile(s, of, &from, &to, count);
            }
        }
    }
}

pub(in crate::kernels) fn conv(isa: Isa) -> KernelFn {
    #[cfg(target_arch = "x86_64")]
    {
        use cnn_types::InstructionSet;
        match isa.set() {
            #[cfg(feature = "std")]
            InstructionSet::Avx512 if super::vnni::is_available() => super::vnni::conv,
            InstructionSet::Avx512 | InstructionSet::Avx2 => super::avx2::conv,
            InstructionSet::Portable => super::sse2::conv,
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = isa;
        super::portable::conv
    }
}
