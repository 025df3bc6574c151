//! Maps of any other size, by interpolation (ONNX's `Resize`).

use super::attributes::{Attributes, Kind};
use super::fault::{map, of_map, sized};
use super::operator::Operator;
use super::range::Range;
use super::reader::Reader;
use super::window::both;
use super::{Fault, Pair, ResizeAxis, values};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// How large the result is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResizeTo {
    /// So many rows and columns; factors are those of the sizes.
    Size(Pair),
    /// `⌊n · factor⌋` in single precision, vertically and horizontally. Coordinates go by the factor itself, taken as the
    /// simplest fraction that single precision does not tell from it (0.33333334 is ⅓), unless the map keeps its size.
    Scale([f32; 2]),
}

/// Which place of the input a place `x` of the result is at, for `n` places becoming `m`; where a factor is declared, `n/m`
/// is one over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// `(x + ½) · n/m − ½`: pixels are areas.
    HalfPixel,
    /// `x · (n − 1)/(m − 1)`: the first and last pixels stay where they are.
    AlignCorners,
    /// `x · n/m`
    Asymmetric,
    /// As `HalfPixel`, but 0 where the result has a single place.
    PytorchHalfPixel,
}

/// Which place is the nearest to one between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// The one before.
    Floor,
    /// The one behind.
    Ceil,
    /// The nearer one; of two as near the one before.
    PreferFloor,
    /// The nearer one; of two as near the one behind.
    PreferCeil,
}

/// How a place between pixels gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizeMode {
    /// It is that of one pixel. `Asymmetric` with `Floor` is PyTorch's `nearest`, `HalfPixel` with `PreferCeil` its
    /// `nearest-exact`: to the pixel, as PyTorch multiplies in single precision.
    Nearest(Rounding),
    /// From the four around it; no more of them when the map becomes smaller (no antialiasing).
    Bilinear,
}

/// A map of another height and width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resize {
    /// How large.
    pub to: ResizeTo,
    /// Interpolation.
    pub mode: ResizeMode,
    /// Where pixels are.
    pub coordinates: Coordinates,
}

impl Default for Resize {
    fn default() -> Self {
        Resize {
            to: ResizeTo::Size(Pair::ONE),
            mode: ResizeMode::Nearest(Rounding::Floor),
            coordinates: Coordinates::HalfPixel,
        }
    }
}

/// The words of `coordinates`, the default first.
const COORDINATES: [(&str, Coordinates); 4] = [
    ("half_pixel", Coordinates::HalfPixel),
    ("align_corners", Coordinates::AlignCorners),
    ("asymmetric", Coordinates::Asymmetric),
    ("pytorch_half_pixel", Coordinates::PytorchHalfPixel),
];
/// The words of `rounding`, the default first.
const ROUNDING: [(&str, Rounding); 4] = [
    ("floor", Rounding::Floor),
    ("ceil", Rounding::Ceil),
    ("round_prefer_floor", Rounding::PreferFloor),
    ("round_prefer_ceil", Rounding::PreferCeil),
];

impl Resize {
    /// Vertical and horizontal half for an input of `height` × `width`.
    pub fn axes(&self, height: usize, width: usize) -> [ResizeAxis; 2] {
        let (sizes, scales) = match self.to {
            ResizeTo::Size(size) => ([size.h, size.w], [None; 2]),
            ResizeTo::Scale(scales) => {
                let size = |n: usize, scale: f32| (n as f32 * scale) as usize;
                ([size(height, scales[0]), size(width, scales[1])], scales.map(Some))
            }
        };
        // PyTorch and ONNX Runtime copy a map that keeps its size, whatever the factors.
        let same = sizes == [height, width];
        [(height, 0), (width, 1)].map(|(n, axis)| {
            let scale = scales[axis].filter(|_| !same);
            ResizeAxis::new(n, sizes[axis], scale, self.mode, self.coordinates)
        })
    }

    /// How many rows (0) or columns (1) there will be, of so many.
    fn size_formula(&self, axis: ResizeAxis, i: usize) -> String {
        match self.to {
            ResizeTo::Size(_) => format!("{} become {}", axis.n, axis.size),
            ResizeTo::Scale(scales) => format!("⌊{}·{}⌋ = {}", axis.n, scales[i], axis.size),
        }
    }
}

