//! An array as a PNG file.

use std::io::{Error, Write};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use ndarray::ArrayViewD;

/// Writes one map `[channels, height, width]` of 1 or 3 channels, whatever ones are in front, as an 8-bit PNG file:
/// `low` is black, `high` white, what lies outside as the nearer of them, NaN black.
///
/// # Errors
/// The writer's; an array that is no such map.
pub fn fill_png(writer: &mut dyn Write, array: ArrayViewD<'_, f32>, (low, high): (f32, f32)) -> Result<(), Error> {
    let [.., channels @ (1 | 3), height, width] = *array.shape() else {
        return Err(Error::other(format!(
            "an array of shape {:?} is no picture",
            array.shape()
        )));
    };
    let map = array.to_shape([channels, height, width]).map_err(Error::other)?;
    // The cast saturates, and takes NaN to 0.
    let level = |value: &f32| ((value - low) / (high - low) * 255.0).round() as u8;
    let pixels: Vec<u8> = map.view().permuted_axes([1, 2, 0]).iter().map(level).collect();
    let side = |side: usize| u32::try_from(side).map_err(Error::other);
    let color = match channels {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let encoder = PngEncoder::new(writer);
    encoder
        .write_image(&pixels, side(width)?, side(height)?, color)
        .map_err(Error::other)
}
