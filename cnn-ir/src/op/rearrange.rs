//! Operators that move elements without computing, and those that do nothing.

use super::attributes::Reader;
use super::fault::{map, of_map, sized};
use super::range::Range;
use super::window::both;
use super::writer::{Writer, sides_value};
use super::{Fault, Operator, Sides};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// `[C, H, W]` → `[C·H·W]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten;

/// The same elements, in the same order, under another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reshape {
    /// The new shape.
    pub shape: Shape,
}

/// A border of a constant value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pad {
    /// How wide on each side.
    pub sides: Sides,
    /// What it is filled with.
    pub value: f32,
}

/// Channel `g · C/groups + i` becomes channel `i · groups + g` (Zhang et al., ShuffleNet, 2017).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelShuffle {
    /// Number of groups.
    pub groups: usize,
}

/// Dropout: nothing at inference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share of elements dropped in training.
    pub rate: f64,
}

/// Nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity;

/// "16·5·5 = 400"; only the number for a vector.
fn product(shape: Shape) -> String {
    let dims: Vec<_> = shape.dims().iter().map(usize::to_string).collect();
    let elements = shape
        .dims()
        .iter()
        .fold(1usize, |product, &dim| product.saturating_mul(dim));
    match dims.len() {
        1 => elements.to_string(),
        _ => format!("{} = {elements}", dims.join("·")),
    }
}

impl Operator for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let elements = operands[0]
            .dims()
            .iter()
            .fold(1usize, |product, &dim| product.saturating_mul(dim));
        sized(Shape::Flat(elements), "from")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        match operands.first() {
            Some(&shape @ Shape::Map { .. }) => product(shape),
            Some(Shape::Flat(_)) | None => String::new(),
        }
    }
}

impl Reshape {
    pub(super) fn read(keys: &mut Reader<'_>) -> Reshape {
        Reshape {
            shape: keys.shape("shape"),
        }
    }
}

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default().shape("shape", self.shape).finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let input = operands[0];
        let shape = sized(self.shape, "shape")?;
        if input.elements() == shape.elements() {
            return Ok(shape);
        }
        let message = format!(
            "`shape` {shape} has {} elements, but the input {input} has {}",
            shape.elements(),
            input.elements()
        );
        Err(Fault::new("shape", message)
            .note(format!("input: {}, shape: {}", product(input), product(shape)))
            .into())
    }

    fn formula(&self, operands: &[Shape]) -> String {
        match operands.first() {
            Some(&input) if input != self.shape => {
                let dims = |shape: Shape| shape.dims().iter().map(usize::to_string).collect::<Vec<_>>().join("·");
                match self.shape {
                    Shape::Map { .. } => format!("{} = {}", dims(input), product(self.shape)),
                    Shape::Flat(_) => product(input),
                }
            }
            Some(_) | None => String::new(),
        }
    }
}

impl Pad {
    pub(super) fn read(keys: &mut Reader<'_>) -> Pad {
        Pad {
            sides: keys.sides("padding"),
            value: keys.single("value", Some(0.0), Range::EXTENDED),
        }
    }
}

impl Operator for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default()
            .value("padding", sides_value(self.sides))
            .single("value", self.value, Some(0.0))
            .finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("pad", operands[0])?;
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
}

impl ChannelShuffle {
    pub(super) fn read(keys: &mut Reader<'_>) -> ChannelShuffle {
        ChannelShuffle {
            groups: keys.count("groups", None),
        }
    }
}

impl Operator for ChannelShuffle {
    fn name(&self) -> &'static str {
        "channel_shuffle"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default().count("groups", self.groups, None).finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, _, _) = map("channel_shuffle", operands[0])?;
        if self.groups > 0 && channels.is_multiple_of(self.groups) {
            return Ok(operands[0]);
        }
        let groups = self.groups;
        let message = format!("`groups` {groups} does not divide the {channels} channels of the input");
        Err(Fault::new("groups", message)
            .note(format!("{channels}/{groups} is not whole"))
            .into())
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let channels = operands.first().map_or(0, Shape::channels);
        match channels.checked_div(self.groups) {
            Some(each) if each > 0 => format!("{channels}/{} = {each} channels a group", self.groups),
            _ => String::new(),
        }
    }
}

impl Dropout {
    const RATE: f64 = 0.5;

    pub(super) fn read(keys: &mut Reader<'_>) -> Dropout {
        Dropout {
            rate: keys.number("rate", Some(Dropout::RATE), Range::SHARE),
        }
    }
}

impl Operator for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default()
            .number("rate", self.rate, Some(Dropout::RATE))
            .finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        Ok(operands[0])
    }
}

impl Operator for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        Ok(operands[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, int, list, read};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 5);

    fn op(name: &str, written: &[(&str, ValueKind)]) -> Op {
        read(name, written).expect("an operator")
    }

    #[test]
    fn flatten_multiplies_out() {
        let flatten = op("flatten", &[]);
        assert_eq!(flatten.shape(&[Shape::map(16, 5, 5)]), Ok(Shape::Flat(400)));
        assert_eq!(flatten.formula(&[Shape::map(16, 5, 5)]), "16·5·5 = 400");
        assert_eq!(flatten.shape(&[Shape::Flat(7)]), Ok(Shape::Flat(7)));
        let most = crate::shape::MAX_DIMENSION;
        assert!(flatten.shape(&[Shape::map(2, most, 2)]).is_err());
    }

    #[test]
    fn reshape_keeps_the_count() {
        let reshape = op("reshape", &[("shape", list(&[3, 4, 20]))]);
        assert_eq!(reshape.shape(&[MAP]), Ok(Shape::map(3, 4, 20)));
        assert_eq!(reshape.formula(&[MAP]), "12·4·5 = 3·4·20 = 240");
        let fault = fault(&op("reshape", &[("shape", list(&[4, 4, 4]))]), &[Shape::map(3, 8, 8)]);
        assert_eq!(
            fault.message,
            "`shape` [4, 4, 4] has 64 elements, but the input [3, 8, 8] has 192"
        );
        assert_eq!(fault.key, Some("shape"));
    }

    #[test]
    fn pad_widens() {
        let pad = op("pad", &[("padding", list(&[1, 0, 2, 3]))]);
        assert_eq!(pad.shape(&[MAP]), Ok(Shape::map(12, 7, 8)));
        assert_eq!(pad.formula(&[MAP]), "height: 4 + 1 + 2 = 7, width: 5 + 0 + 3 = 8");
        let wide = op("pad", &[("padding", int(i64::from(i32::MAX)))]);
        assert_eq!(fault(&wide, &[MAP]).key, Some("padding"));
    }

    #[test]
    fn shuffled_groups_divide_the_channels() {
        let shuffle = op("channel_shuffle", &[("groups", int(3))]);
        assert_eq!(shuffle.shape(&[MAP]), Ok(MAP));
        assert_eq!(shuffle.formula(&[MAP]), "12/3 = 4 channels a group");
        let fault = fault(&op("channel_shuffle", &[("groups", int(2))]), &[Shape::map(3, 8, 8)]);
        assert_eq!(
            (fault.key, fault.message.as_str()),
            (Some("groups"), "`groups` 2 does not divide the 3 channels of the input")
        );
    }

    #[test]
    fn nothing_happens_at_inference() {
        let dropout = op("dropout", &[("rate", ValueKind::Float(0.5))]);
        assert_eq!(dropout.shape(&[MAP]), Ok(MAP));
        assert_eq!(op("identity", &[]).shape(&[Shape::Flat(3)]), Ok(Shape::Flat(3)));
    }
}
