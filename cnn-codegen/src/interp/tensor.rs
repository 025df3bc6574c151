//! One image's value in f64, and its layout: channels, rows, columns.

use cnn_ir::shape::Shape;

/// One image's value on an edge of the graph, in the order channels, rows, columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its shape.
    pub shape: Shape,
    /// Its elements.
    pub data: Vec<f64>,
}

impl Tensor {
    /// A tensor of zeros; `None` if there is no memory for it.
    pub(super) fn zeros(shape: Shape) -> Option<Tensor> {
        let mut data = Vec::new();
        data.try_reserve_exact(shape.elements()).ok()?;
        data.resize(shape.elements(), 0.0);
        Some(Tensor { shape, data })
    }

    /// Channels, or the length of a vector.
    pub fn channels(&self) -> usize {
        self.shape.channels()
    }

    /// Rows; 1 for a vector.
    pub fn height(&self) -> usize {
        match self.shape {
            Shape::Map { height, .. } => height,
            Shape::Flat(_) => 1,
        }
    }

    /// Columns; 1 for a vector.
    pub fn width(&self) -> usize {
        match self.shape {
            Shape::Map { width, .. } => width,
            Shape::Flat(_) => 1,
        }
    }

    /// The element at a channel, row and column.
    pub fn at(&self, channel: usize, row: usize, column: usize) -> f64 {
        self.data[self.offset(channel, row, column)]
    }

    /// The element at a channel, row and column, where the only place of an axis counts for all.
    pub(super) fn spread(&self, channel: usize, row: usize, column: usize) -> f64 {
        let place = |i: usize, size: usize| if size == 1 { 0 } else { i };
        self.at(
            place(channel, self.channels()),
            place(row, self.height()),
            place(column, self.width()),
        )
    }

    /// Where the element at a channel, row and column may be written.
    pub(super) fn at_mut(&mut self, channel: usize, row: usize, column: usize) -> &mut f64 {
        let offset = self.offset(channel, row, column);
        &mut self.data[offset]
    }

    /// Where in `data` the element at a channel, row and column is.
    pub(super) fn offset(&self, channel: usize, row: usize, column: usize) -> usize {
        (channel * self.height() + row) * self.width() + column
    }

    /// The elements of one channel.
    pub fn plane(&self, channel: usize) -> &[f64] {
        let plane = self.shape.plane();
        &self.data[channel * plane..][..plane]
    }

    /// Sets every element to `f(channel, row, column)`.
    pub(super) fn fill(&mut self, mut f: impl FnMut(usize, usize, usize) -> f64) {
        for channel in 0..self.channels() {
            for row in 0..self.height() {
                for column in 0..self.width() {
                    *self.at_mut(channel, row, column) = f(channel, row, column);
                }
            }
        }
    }
}
