//! Pictures as inputs: turned as their camera says, fitted, channels converted, scaled to 0 … 1, normalised.
//!
//! | module | what it owns |
//! |---|---|
//! | `decode` | from a file's bytes to pixels as they are stored: formats, bounds, orientation |
//! | `webp` | whether a WebP file's parts are what its decoder takes them for |
//! | `fit` | which part of a picture goes where, at which size |
//! | `resample` | that part in another size, channel by channel |
//! | `encode` | an array as a PNG file |

mod decode;
mod encode;
mod fit;
mod resample;
mod webp;

use std::io::Read;
use std::path::Path;

use cnn_runtime::memory;
use ndarray::Array3;

use super::open_regular;
use crate::Error;
use crate::error::bytes;
use decode::Picture;

pub use encode::fill_png;
pub use fit::Fit;

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

/// What is done to a picture before a network gets it.
///
/// torchvision's `Resize(256)`, `CenterCrop(224)`, `ToTensor()`, `Normalize(…)` is
///
/// ```
/// use cnn::io::image::{Fit, Normalise, Preparation};
///
/// let torchvision = Preparation {
///     fit: Fit::Cover,
///     resize: Some(256),
///     crop: Some(224),
///     normalise: Normalise { mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] },
///     ..Preparation::default()
/// };
/// # assert_ne!(torchvision, Preparation::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preparation {
    /// How it gets the input's size.
    pub fit: Fit,
    /// Pixels that the shorter side has before [`Fit::Cover`] cuts; just enough if `None`.
    pub resize: Option<usize>,
    /// Pixels of the square that [`Fit::Cover`] cuts from the middle: the input's height and width.
    pub crop: Option<usize>,
    /// What follows scaling to 0 … 1.
    pub normalise: Normalise,
    /// Bytes that decoding may take; what the machine has available if `None`.
    pub max_memory: Option<u64>,
}

/// Reads a picture as `[channels, height, width]`: grey for one channel, RGB for three (transparency is dropped), turned
/// as its EXIF orientation says, brought to `shape` as `how` says (bilinearly, with antialiasing when it shrinks, as PIL
/// does), scaled to 0 … 1, then normalised.
///
/// PNG, JPEG, WebP, BMP and GIF (the first frame) are told by their content, not by the file's name.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] if the file is no such picture, is damaged, truncated or needs more memory than allowed,
/// if the channels are neither 1 nor 3, or the preparation does not fit.
pub fn read(path: &Path, shape: [usize; 3], how: &Preparation) -> Result<Array3<f32>, Error> {
    let (mut file, length) = open_regular(path)?;
    let wrong = |problem| Error::File {
        path: path.into(),
        problem,
    };
    memory::allow(u128::from(length), how.max_memory).map_err(|limit| wrong(too_large(u128::from(length), limit)))?;
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(|source| Error::Io {
        action: "read",
        path: path.into(),
        source,
    })?;
    convert(&content, shape, how).map_err(wrong)
}

/// Reads a picture file's bytes as [`read`] does; `origin` names them in messages.
///
/// # Errors
/// [`Error::File`] as [`read`].
pub fn from_bytes(bytes: &[u8], origin: &str, shape: [usize; 3], how: &Preparation) -> Result<Array3<f32>, Error> {
    convert(bytes, shape, how).map_err(|problem| Error::File {
        path: origin.into(),
        problem,
    })
}

/// The height and width that a picture has once it is turned, told from its header.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] as [`read`].
pub fn size(path: &Path) -> Result<[usize; 2], Error> {
    let (file, _) = open_regular(path)?;
    decode::size(std::io::BufReader::new(file)).map_err(|problem| Error::File {
        path: path.into(),
        problem,
    })
}

/// Whether a file beginning so is a picture of a kind that is read.
pub fn is_picture(start: &[u8]) -> bool {
    decode::format(start).is_ok()
}

fn too_large(needed: u128, limit: u64) -> String {
    format!(
        "reading the picture needs {}, but may take {}",
        bytes(needed),
        bytes(u128::from(limit))
    )
}

fn convert(content: &[u8], [channels, height, width]: [usize; 3], how: &Preparation) -> Result<Array3<f32>, String> {
    if channels != 1 && channels != 3 {
        return Err(format!(
            "a picture gives 1 or 3 channels, the input needs {channels}; use a .npy file"
        ));
    }
    let per_channel = how.normalise.per_channel(channels)?;
    let header = decode::Header::read(content)?;
    let placed = fit::place(header.turned(), [height, width], how)?;
    let source = placed.turned_back(header.orientation);
    let needed = header.decoding_bytes(content.len())
        + resample::bytes(&source, channels)
        + (channels as u128 * height as u128 * width as u128) * size_of::<f32>() as u128;
    memory::allow(needed, how.max_memory).map_err(|limit| {
        let [height, width] = header.stored;
        format!("{} ({width} × {height} pixels)", too_large(needed, limit))
    })?;
    let no_memory = |_| format!("there is no memory for the {} that the picture needs", bytes(needed));
    let picture = Picture::decode(header, content)?;
    let part = resample::resample(&picture, &source, channels).map_err(no_memory)?;
    drop(picture);
    let mut elements = Vec::new();
    let count = channels * height * width; // counted above, in 128 bits, and allowed
    elements.try_reserve_exact(count).map_err(no_memory)?;
    elements.resize(count, 0.0);
    let mut array = Array3::from_shape_vec((channels, height, width), elements).map_err(|error| error.to_string())?;
    for (channel, mut plane) in array.outer_iter_mut().enumerate() {
        placed.each(header.orientation, |[y, x], [row, column]| {
            plane[[y, x]] = part.at(channel, row, column);
        });
    }
    for (mut plane, (mean, std)) in array.outer_iter_mut().zip(per_channel) {
        plane.mapv_inplace(|value| (value - mean) / std);
    }
    Ok(array)
}

#[cfg(test)]
mod tests;
