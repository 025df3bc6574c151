//! Maps enlarged by whole factors.

use super::attributes::Attributes;
use super::composite::{Composed, Expansion, Value};
use super::fault::{map, of_map, sized};
use super::operator::Operator;
use super::window::both;
use super::{Coordinates, Fault, Op, Pair, Resize, ResizeMode, ResizeTo, Rounding};
use crate::shape::Shape;

/// How new pixels get their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsampleMode {
    /// From the nearest pixel: `⌊i / scale⌋`.
    Nearest,
    /// From the four around it, pixel centres at ½ (align_corners off).
    Bilinear,
}

/// A map enlarged by whole factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upsample {
    /// Vertical and horizontal factor.
    pub scale: Pair,
    /// Interpolation.
    pub mode: UpsampleMode,
}

impl Default for Upsample {
    fn default() -> Self {
        Upsample {
            scale: Pair::ONE,
            mode: UpsampleMode::Nearest,
        }
    }
}

impl Operator for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn doc(&self) -> &'static str {
        "a map enlarged by whole factors; corners not aligned"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.pair("scale", &mut self.scale, None);
        let modes = [("nearest", UpsampleMode::Nearest), ("bilinear", UpsampleMode::Bilinear)];
        a.word("mode", &mut self.mode, &modes);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("upsample", operands[0])?;
        let (rows, columns) = (height.saturating_mul(self.scale.h), width.saturating_mul(self.scale.w));
        sized(Shape::map(channels, rows, columns), "scale")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let axis = |n: usize, scale: usize| format!("{n}·{scale} = {}", n.saturating_mul(scale));
        of_map(operands, |_, height, width| {
            both(axis(height, self.scale.h), axis(width, self.scale.w))
        })
    }
}

impl Composed for Upsample {
    fn expand(&self, operands: &[Value], _: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let [_, height, width] = operands[0].shape.extent();
        let size = Pair {
            h: height * self.scale.h,
            w: width * self.scale.w,
        };
        let resize = Resize {
            to: ResizeTo::Size(size),
            mode: match self.mode {
                // With half pixels and a whole factor, no place is as near to one pixel as to another: this is ⌊i / scale⌋,
                // and without the rounding to single precision that PyTorch's ways have.
                UpsampleMode::Nearest => ResizeMode::Nearest(Rounding::PreferFloor),
                UpsampleMode::Bilinear => ResizeMode::Bilinear,
            },
            coordinates: Coordinates::HalfPixel,
        };
        (resize.into(), operands.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, int, list, read, text};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 5);

    #[test]
    fn upsample_multiplies() {
        let upsample = read("upsample", &[("scale", list(&[2, 3])), ("mode", text("bilinear"))]).expect("an operator");
        assert_eq!(upsample.shape(&[MAP]), Ok(Shape::map(12, 8, 15)));
        assert_eq!(upsample.formula(&[MAP]), "height: 4·2 = 8, width: 5·3 = 15");
        assert_eq!(fault(&upsample, &[Shape::Flat(3)]).key, Some("from"));
    }

    #[test]
    fn the_nearest_pixel_is_the_quotient_whatever_the_factor() {
        for scale in [1, 2, 3, 5, 7, 100, 333] {
            let upsample = read("upsample", &[("scale", int(scale as i64))]).expect("an operator");
            let Op::Composite(composite) = &upsample else {
                panic!("{upsample:?}")
            };
            let (graph, node) = composite.expanded(&[MAP]);
            let Op::Resize(resize) = &graph[node].op else {
                panic!("{composite:?}")
            };
            for (n, axis) in [4, 5].into_iter().zip(resize.axes(4, 5)) {
                assert_eq!(axis.size, n * scale);
                assert!((0..axis.size).all(|i| axis.tap(i).first == i / scale), "{scale}");
            }
        }
    }
}
