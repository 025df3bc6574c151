//! PNG and JPEG files as inputs: channels converted, resized, scaled to 0 … 1, normalised.

use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageBuffer, ImageFormat, ImageReader, Limits, Luma, Rgb};
use ndarray::Array3;

use super::open_regular;
use crate::Error;

/// What a decoder may allocate: a 16-megapixel photograph takes a fifth of it.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// ITU-R BT.601 luma, as PIL's and torchvision's conversions to grey.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// The `(value − mean) / std` that follows scaling to 0 … 1: one value for all channels, or one a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalise {
    /// Subtracted.
    pub mean: Vec<f32>,
    /// Divided by.
    pub std: Vec<f32>,
}

impl Default for Normalise {
    /// Nothing happens: mean 0, std 1.
    fn default() -> Self {
        Normalise {
            mean: vec![0.0],
            std: vec![1.0],
        }
    }
}

impl Normalise {
    /// Mean and std of each of `channels` channels, or what is wrong.
    fn per_channel(&self, channels: usize) -> Result<Vec<(f32, f32)>, String> {
        let spread = |values: &[f32], what: &str| match values {
            [one] => Ok(vec![*one; channels]),
            _ if values.len() == channels => Ok(values.to_vec()),
            _ => Err(format!(
                "expected one value for {what} or one for each of the {channels} channels, found {}",
                values.len()
            )),
        };
        let (mean, std) = (spread(&self.mean, "mean")?, spread(&self.std, "std")?);
        if std.iter().any(|&std| std == 0.0 || !std.is_finite()) || mean.iter().any(|mean| !mean.is_finite()) {
            return Err("mean and std must be finite, std not 0".to_owned());
        }
        Ok(mean.into_iter().zip(std).collect())
    }
}

/// Reads an image as `[channels, height, width]`: grey for one channel, RGB for three (transparency is dropped),
/// resized bilinearly (with antialiasing when it shrinks, as PIL does), scaled to 0 … 1, then normalised.
///
/// The format is told from the content, not from the file's name.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] if the file is no PNG or JPEG, is damaged or too big, if the channels are neither
/// 1 nor 3, or the normalisation does not fit.
pub fn read(path: &Path, shape: [usize; 3], normalise: &Normalise) -> Result<Array3<f32>, Error> {
    let (file, _) = open_regular(path)?;
    convert(BufReader::new(file), shape, normalise).map_err(|problem| Error::File {
        path: path.into(),
        problem,
    })
}

/// Reads an image file's bytes as [`read`] does; `origin` names them in messages.
///
/// # Errors
/// [`Error::File`] as [`read`].
pub fn from_bytes(bytes: &[u8], origin: &str, shape: [usize; 3], normalise: &Normalise) -> Result<Array3<f32>, Error> {
    convert(Cursor::new(bytes), shape, normalise).map_err(|problem| Error::File {
        path: origin.into(),
        problem,
    })
}

fn convert(
    file: impl BufRead + Seek,
    [channels, height, width]: [usize; 3],
    normalise: &Normalise,
) -> Result<Array3<f32>, String> {
    if channels != 1 && channels != 3 {
        return Err(format!(
            "an image gives 1 or 3 channels, the input needs {channels}; use a .npy file"
        ));
    }
    let per_channel = normalise.per_channel(channels)?;
    let side = |what: &str, side: usize| {
        u32::try_from(side).map_err(|_| format!("an image cannot be resized to a {what} of {side}"))
    };
    let (rows, columns) = (side("height", height)?, side("width", width)?);
    let image = decode(file)?;
    let mut array = if channels == 1 {
        let pixels = resize(&grey(&image), columns, rows);
        Array3::from_shape_fn((1, height, width), |(_, y, x)| {
            pixels.get_pixel(x as u32, y as u32).0[0]
        })
    } else {
        let pixels = resize(&image.to_rgb32f(), columns, rows);
        Array3::from_shape_fn((3, height, width), |(c, y, x)| {
            pixels.get_pixel(x as u32, y as u32).0[c]
        })
    };
    for (mut plane, (mean, std)) in array.outer_iter_mut().zip(per_channel) {
        plane.mapv_inplace(|value| (value - mean) / std);
    }
    Ok(array)
}

fn decode(file: impl BufRead + Seek) -> Result<DynamicImage, String> {
    let mut reader = ImageReader::new(file)
        .with_guessed_format()
        .map_err(|error| format!("the image cannot be read: {error}"))?;
    match reader.format() {
        Some(ImageFormat::Png | ImageFormat::Jpeg) => {}
        Some(other) => {
            let name = other
                .extensions_str()
                .first()
                .copied()
                .unwrap_or("unknown")
                .to_uppercase();
            return Err(format!("expected a PNG or JPEG image, found {name}"));
        }
        None => return Err("expected a PNG or JPEG image or a .npy array, found neither".into()),
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    reader
        .decode()
        .map_err(|error| format!("the image cannot be decoded: {error}"))
}

fn grey(image: &DynamicImage) -> ImageBuffer<Luma<f32>, Vec<f32>> {
    if !image.color().has_color() {
        // The alpha channel, if any, goes; the rest stays exact.
        let luma = image.to_luma16();
        return ImageBuffer::from_fn(luma.width(), luma.height(), |x, y| {
            Luma([f32::from(luma.get_pixel(x, y).0[0]) / f32::from(u16::MAX)])
        });
    }
    let rgb = image.to_rgb32f();
    ImageBuffer::from_fn(rgb.width(), rgb.height(), |x, y| {
        let Rgb(pixel) = rgb.get_pixel(x, y);
        Luma([pixel.iter().zip(LUMA).map(|(value, share)| value * share).sum()])
    })
}

fn resize<P>(image: &ImageBuffer<P, Vec<f32>>, width: u32, height: u32) -> ImageBuffer<P, Vec<f32>>
where
    P: image::Pixel<Subpixel = f32> + 'static,
{
    if image.dimensions() == (width, height) {
        image.clone()
    } else {
        imageops::resize(image, width, height, FilterType::Triangle)
    }
}

#[cfg(test)]
mod tests;
