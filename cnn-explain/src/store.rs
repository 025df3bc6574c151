//! Numbers as bytes beside the JSON: whole tensors and boxes of them in f32, pictures in u8.

use serde::Serialize;

use crate::Data;

/// A network explained: what the page is told, and the numbers that this refers to.
#[derive(Debug)]
pub struct Explained {
    /// All but the numbers.
    pub data: Data,
    /// The numbers, little-endian.
    pub numbers: Vec<u8>,
}

/// So many elements, so many bytes into the numbers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Blob {
    at: usize,
    count: usize,
}

/// A box of a value: from a channel, row and column on, so many of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Region {
    /// First channel, row and column.
    pub at: [usize; 3],
    /// Channels, rows and columns.
    pub size: [usize; 3],
}

/// Numbers of a box, in f32, row-major.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Part {
    #[serde(flatten)]
    region: Region,
    blob: Blob,
}

/// The channels of a value as pictures: each scaled to its own range.
#[derive(Clone, Debug, Serialize)]
pub struct Picture {
    /// How many channels, the first ones.
    channels: usize,
    /// Rows and columns of each picture.
    size: [usize; 2],
    /// Pixels of the value a side that one pixel of a picture averages.
    scale: usize,
    /// u8, channel by channel.
    blob: Blob,
    /// Least and greatest value of each channel's picture: two f32 each.
    ranges: Blob,
}

/// What the page has of a value.
#[derive(Clone, Debug, Serialize)]
pub struct Stored {
    /// Channels, rows and columns.
    pub extent: [usize; 3],
    /// Least and greatest element that is finite.
    pub range: [f32; 2],
    /// Exact numbers; one part that covers all if all are here.
    pub parts: Vec<Part>,
    /// Pictures, where the parts do not cover all.
    pub picture: Option<Picture>,
}

impl Region {
    /// All of a value.
    pub(crate) fn all(extent: [usize; 3]) -> Region {
        Region {
            at: [0; 3],
            size: extent,
        }
    }

    pub(crate) fn elements(&self) -> usize {
        self.size.iter().product()
    }

    /// Whether it holds all of the other.
    pub(crate) fn covers(&self, other: &Region) -> bool {
        (0..3).all(|axis| {
            self.at[axis] <= other.at[axis] && other.at[axis] + other.size[axis] <= self.at[axis] + self.size[axis]
        })
    }
}

/// How large pictures are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PictureLimit {
    pub(crate) channels: usize,
    pub(crate) side: usize,
}

/// The block of numbers while it grows.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) bytes: Vec<u8>,
}

impl Store {
    fn floats(&mut self, floats: impl Iterator<Item = f32>) -> Blob {
        // f32 arrays begin at multiples of 4.
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let at = self.bytes.len();
        floats.for_each(|x| self.bytes.extend(x.to_le_bytes()));
        Blob {
            at,
            count: (self.bytes.len() - at) / 4,
        }
    }

    /// A value with all its numbers.
    pub(crate) fn whole(&mut self, extent: [usize; 3], elements: &[f32]) -> Stored {
        self.parts(extent, elements, &[Region::all(extent)])
    }

    /// A value with the numbers of some boxes. `elements` are all of it, row-major.
    pub(crate) fn parts(&mut self, extent: [usize; 3], elements: &[f32], regions: &[Region]) -> Stored {
        let [_, rows, columns] = extent;
        let parts = regions.iter().map(|region| {
            let [c, y, x] = region.at;
            let [channels, height, width] = region.size;
            let lines = (c..c + channels).flat_map(|c| (y..y + height).map(move |y| (c * rows + y) * columns + x));
            let numbers = lines.flat_map(|line| &elements[line..line + width]).copied();
            Part {
                region: *region,
                blob: self.floats(numbers),
            }
        });
        Stored {
            extent,
            parts: parts.collect(),
            range: range(elements),
            picture: None,
        }
    }

    /// Pictures of the first channels, averaged down where a map is larger than the limit.
    pub(crate) fn picture(&mut self, extent: [usize; 3], elements: &[f32], limit: PictureLimit) -> Picture {
        let [channels, rows, columns] = extent;
        let channels = channels.min(limit.channels);
        let scale = rows.max(columns).div_ceil(limit.side).max(1);
        let size = [rows.div_ceil(scale), columns.div_ceil(scale)];
        let (mut ranges, mut pixels) = (Vec::new(), Vec::new());
        for plane in elements.chunks_exact(rows * columns).take(channels) {
            let averaged: Vec<f32> = (0..size[0] * size[1])
                .map(|pixel| average(plane, [rows, columns], [pixel / size[1], pixel % size[1]], scale))
                .collect();
            let [least, greatest] = range(&averaged);
            let width = (greatest - least).max(f32::MIN_POSITIVE);
            ranges.extend([least, greatest]);
            // The cast saturates; NaN is black.
            pixels.extend(averaged.iter().map(|x| ((x - least) / width * 255.0).round() as u8));
        }
        let ranges = self.floats(ranges.into_iter());
        let blob = Blob {
            at: self.bytes.len(),
            count: pixels.len(),
        };
        self.bytes.extend(pixels);
        Picture {
            channels,
            size,
            scale,
            blob,
            ranges,
        }
    }
}

/// The mean of a square of pixels, as far as the map reaches.
fn average(plane: &[f32], [rows, columns]: [usize; 2], [row, column]: [usize; 2], scale: usize) -> f32 {
    let (bottom, right) = (((row + 1) * scale).min(rows), ((column + 1) * scale).min(columns));
    let lines = (row * scale..bottom).map(|y| &plane[y * columns + column * scale..y * columns + right]);
    let count = (bottom - row * scale) * (right - column * scale);
    lines.flatten().sum::<f32>() / count as f32
}

/// The least and greatest finite element; zeros if there is none.
fn range(elements: &[f32]) -> [f32; 2] {
    let finite = elements.iter().copied().filter(|x| x.is_finite());
    let [least, greatest] = finite.fold([f32::INFINITY, f32::NEG_INFINITY], |[least, greatest], x| {
        [least.min(x), greatest.max(x)]
    });
    if least <= greatest { [least, greatest] } else { [0.0; 2] }
}