impl Operator for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn doc(&self) -> &'static str {
        "rows and columns as ONNX's `Resize` makes them; a scale counts as the simplest fraction that single precision \
         does not tell from it, as PyTorch means it"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["interpolate"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        let (mut size, mut scale) = match self.to {
            ResizeTo::Size(size) => (Some(size), None),
            ResizeTo::Scale(factors) => (None, Some(factors)),
        };
        a.one_of("size", "scale");
        let read = |reader: &mut Reader<'_>, key, _| reader.optional_pair(key);
        let kind = Kind::Pair { least: 1 };
        a.attribute("size", &mut size, Some(None), kind, read, |size| size.map(values::pair));
        let read = |reader: &mut Reader<'_>, key, _| reader.factors(key);
        let write = |factors: Option<[f32; 2]>| factors.map(values::factors);
        a.attribute("scale", &mut scale, Some(None), Kind::Factors, read, write)
            .instead_of("size");
        self.to = match (size, scale) {
            (_, Some(factors)) => ResizeTo::Scale(factors),
            (Some(size), None) => ResizeTo::Size(size),
            (None, None) => self.to,
        };
        let (mut bilinear, mut rounding) = match self.mode {
            ResizeMode::Nearest(rounding) => (false, rounding),
            ResizeMode::Bilinear => (true, ROUNDING[0].1),
        };
        a.word("mode", &mut bilinear, &[("nearest", false), ("bilinear", true)]);
        a.word("coordinates", &mut self.coordinates, &COORDINATES);
        a.word("rounding", &mut rounding, &ROUNDING).doc("of nearest");
        let fault = "`rounding` is for `mode = \"nearest\"`: a bilinear place is between pixels";
        a.refuse(&["rounding"], bilinear.then(|| fault.to_owned()));
        self.mode = if bilinear {
            ResizeMode::Bilinear
        } else {
            ResizeMode::Nearest(rounding)
        };
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("resize", operands[0])?;
        let axes = self.axes(height, width);
        for (i, unit) in ["rows", "columns"].into_iter().enumerate() {
            if axes[i].size == 0 {
                let message = format!(
                    "`scale` leaves nothing of {} {unit}: {}",
                    axes[i].n,
                    self.size_formula(axes[i], i)
                );
                return Err(Fault::new("scale", message).into());
            }
        }
        let key = match self.to {
            ResizeTo::Size(_) => "size",
            ResizeTo::Scale(_) => "scale",
        };
        sized(Shape::map(channels, axes[0].size, axes[1].size), key)
    }

    fn does_nothing(&self, x: Shape) -> Option<&'static str> {
        let [_, height, width] = x.extent();
        // Both axes count: if one of them changes, the other's factor may be a little above 1 and move pixels all the same.
        let still = self.axes(height, width).iter().all(ResizeAxis::is_identity);
        still.then_some("the map has that size already")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        of_map(operands, |_, height, width| {
            let [rows, columns] = self.axes(height, width);
            both(self.size_formula(rows, 0), self.size_formula(columns, 1))
        })
    }
}

