//! Covers a map's pixels with tiles: how rows are grouped, and how large each tile is.

use crate::plan::data::{Move, Region, Repeat, Segment};
use crate::tile::Pixel;

/// Most tiles with displacements of their own in one group of rows: each is a kernel, and all must fit the
/// instruction cache together.
const MAX_CROSSING_TILES: usize = 9;

/// Pixels of a row whose tiles of both sizes are one task at most.
const LONG_ROW: usize = 4096;

/// Byte distances of one operand between neighbouring output pixels.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pitch {
    pub(crate) row: i64,
    pub(crate) pixel: i64,
}

/// A map of output pixels to be covered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PixelGrid {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) input: Pitch,
    pub(crate) output: Pitch,
    pub(crate) residual: Pitch,
}

/// A tile shape before it has taps: pixels relative to the tile's first.
pub(crate) type TilePixels = Vec<Pixel>;

impl PixelGrid {
    /// Where a pixel stands.
    fn at(&self, y: usize, x: usize) -> Move {
        let at = |pitch: Pitch| pitch.row * y as i64 + pitch.pixel * x as i64;
        Move {
            input: at(self.input),
            weights: 0,
            output: at(self.output),
            residual: at(self.residual),
            ahead: 0,
        }
    }

    /// The same pixels as one long row, if every operand allows it.
    fn flattened(mut self) -> PixelGrid {
        // No halo and no gap between rows: the first pixel of a row is one pitch after the last of the row before.
        let straight = |pitch: Pitch| pitch.row == pitch.pixel * self.width as i64;
        if straight(self.input) && straight(self.output) && straight(self.residual) {
            (self.height, self.width) = (1, self.height * self.width);
        }
        self
    }

    /// Covers the map with tiles of at most `most` pixels.
    ///
    /// `output_vectors` are the byte offsets of the filter vectors of one output pixel; `block_pixels` is how many
    /// pixels a task should have. Returns regions whose segments name tile shapes.
    pub(crate) fn cover(
        self,
        most: usize,
        output_vectors: &[i32],
        block_pixels: usize,
    ) -> (Vec<Region>, Vec<TilePixels>) {
        let map = self.flattened();
        let mut shapes = Vec::new();
        let group = map.rows_of_a_group(most);
        let mut regions = Vec::new();
        let (whole, rest) = (map.height / group, map.height % group);
        for (first, rows, count) in [(0, group, whole), (whole * group, rest, usize::from(rest > 0))] {
            if count == 0 {
                continue;
            }
            let segments = segments(map.tiles(rows, most), &mut shapes);
            let start = map.at(first, 0);
            let step = map.at(rows, 0);
            if count == 1 && (rows * map.width > block_pixels || rows * map.width > LONG_ROW) {
                // One row of several tasks, or too long to list its tiles: each of its segments is a region.
                for segment in segments {
                    let tile = &shapes[segment.specs[0]];
                    regions.push(Region {
                        start: start.plus(segment.start),
                        rows: segment.tiles,
                        block: block_pixels.div_ceil(tile.len()).max(1),
                        segments: vec![Segment {
                            start: Move::default(),
                            tiles: Repeat {
                                count: 1,
                                step: Move::default(),
                            },
                            specs: segment.specs,
                        }],
                        runs: runs(tile.iter().map(|pixel| i64::from(pixel.output)), output_vectors),
                    });
                }
            } else {
                regions.push(Region {
                    start,
                    rows: Repeat { count, step },
                    block: block_pixels.div_ceil(rows * map.width).max(1),
                    segments,
                    runs: runs(map.tiles(rows, most).flatten().map(|at| at.output), output_vectors),
                });
            }
        }
        (regions, shapes)
    }

    /// How many rows tiles may cross: as many as make the tiles fullest.
    fn rows_of_a_group(&self, most: usize) -> usize {
        let tiles = |pixels: usize| if pixels == 0 { 0.0 } else { cost(pixels, most) };
        let total = |rows: usize| {
            (self.height / rows) as f64 * tiles(rows * self.width) + tiles(self.height % rows * self.width)
        };
        let allowed = |rows: &usize| (rows * self.width).div_ceil(most) <= MAX_CROSSING_TILES;
        // A gain of less than a percent is not worth the kernels.
        (2..=self.height).filter(allowed).fold(
            1,
            |best, rows| if total(rows) < 0.99 * total(best) { rows } else { best },
        )
    }

    /// The tiles of `rows` rows: near-equal, none above `most` pixels. One by one, as a map may have billions.
    fn tiles(&self, rows: usize, most: usize) -> impl Iterator<Item = Vec<Move>> {
        let pixels = rows * self.width;
        let count = pixels.div_ceil(most);
        let (size, larger) = (pixels / count, pixels % count);
        let mut next = 0;
        (0..count).map(move |tile| {
            let end = next + size + usize::from(tile < larger);
            let tile = (next..end)
                .map(|pixel| self.at(pixel / self.width, pixel % self.width))
                .collect();
            next = end;
            tile
        })
    }
}

impl Move {
    /// Both displacements.
    pub(crate) fn plus(self, other: Move) -> Move {
        Move {
            input: self.input + other.input,
            weights: self.weights + other.weights,
            output: self.output + other.output,
            residual: self.residual + other.residual,
            ahead: self.ahead + other.ahead,
        }
    }

    fn minus(self, other: Move) -> Move {
        Move {
            input: self.input - other.input,
            weights: self.weights - other.weights,
            output: self.output - other.output,
            residual: self.residual - other.residual,
            ahead: self.ahead - other.ahead,
        }
    }
}

