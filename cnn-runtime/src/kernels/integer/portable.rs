//! Tiles of sums of products in plain code.

#[cfg(not(target_arch = "x86_64"))]
use super::GROUP;
use super::PANEL;
use super::conv::{ConvShape, Panel};
#[cfg(not(target_arch = "x86_64"))]
use super::conv::{MOST, Tiles, one_task};
use super::requantise::Cut;

#[cfg(not(target_arch = "x86_64"))]
struct Portable;

#[cfg(not(target_arch = "x86_64"))]
impl Tiles for Portable {
    const PIXELS: usize = 4;

    #[inline(always)]
    unsafe fn tile(s: &ConvShape, panel: Panel, from: &[*const u8; MOST], to: &[*mut u8; MOST], pixels: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            for pixel in 0..pixels {
                let mut sums = { panel.biases.cast::<[i32; PANEL]>().read() };
                let mut weights = panel.weights.cast::<[[i8; GROUP]; PANEL]>();
                for row in 0..s.kernel_rows {
                    for column in 0..s.kernel_columns {
                        let tap = from[pixel].add(row * s.tap_row + column * s.tap_pixel);
                        for group in 0..s.groups {
                            let channels = { tap.cast::<[u8; GROUP]>().add(group).read() };
                            let filters = &*weights;
                            for (sum, filter) in sums.iter_mut().zip(filters) {
                                for (&channel, &weight) in channels.iter().zip(filter) {
                                    *sum = sum.wrapping_add(i32::from(channel) * i32::from(weight));
                                }
                            }
                            weights = weights.add(1);
                        }
                    }
                }
                store(s, panel, &sums, to[pixel]);
            }
        }
    }
}

/// Writes the integers of a pixel's complete sums.
///
/// # Safety
/// The panel's factors are readable, and as many bytes as it says writable.
#[inline(always)]
pub(super) unsafe fn store(s: &ConvShape, panel: Panel, sums: &[i32; PANEL], to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let cut = Cut::new(s.least, s.greatest, s.zero_point);
        let factors = { &*panel.factors.cast::<[f32; PANEL]>() };
        let mut integers = [0u8; PANEL];
        for ((integer, &sum), &factor) in integers.iter_mut().zip(sums).zip(factors) {
            *integer = cut.integer(sum as f32 * factor);
        }
        integers.as_ptr().copy_to_nonoverlapping(to, panel.written);
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) unsafe extern "C" fn conv(
    shape: *const u8,
    input: *const u8,
    other: *const u8,
    output: *mut u8,
    task: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { one_task::<Portable>(&*shape.cast(), input, other, output, task) }
}
