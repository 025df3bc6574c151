//! A border of one value, or of what is near it.

use super::attributes::Attributes;
use super::fault::{map, of_map, sized};
use super::operator::Operator;
use super::range::Range;
use super::window::both;
use super::{Fault, Sides};
use crate::shape::Shape;

/// What a border holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PadMode {
    /// One value.
    #[default]
    Constant,
    /// The map mirrored at its outermost pixels, which are not repeated.
    Reflect,
    /// The nearest pixel.
    Edge,
    /// The map again from its other end.
    Wrap,
}

/// A border around a map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pad {
    /// How wide on each side.
    pub sides: Sides,
    /// What it holds.
    pub mode: PadMode,
    /// The value of a constant border.
    pub value: f32,
}

impl Pad {
    /// The place of the operand that place `i` of the result is, along an axis of `n` places with `before` before them;
    /// `None` for a constant.
    pub fn source(&self, i: usize, before: usize, n: usize) -> Option<usize> {
        // Borders are at most a map wide, so everything is within one map of it.
        let inside = |place: usize| (place < n).then_some(place);
        match i.checked_sub(before).and_then(inside) {
            Some(place) => Some(place),
            None => match self.mode {
                PadMode::Constant => None,
                PadMode::Edge => Some(if i < before { 0 } else { n - 1 }),
                PadMode::Reflect if i < before => Some(before - i),
                PadMode::Reflect => Some((2 * (n - 1)).saturating_sub(i - before)),
                PadMode::Wrap if i < before => Some(n - (before - i)),
                PadMode::Wrap => Some(i - before - n),
            },
        }
    }
}

impl Operator for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn doc(&self) -> &'static str {
        "a border around a map: of one value, the map mirrored, its outermost pixels, or its other end"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.sides("padding", &mut self.sides, None).doc("how wide on each side");
        let modes = [
            ("constant", PadMode::Constant),
            ("reflect", PadMode::Reflect),
            ("edge", PadMode::Edge),
            ("wrap", PadMode::Wrap),
        ];
        a.word("mode", &mut self.mode, &modes);
        a.single("value", &mut self.value, Some(0.0), Range::EXTENDED)
            .doc("of a constant border");
        let other = "`value` is for `mode = \"constant\"`: other borders hold elements of the map";
        a.refuse(&["value"], (self.mode != PadMode::Constant).then(|| other.to_owned()));
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("pad", operands[0])?;
        let Sides {
            top,
            left,
            bottom,
            right,
        } = self.sides;
        for (n, widest, unit) in [(height, top.max(bottom), "rows"), (width, left.max(right), "columns")] {
            let most = match self.mode {
                PadMode::Constant | PadMode::Edge => continue,
                PadMode::Reflect => n - 1,
                PadMode::Wrap => n,
            };
            if widest > most {
                let message = format!("`padding` of {widest} {unit} needs more than the {n} {unit} of the input");
                let note = format!("at most {most} can be taken from it");
                return Err(Fault::new("padding", message).note(note).into());
            }
        }
        let rows = height.saturating_add(self.sides.top).saturating_add(self.sides.bottom);
        let columns = width.saturating_add(self.sides.left).saturating_add(self.sides.right);
        sized(Shape::map(channels, rows, columns), "padding")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let axis = |n: usize, before: usize, after: usize| {
            let sum = n.saturating_add(before).saturating_add(after);
            if before == after {
                format!("{n} + 2·{before} = {sum}")
            } else {
                format!("{n} + {before} + {after} = {sum}")
            }
        };
        let Sides {
            top,
            left,
            bottom,
            right,
        } = self.sides;
        of_map(operands, |_, height, width| {
            both(axis(height, top, bottom), axis(width, left, right))
        })
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        (self.sides == Sides::default()).then_some("the border is 0 wide")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, int, list, read, text};
    use super::*;
    use crate::ast::ValueKind;

    const MAP: Shape = Shape::map(12, 4, 5);

    #[test]
    fn borders_hold_places_of_the_map() {
        let row = |mode| {
            let sides = Sides::default();
            let pad = Pad {
                sides,
                mode,
                value: 0.0,
            };
            (0..7).map(|i| pad.source(i, 2, 3)).collect::<Option<Vec<_>>>()
        };
        assert_eq!(row(PadMode::Constant), None);
        assert_eq!(row(PadMode::Reflect), Some(vec![2, 1, 0, 1, 2, 1, 0]));
        assert_eq!(row(PadMode::Edge), Some(vec![0, 0, 0, 1, 2, 2, 2]));
        assert_eq!(row(PadMode::Wrap), Some(vec![1, 2, 0, 1, 2, 0, 1]));
        let mirrored = |width: i64| {
            let keys = [("padding", int(width)), ("mode", text("reflect"))];
            read("pad", &keys).expect("an operator")
        };
        assert_eq!(mirrored(3).shape(&[MAP]), Ok(Shape::map(12, 10, 11)));
        let wide = fault(&mirrored(4), &[MAP]);
        assert_eq!(
            wide.message,
            "`padding` of 4 rows needs more than the 4 rows of the input"
        );
    }

    fn op(padding: ValueKind) -> Op {
        read("pad", &[("padding", padding)]).expect("an operator")
    }

    #[test]
    fn pad_widens() {
        let pad = op(list(&[1, 0, 2, 3]));
        assert_eq!(pad.shape(&[MAP]), Ok(Shape::map(12, 7, 8)));
        assert_eq!(pad.formula(&[MAP]), "height: 4 + 1 + 2 = 7, width: 5 + 0 + 3 = 8");
        let wide = op(int(i64::from(i32::MAX)));
        assert_eq!(fault(&wide, &[MAP]).key, Some("padding"));
    }
}