/// Time for so many pixels in tiles of near-equal size, in full-speed pixels: small tiles wait for their multiply–adds.
fn cost(pixels: usize, most: usize) -> f64 {
    // Share of the peak that a tile reaches with 6/6, 5/6, … of the accumulators of the largest; measured.
    const SHARE: [f64; 7] = [0.0, 0.28, 0.52, 0.76, 0.94, 0.96, 1.0];
    /// Pixels with which a tile of any instruction set is at the peak.
    const ENOUGH: usize = 12;
    let count = pixels.div_ceil(most);
    let time = |size: usize| {
        let full = size as f64 / most.min(ENOUGH) as f64 * 6.0;
        let (below, part) = ((full.floor() as usize).min(6), full.fract());
        let share = SHARE[below] + part * (SHARE[(below + 1).min(6)] - SHARE[below]);
        if size == 0 { 0.0 } else { size as f64 / share }
    };
    let larger = pixels % count;
    larger as f64 * time(pixels / count + 1) + (count - larger) as f64 * time(pixels / count)
}

/// Where a list has something; at its end, if it did not have it.
pub(crate) fn place_of<T: PartialEq>(one: T, list: &mut Vec<T>) -> usize {
    list.iter().position(|known| *known == one).unwrap_or_else(|| {
        list.push(one);
        list.len() - 1
    })
}

/// Joins neighbouring tiles of the same shape into segments.
fn segments(tiles: impl Iterator<Item = Vec<Move>>, shapes: &mut Vec<TilePixels>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for tile in tiles {
        let start = tile[0];
        let shape: TilePixels = tile
            .iter()
            .map(|&pixel| {
                let at = pixel.minus(start);
                // What does not fit is refused when the specification is validated.
                let offset = |bytes: i64| i32::try_from(bytes).unwrap_or(i32::MAX);
                Pixel {
                    input: offset(at.input),
                    output: offset(at.output),
                    residual: offset(at.residual),
                }
            })
            .collect();
        let index = place_of(shape, shapes);
        if let Some(last) = segments.last_mut().filter(|last| last.specs == [index]) {
            let ahead = start.minus(last.start);
            let count = last.tiles.count;
            let step = if count == 1 { ahead } else { last.tiles.step };
            let expected = Move {
                input: step.input * count as i64,
                weights: 0,
                output: step.output * count as i64,
                residual: step.residual * count as i64,
                ahead: 0,
            };
            if ahead == expected {
                last.tiles = Repeat { count: count + 1, step };
                continue;
            }
        }
        segments.push(Segment {
            start,
            tiles: Repeat {
                count: 1,
                step: Move::default(),
            },
            specs: vec![index],
        });
    }
    segments
}

/// Merges the outputs of pixels × vectors into contiguous runs of floats.
fn runs(pixels: impl Iterator<Item = i64>, output_vectors: &[i32]) -> Vec<(i64, usize)> {
    let mut starts: Vec<i64> = pixels
        .flat_map(|pixel| output_vectors.iter().map(move |&vector| pixel + i64::from(vector)))
        .collect();
    starts.sort_unstable();
    let mut runs: Vec<(i64, usize)> = Vec::new();
    for start in starts {
        match runs.last_mut() {
            Some((first, floats)) if *first + 4 * *floats as i64 == start => *floats += 8,
            _ => runs.push((start, 8)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs of all pixels that the regions touch.
    fn outputs(regions: &[Region], shapes: &[TilePixels]) -> Vec<i64> {
        let mut all = Vec::new();
        for region in regions {
            for row in 0..region.rows.count as i64 {
                for segment in &region.segments {
                    for tile in 0..segment.tiles.count as i64 {
                        let base = region.start.output
                            + row * region.rows.step.output
                            + segment.start.output
                            + tile * segment.tiles.step.output;
                        all.extend(
                            shapes[segment.specs[0]]
                                .iter()
                                .map(|pixel| base + i64::from(pixel.output)),
                        );
                    }
                }
            }
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn every_pixel_is_covered_once() {
        for (height, width) in [
            (1, 1),
            (1, 7),
            (7, 7),
            (14, 14),
            (13, 13),
            (28, 28),
            (5, 56),
            (3, 113),
            (55, 2),
        ] {
            for halo in [0, 1] {
                for most in [4, 6, 12] {
                    let row = (width as i64 + halo) * 32;
                    let pitch = Pitch { row, pixel: 32 };
                    let map = PixelGrid {
                        height,
                        width,
                        input: pitch,
                        output: pitch,
                        residual: Pitch::default(),
                    };
                    let (regions, shapes) = map.cover(most, &[0], 40);
                    let expected: Vec<i64> = (0..height as i64)
                        .flat_map(|y| (0..width as i64).map(move |x| y * row + x * 32))
                        .collect();
                    assert_eq!(outputs(&regions, &shapes), expected, "{height}×{width}, at most {most}");
                    assert!(shapes.iter().all(|shape| shape.len() <= most));
                }
            }
        }
    }

    #[test]
    fn small_maps_cross_rows() {
        let pitch = Pitch { row: 9 * 32, pixel: 32 };
        let map = PixelGrid {
            height: 7,
            width: 7,
            input: pitch,
            output: pitch,
            residual: Pitch::default(),
        };
        let (_, shapes) = map.cover(6, &[0], 1000);
        assert!(
            shapes.iter().all(|shape| shape.len() >= 5),
            "no small tails: {shapes:?}"
        );
    }
}
