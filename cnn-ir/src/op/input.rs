//! Inputs of the network.

use super::attributes::Attributes;
use super::fault::sized;
use super::operator::Operator;
use super::{Arity, Fault};
use crate::shape::Shape;
use crate::value::ElementType;

/// The order in which the user's arrays hold an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputLayout {
    /// `[N, C, H, W]`, PyTorch's.
    Chw,
    /// `[N, H, W, C]`, TensorFlow's and image files'.
    Hwc,
}

/// An image or vector that the user gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its shape, always as channels, height, width.
    pub shape: Shape,
    /// How the user's arrays are laid out.
    pub layout: InputLayout,
}

impl Default for Input {
    fn default() -> Self {
        Input {
            shape: Shape::Flat(1),
            layout: InputLayout::Chw,
        }
    }
}

impl Input {
    /// The shape of the user's array for one image: `[H, W, C]` under [`InputLayout::Hwc`].
    pub fn array_dims(&self) -> Vec<usize> {
        match (self.layout, self.shape) {
            (
                InputLayout::Hwc,
                Shape::Map {
                    channels,
                    height,
                    width,
                },
            ) => vec![height, width, channels],
            (InputLayout::Chw | InputLayout::Hwc, shape) => shape.dims(),
        }
    }
}

impl Operator for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn doc(&self) -> &'static str {
        "an image or vector that the user gives"
    }

    /// The key `shape` has the order of the user's arrays.
    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        let mut declared = Shape::from_dims(&self.array_dims()).unwrap_or(self.shape);
        a.shape("shape", &mut declared);
        a.word(
            "layout",
            &mut self.layout,
            &[("chw", InputLayout::Chw), ("hwc", InputLayout::Hwc)],
        );
        self.shape = match (self.layout, declared) {
            (
                InputLayout::Hwc,
                Shape::Map {
                    channels: h,
                    height: w,
                    width: c,
                },
            ) => Shape::map(c, h, w),
            (InputLayout::Chw | InputLayout::Hwc, _) => declared,
        };
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(0)
    }

    fn element(&self, _operands: &[ElementType]) -> ElementType {
        ElementType::F32
    }

    fn shape(&self, _operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        sized(self.shape, "shape")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{OP, keys, list, text};
    use super::super::{Dialect, Op};
    use super::*;
    use crate::span::Spanned;

    #[test]
    fn hwc_arrays_are_maps_all_the_same() {
        let written = keys(&[("shape", list(&[32, 30, 3])), ("layout", text("hwc"))]);
        let read = Op::read(&Spanned::new("input".to_owned(), OP), &written, Dialect::Dump);
        let Ok(Op::Input(input)) = read else { panic!("{read:?}") };
        assert_eq!(input.shape, Shape::map(3, 32, 30));
        assert_eq!(input.array_dims(), [32, 30, 3]);
        assert_eq!(Op::Input(input).shape(&[]), Ok(Shape::map(3, 32, 30)));
    }
}
