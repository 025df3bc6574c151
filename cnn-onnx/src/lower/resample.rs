//! Resampling that the language has no word for (cubic, antialiased): along each axis a matrix of constants.

use crate::network::Keys;
use crate::node::Node;
use crate::tensor::Tensor;
use crate::value::Data;
use cnn_ir::shape::Shape;

/// Which place of the input a place of the result is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    HalfPixel,
    /// As `HalfPixel`, but around the middle of the input, whatever is cut off of the fractional size.
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
}

/// How a place between pixels gets its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Filter {
    Linear,
    /// Keys' cubic convolution with this coefficient.
    Cubic(f64),
}

/// Resampling along one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Resample {
    pub(super) filter: Filter,
    pub(super) place: Place,
    /// Whether the filter widens with the step where the map becomes smaller.
    pub(super) antialias: bool,
    /// Whether pixels beyond the border count nothing; otherwise they are those at the border.
    pub(super) exclude_outside: bool,
}

/// A map whose rows (axis 1) or columns (axis 2) become those that a matrix `[new, old]` makes of them.
fn along(node: &mut Node<'_>, data: &Data, axis: usize, matrix: Tensor) -> Result<Data, String> {
    let matrix = if axis == 1 {
        matrix
    } else {
        node.turned(&matrix, &[1, 0])?
    };
    let shape = Shape::map(1, matrix.dims[0], matrix.dims[1]);
    let matrix = node.constant_layer(&matrix, shape)?;
    let operands = if axis == 1 { [&matrix, data] } else { [data, &matrix] };
    node.helper("matmul", Keys::new(), &operands)
}

impl Filter {
    /// How far it reaches.
    fn reach(self) -> f64 {
        match self {
            Filter::Linear => 1.0,
            Filter::Cubic(_) => 2.0,
        }
    }

    /// The weight of a pixel at that distance.
    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            Filter::Linear => (1.0 - x).max(0.0),
            Filter::Cubic(a) if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            Filter::Cubic(a) if x < 2.0 => a * (((x - 5.0) * x + 8.0) * x - 4.0),
            Filter::Cubic(_) => 0.0,
        }
    }
}

impl Resample {
    /// The place in the input (0 is the middle of the first pixel) of place `x` of the result: `n` places become `m`,
    /// by the factor `scale`.
    fn place(&self, x: usize, n: usize, m: usize, scale: f64) -> f64 {
        let (x, n, m) = (x as f64, n as f64, m as f64);
        let half = (x + 0.5) / scale - 0.5;
        match self.place {
            Place::HalfPixel => half,
            Place::HalfPixelSymmetric => n / 2.0 * (1.0 - m / (n * scale)) + half,
            Place::PytorchHalfPixel | Place::AlignCorners if m == 1.0 => 0.0,
            Place::PytorchHalfPixel => half,
            Place::AlignCorners => x * (n - 1.0) / (m - 1.0),
            Place::Asymmetric => x / scale,
        }
    }

    /// The weights `[m, n]`: row `x` is what place `x` of the result is made of.
    fn matrix(&self, n: usize, m: usize, scale: f64) -> Vec<f32> {
        // A filter is stretched to `1/shrink` pixels.
        let shrink = if self.antialias { scale.min(1.0) } else { 1.0 };
        let reach = self.filter.reach() / shrink;
        let mut matrix = vec![0.0f32; n * m];
        for (x, row) in matrix.chunks_exact_mut(n).enumerate() {
            let place = self.place(x, n, m, scale);
            let (first, last) = ((place - reach).floor() as i64, (place + reach).ceil() as i64);
            let weight = |pixel: i64| self.filter.weight((pixel as f64 - place) * shrink);
            let inside = |pixel: i64| (0..n as i64).contains(&pixel);
            let counted = || (first..=last).filter(|&pixel| !self.exclude_outside || inside(pixel));
            let sum: f64 = counted().map(weight).sum();
            for pixel in counted() {
                row[pixel.clamp(0, n as i64 - 1) as usize] += (weight(pixel) / sum) as f32;
            }
        }
        matrix
    }

    /// The map resampled to that many rows and columns, by those factors.
    pub(super) fn resample(
        &self,
        node: &mut Node<'_>,
        data: &Data,
        size: [usize; 2],
        scale: [f64; 2],
    ) -> Result<Data, String> {
        let [_, height, width] = data.shape.extent();
        let mut data = data.clone();
        for (axis, n) in [(1, height), (2, width)] {
            let (size, scale) = (size[axis - 1], scale[axis - 1]);
            if (n, scale) != (size, 1.0) {
                node.network.spend(&[size, n])?;
                let matrix = Tensor::from_floats(vec![size, n], self.matrix(n, size, scale));
                data = along(node, &data, axis, matrix)?;
            }
        }
        Ok(data)
    }
}
