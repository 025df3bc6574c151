//! How a buffer's elements stand in memory, and where each one is.

use cnn_ir::op::Sides;
use cnn_ir::shape::Shape;
use cnn_ir::value::ValueType;
use cnn_runtime::kernels::integer::pitch;

/// Channels of one block, floats of one vector.
pub const BLOCK: usize = 8;

/// Internal vectors are padded to so many floats, the widest group of outputs that a matrix–vector tile writes.
const VECTOR_PAD: usize = 64;

/// The order of a buffer's elements.
///
/// A halo is a physical border that holds zeros, so that a convolution reads its padding like any other pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub enum Layout {
    /// `[N][C][H][W]`: what users give and get, and what flat vectors are.
    Planar {
        /// Zeros around each plane.
        halo: Sides,
    },
    /// `[N][H][W][C]`: inputs declared `hwc`.
    Hwc,
    /// `[N][H][W][C]`, channels rounded up to [`pitch`](cnn_runtime::kernels::integer::pitch): 8-bit integers.
    Pixels {
        /// The integer that stands for 0 around each map.
        halo: Sides,
    },
    /// `[N][⌈C/8⌉][H][W][8]`: every map of floats inside the network. Lanes beyond the last channel hold finite values
    /// that nobody reads with a weight other than 0.
    Blocked {
        /// Zeros around each plane.
        halo: Sides,
    },
}

/// Distances between neighbouring elements, counted in elements.
///
/// Element `(n, c, y, x)` stands at `origin + n·image + (c / 8)·block + (c % 8)·lane + y·row + x·pixel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Strides {
    /// Of the first element: after the halo's first rows and columns.
    pub origin: usize,
    /// Between images.
    pub image: usize,
    /// Between blocks of eight channels.
    pub block: usize,
    /// Between channels of one block.
    pub lane: usize,
    /// Between rows.
    pub row: usize,
    /// Between columns.
    pub pixel: usize,
}

impl Strides {
    /// Distance of a channel from the first.
    pub fn channel(&self, channel: usize) -> usize {
        channel / BLOCK * self.block + channel % BLOCK * self.lane
    }

    /// Whether the eight channels of a block are one vector.
    pub fn is_blocked(&self) -> bool {
        self.lane == 1
    }
}

/// Blocks of eight channels that a blocked buffer has room for: enough for whole panels of two or three vectors.
pub fn room(blocks: usize) -> usize {
    if blocks > 3 && !blocks.is_multiple_of(2) && !blocks.is_multiple_of(3) {
        blocks + 1
    } else {
        blocks
    }
}

impl Layout {
    /// Planar without a halo.
    pub const PLANAR: Layout = Layout::Planar { halo: NO_HALO };

    /// The zeros around each plane.
    pub fn halo(&self) -> Sides {
        match *self {
            Layout::Planar { halo } | Layout::Pixels { halo } | Layout::Blocked { halo } => halo,
            Layout::Hwc => NO_HALO,
        }
    }

    /// Strides of a batch of values, and its bytes; `None` if no address could reach them all.
    pub fn sized(&self, value: ValueType, batch: usize, external: bool) -> Option<(Strides, usize)> {
        let strides = self.strides(value.shape, external)?;
        let elements = strides.image.checked_mul(batch)?;
        let bytes = elements.checked_mul(value.element.bytes())?;
        // Half of what `isize` has: a kernel's addresses may run ahead of what it touches.
        (bytes <= isize::MAX as usize / 2).then_some((strides, bytes))
    }

    /// Strides of a tensor of that shape; `None` if its size overflows.
    ///
    /// `external` buffers are the user's and hold nothing but the elements; internal vectors are padded, so that
    /// kernels may write whole groups of vectors.
    pub fn strides(&self, shape: Shape, external: bool) -> Option<Strides> {
        let [c, h, w] = shape.extent();
        let halo = self.halo();
        let columns = halo.left.checked_add(w)?.checked_add(halo.right)?;
        let rows = halo.top.checked_add(h)?.checked_add(halo.bottom)?;
        let plane = rows.checked_mul(columns)?;
        let first = halo.top.checked_mul(columns)?.checked_add(halo.left)?;
        let padded = |n: usize| {
            if external {
                Some(n)
            } else {
                n.checked_next_multiple_of(VECTOR_PAD)
            }
        };
        Some(match self {
            Layout::Planar { .. } => Strides {
                origin: first,
                image: padded(c.checked_mul(plane)?)?,
                block: plane.checked_mul(BLOCK)?,
                lane: plane,
                row: columns,
                pixel: 1,
            },
            Layout::Hwc => Strides {
                origin: 0,
                image: c.checked_mul(plane)?,
                block: BLOCK,
                lane: 1,
                row: w.checked_mul(c)?,
                pixel: c,
            },
            Layout::Pixels { .. } => {
                let pixel = pitch(c);
                Strides {
                    origin: first.checked_mul(pixel)?,
                    image: padded(pixel.checked_mul(plane)?)?,
                    block: BLOCK,
                    lane: 1,
                    row: columns.checked_mul(pixel)?,
                    pixel,
                }
            }
            Layout::Blocked { .. } => {
                let block = plane.checked_mul(BLOCK)?;
                Strides {
                    origin: first.checked_mul(BLOCK)?,
                    image: padded(room(c.div_ceil(BLOCK)).checked_mul(block)?)?,
                    block,
                    lane: 1,
                    row: columns.checked_mul(BLOCK)?,
                    pixel: BLOCK,
                }
            }
        })
    }
}

const NO_HALO: Sides = Sides {
    top: 0,
    left: 0,
    bottom: 0,
    right: 0,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_of_a_blocked_map_has_its_own_place() {
        let halo = Sides {
            top: 1,
            left: 2,
            bottom: 0,
            right: 1,
        };
        let shape = Shape::map(11, 3, 4);
        let s = Layout::Blocked { halo }.strides(shape, false).unwrap();
        let mut seen = std::collections::HashSet::new();
        for n in 0..2 {
            for c in 0..11 {
                for y in 0..3 {
                    for x in 0..4 {
                        let at = s.origin + n * s.image + s.channel(c) + y * s.row + x * s.pixel;
                        assert!(at < (n + 1) * s.image, "within its image");
                        assert!(seen.insert(at));
                    }
                }
            }
        }
    }

    #[test]
    fn a_vector_is_contiguous_in_every_internal_layout() {
        for layout in [Layout::PLANAR, Layout::Blocked { halo: NO_HALO }] {
            let s = layout.strides(Shape::Flat(20), false).unwrap();
            assert!((0..20).all(|c| s.channel(c) == c));
            assert_eq!(s.image, 64);
        }
        assert_eq!(Layout::PLANAR.strides(Shape::Flat(20), true).unwrap().image, 20);
    }

    #[test]
    fn an_absurd_size_is_refused() {
        assert_eq!(Layout::PLANAR.strides(Shape::map(usize::MAX / 2, 3, 3), false), None);
    }
}
