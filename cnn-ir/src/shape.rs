//! Shapes of what flows along an edge of the graph, without the batch.

use std::fmt;

/// The largest dimension, and the largest count (filters, kernel, stride …), that a network may declare.
pub const MAX_DIMENSION: usize = i32::MAX as usize;

/// The largest number of elements of one image's tensor: what keeps every byte offset within `isize`
/// for any sensible batch.
pub const MAX_ELEMENTS: usize = 1 << 48;

/// The shape of one image's value: a feature map or a flat vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Shape {
    /// `[channels, height, width]`.
    Map {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// `[n]`.
    Flat(usize),
}

impl Shape {
    /// `[channels, height, width]`.
    pub const fn map(channels: usize, height: usize, width: usize) -> Shape {
        Shape::Map {
            channels,
            height,
            width,
        }
    }

    /// One or three dimensions; anything else is `None`.
    pub fn from_dims(dims: &[usize]) -> Option<Shape> {
        match *dims {
            [n] => Some(Shape::Flat(n)),
            [channels, height, width] => Some(Shape::map(channels, height, width)),
            _ => None,
        }
    }

    /// The dimensions, outermost first.
    pub fn dims(&self) -> Vec<usize> {
        match *self {
            Shape::Map {
                channels,
                height,
                width,
            } => vec![channels, height, width],
            Shape::Flat(n) => vec![n],
        }
    }

    /// Channels, height and width; a vector is so many channels of one pixel.
    pub const fn extent(self) -> [usize; 3] {
        match self {
            Shape::Map {
                channels,
                height,
                width,
            } => [channels, height, width],
            Shape::Flat(n) => [n, 1, 1],
        }
    }

    /// Both spread to one shape: along each axis the sizes are equal, or 1 (numpy's broadcasting of shapes with as many
    /// dimensions). `None` if they do not fit each other.
    pub fn broadcast(self, other: Shape) -> Option<Shape> {
        let (a, b) = (self.dims(), other.dims());
        let spread = |(&a, &b): (&usize, &usize)| match (a, b) {
            (1, n) | (n, 1) => Some(n),
            (a, b) => (a == b).then_some(a),
        };
        let dims: Option<Vec<_>> = a.iter().zip(&b).map(spread).collect();
        (a.len() == b.len()).then_some(())?;
        Shape::from_dims(&dims?)
    }

    /// The shape with another size along an axis (0 channels or the only one, 1 rows, 2 columns). `None` if it has no
    /// such axis.
    pub fn with_size(self, axis: usize, size: usize) -> Option<Shape> {
        let mut dims = self.dims();
        *dims.get_mut(axis)? = size;
        Shape::from_dims(&dims)
    }

    /// Channels of a map, length of a vector: what per-channel weights run over.
    pub fn channels(&self) -> usize {
        match *self {
            Shape::Map { channels, .. } => channels,
            Shape::Flat(n) => n,
        }
    }

    /// Elements of one channel: `height · width`, 1 for a vector.
    pub fn plane(&self) -> usize {
        match *self {
            Shape::Map { height, width, .. } => height * width,
            Shape::Flat(_) => 1,
        }
    }

    /// The number of elements. Does not overflow for a shape that passed [`Shape::checked`].
    pub fn elements(&self) -> usize {
        self.channels() * self.plane()
    }

    /// The shape itself if it has no dimension of 0 or above [`MAX_DIMENSION`] and at most [`MAX_ELEMENTS`] elements.
    pub fn checked(self) -> Option<Shape> {
        let mut elements = 1usize;
        for dim in self.dims() {
            if dim == 0 || dim > MAX_DIMENSION {
                return None;
            }
            elements = elements.checked_mul(dim)?;
        }
        (elements <= MAX_ELEMENTS).then_some(self)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Shape::Map {
                channels,
                height,
                width,
            } => write!(f, "[{channels}, {height}, {width}]"),
            Shape::Flat(n) => write!(f, "[{n}]"),
        }
    }
}
