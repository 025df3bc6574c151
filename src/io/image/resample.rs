//! A part of a picture in another size: a triangle over the source, as wide as a pixel of the result where it shrinks, as
//! PIL's `BILINEAR` and PyTorch's `antialias=True`.
//!
//! The source is read once, row by row: each row is resampled along itself and added to the rows of the result that it is
//! part of. Beside the result, a row for each channel is all that is in memory.

use std::collections::TryReserveError;
use std::ops::Range;

use super::decode::Picture;
use super::fit::{Placed, Side};

/// Which pixels of the source make each pixel of the result, and how much.
struct Taps {
    /// For each pixel of the result its first pixel of the source and its weights.
    pixels: Vec<(usize, Range<usize>)>,
    weights: Vec<f32>,
}

/// Half the width of the triangle, in pixels of the source.
fn support(side: &Side) -> f64 {
    (side.source as f64 / side.resized as f64).max(1.0)
}

/// At least as many weights as a pixel of the result has.
fn most_weights(side: &Side) -> usize {
    // The cast saturates.
    ((support(side) * 2.0).ceil() as usize)
        .saturating_add(2)
        .min(side.source)
}

impl Taps {
    fn new(side: &Side) -> Result<Taps, TryReserveError> {
        let scale = side.source as f64 / side.resized as f64;
        let support = support(side);
        let mut taps = Taps {
            pixels: room(side.window.len())?,
            weights: room(side.window.len().saturating_mul(most_weights(side)))?,
        };
        for pixel in side.window.clone() {
            let centre = (pixel as f64 + 0.5) * scale;
            // Casts saturate; the last pixel is always one of the source's.
            let first = ((centre - support + 0.5).max(0.0) as usize).min(side.source - 1);
            let end = ((centre + support + 0.5) as usize).clamp(first + 1, side.source);
            let weight = |at: usize| (1.0 - (at as f64 + 0.5 - centre).abs() / support).max(0.0);
            let sum: f64 = (first..end).map(weight).sum();
            let start = taps.weights.len();
            taps.weights
                .extend((first..end).map(|at| if sum > 0.0 { (weight(at) / sum) as f32 } else { 1.0 }));
            taps.pixels.push((first, start..taps.weights.len()));
        }
        Ok(taps)
    }

    fn of(&self, pixel: usize) -> (usize, &[f32]) {
        let (first, weights) = &self.pixels[pixel];
        (*first, &self.weights[weights.clone()])
    }
}

fn room<T>(count: usize) -> Result<Vec<T>, TryReserveError> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(count)?;
    Ok(vector)
}

fn zeros(count: usize) -> Result<Vec<f32>, TryReserveError> {
    let mut vector = room(count)?;
    vector.resize(count, 0.0);
    Ok(vector)
}

/// The wanted part of a picture in its new size.
pub(super) struct Part {
    planes: Vec<Vec<f32>>,
    width: usize,
}

impl Part {
    /// A pixel's value; row and column count within the window.
    pub(super) fn at(&self, channel: usize, row: usize, column: usize) -> f32 {
        self.planes[channel][row * self.width + column]
    }
}

/// What [`resample`] takes, in bytes.
pub(super) fn bytes(placed: &Placed, channels: usize) -> u128 {
    let size = size_of::<f32>() as u128;
    let side = |side: &Side| {
        let weights = side.window.len() as u128 * most_weights(side) as u128;
        weights * size + side.window.len() as u128 * size_of::<(usize, Range<usize>)>() as u128
    };
    let (rows, columns) = (&placed.rows, &placed.columns);
    let result = rows.window.len() as u128 * columns.window.len() as u128;
    let row = columns.source as u128 + columns.window.len() as u128;
    side(rows) + side(columns) + (result + row) * channels as u128 * size
}

/// Resamples `channels` channels (one: grey, three: RGB) of a picture as it is stored.
pub(super) fn resample(picture: &Picture, placed: &Placed, channels: usize) -> Result<Part, TryReserveError> {
    let (rows, columns) = (Taps::new(&placed.rows)?, Taps::new(&placed.columns)?);
    let (height, width) = (placed.rows.window.len(), placed.columns.window.len());
    let mut planes = room(channels)?;
    let mut source = room(channels)?;
    for _ in 0..channels {
        planes.push(zeros(height * width)?);
        source.push(zeros(placed.columns.source)?);
    }
    let mut row = zeros(width)?;
    let whole = |pixel: usize| {
        let (first, weights) = rows.of(pixel);
        first..first + weights.len()
    };
    if height == 0 || width == 0 {
        return Ok(Part { planes, width });
    }
    let mut begun = 0;
    for y in whole(0).start..whole(height - 1).end {
        // First and last source pixels ascend with the pixel of the result: those before `begun` are done.
        while begun < height && whole(begun).end <= y {
            begun += 1;
        }
        picture.row(y, &mut source);
        for (source, plane) in source.iter().zip(&mut planes) {
            for (x, value) in row.iter_mut().enumerate() {
                let (first, weights) = columns.of(x);
                *value = source[first..]
                    .iter()
                    .zip(weights)
                    .map(|(value, weight)| value * weight)
                    .sum();
            }
            for result in (begun..height).take_while(|&result| whole(result).start <= y) {
                let (first, weights) = rows.of(result);
                let weight = weights[y - first];
                for (sum, value) in plane[result * width..][..width].iter_mut().zip(&row) {
                    *sum += value * weight;
                }
            }
        }
    }
    Ok(Part { planes, width })
}