impl Reader<'_> {
    /// Height and width from 1 up, or one integer for both, if it is written.
    fn optional_pair(&mut self, key: &'static str) -> Option<Pair> {
        let value = self.value(key, false)?;
        Some(self.two(key, value, 1).unwrap_or(Pair::ONE))
    }

    /// Two factors above 0, or one for both, if it is written.
    fn factors(&mut self, key: &'static str) -> Option<[f32; 2]> {
        let value = self.value(key, false)?;
        let factors = match &value.kind {
            ValueKind::Integer(_) | ValueKind::Float(_) => vec![self.number_of(key, value, value, Range::POSITIVE)],
            ValueKind::List(items) if items.len() == 2 => {
                let each = |item| self.number_of(key, value, item, Range::POSITIVE);
                items.iter().map(each).collect()
            }
            _ => vec![self.wrong_type(key, value, "a number or [vertical, horizontal]")],
        };
        let factor = |i: usize| factors[i].map_or(1.0, |factor| factor as f32);
        Some([factor(0), factor(factors.len() - 1)])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{error, fault, int, list, read, text, value_at};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 5);

    #[test]
    fn a_size_or_a_scale_says_how_large() {
        let size = read("resize", &[("size", list(&[7, 3]))]).expect("an operator");
        assert_eq!(size.shape(&[MAP]), Ok(Shape::map(12, 7, 3)));
        assert_eq!(size.formula(&[MAP]), "height: 4 become 7, width: 5 become 3");
        let scale = read("resize", &[("scale", ValueKind::Float(0.7))]).expect("an operator");
        // In single precision, as ONNX has it: 10 · 0.7 is not below 7.
        assert_eq!(scale.shape(&[Shape::map(1, 10, 5)]), Ok(Shape::map(1, 7, 3)));
        assert_eq!(
            scale.formula(&[Shape::map(1, 10, 5)]),
            "height: ⌊10·0.7⌋ = 7, width: ⌊5·0.7⌋ = 3"
        );
        let small = fault(&scale, &[Shape::map(3, 4, 1)]);
        assert_eq!(
            (small.key, small.message.as_str()),
            (Some("scale"), "`scale` leaves nothing of 1 columns: ⌊1·0.7⌋ = 0")
        );
    }

    #[test]
    fn mistakes_are_explained() {
        assert_eq!(error("resize", &[]).0, "`resize` needs the key `size` or `scale`");
        let both = error("resize", &[("size", int(4)), ("scale", int(2))]);
        assert_eq!(
            both,
            ("`resize` takes `size` or `scale`, not both".to_owned(), value_at(1))
        );
        assert_eq!(
            error("resize", &[("sizes", int(4))]).0,
            "`resize` has no key `sizes`; did you mean `size`?"
        );
        assert_eq!(
            error("resize", &[("scale", int(0))]).0,
            "`scale` must be a finite number above 0, found 0"
        );
        let rounding = [("size", int(4)), ("mode", text("bilinear")), ("rounding", text("ceil"))];
        assert!(
            error("resize", &rounding)
                .0
                .starts_with("`rounding` is for `mode = \"nearest\"`")
        );
        assert!(
            error("resize", &[("size", int(4)), ("coordinates", text("half_pixels"))])
                .0
                .ends_with("did you mean `half_pixel`?")
        );
    }

    fn axis(n: usize, to: ResizeTo, mode: ResizeMode, coordinates: Coordinates) -> ResizeAxis {
        Resize { to, mode, coordinates }.axes(n, 1)[0]
    }

    fn places(axis: ResizeAxis) -> Vec<usize> {
        (0..axis.size).map(|i| axis.tap(i).first).collect()
    }

    #[test]
    fn the_nearest_place_depends_on_coordinates_and_rounding() {
        let of = |n, m, coordinates, rounding| {
            let size = ResizeTo::Size(Pair { h: m, w: 1 });
            places(axis(n, size, ResizeMode::Nearest(rounding), coordinates))
        };
        assert_eq!(of(2, 5, Coordinates::Asymmetric, Rounding::Floor), [0, 0, 0, 1, 1]);
        assert_eq!(of(2, 5, Coordinates::Asymmetric, Rounding::Ceil), [0, 1, 1, 1, 1]);
        // At −0.25, 0.25, 0.75, 1.25
        assert_eq!(of(2, 4, Coordinates::HalfPixel, Rounding::PreferFloor), [0, 0, 1, 1]);
        assert_eq!(of(2, 4, Coordinates::HalfPixel, Rounding::Floor), [0, 0, 0, 1]);
        // At 0, 0.5, 1
        assert_eq!(of(2, 3, Coordinates::AlignCorners, Rounding::PreferFloor), [0, 0, 1]);
        assert_eq!(of(2, 3, Coordinates::AlignCorners, Rounding::PreferCeil), [0, 1, 1]);
        assert_eq!(of(5, 1, Coordinates::PytorchHalfPixel, Rounding::Floor), [0]);
        assert_eq!(of(5, 1, Coordinates::HalfPixel, Rounding::Floor), [2]);
        // A whole quotient stays whole.
        let thirds = of(3, 9, Coordinates::Asymmetric, Rounding::Floor);
        assert_eq!(thirds, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    }

    #[test]
    fn bilinear_places_share_their_neighbours() {
        let size = ResizeTo::Size(Pair { h: 4, w: 1 });
        let axis = axis(2, size, ResizeMode::Bilinear, Coordinates::HalfPixel);
        let taps: Vec<_> = (0..4)
            .map(|i| axis.tap(i))
            .map(|tap| (tap.first, tap.second, tap.share))
            .collect();
        assert_eq!(taps, [(0, 0, 0.75), (0, 1, 0.25), (0, 1, 0.75), (1, 1, 0.25)]);
    }

    #[test]
    fn a_factor_counts_itself_not_the_sizes() {
        let scale = ResizeTo::Scale([0.6, 1.0]);
        let half = axis(4, scale, ResizeMode::Bilinear, Coordinates::HalfPixel);
        // 2 of 2.4 places: the second one's centre is at 1.5 / 0.6 − 0.5.
        assert_eq!((half.size, half.tap(1).first, half.tap(1).share), (2, 2, 0.0));
        assert!(!half.is_identity());
        // Corners are aligned as the places are, whatever the factor.
        let aligned = axis(4, scale, ResizeMode::Bilinear, Coordinates::AlignCorners);
        assert_eq!((aligned.tap(1).first, aligned.tap(1).share), (3, 0.0));
        // A map that keeps its size is copied.
        assert!(
            axis(
                2,
                ResizeTo::Scale([1.25, 1.0]),
                ResizeMode::Bilinear,
                Coordinates::HalfPixel
            )
            .is_identity()
        );
        let Ok(Op::Resize(same)) = read("resize", &[("scale", int(1))]) else {
            panic!("an operator")
        };
        assert!(same.axes(4, 5).iter().all(ResizeAxis::is_identity));
    }
}
