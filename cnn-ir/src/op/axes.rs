//! Axes: which dimension of a shape a key means.

use super::Fault;
use super::reader::Reader;
use super::words::found;
use crate::ast::{Value, ValueKind};
use crate::shape::Shape;

/// What the axes of a map are.
const AXES: &str = "0 are the channels of a map, 1 its rows, 2 its columns; a vector has only the axis 0";

impl Reader<'_> {
    /// An axis: 0 channels (or a vector's only one), 1 rows, 2 columns; required if it has no default.
    pub(super) fn axis(&mut self, key: &'static str, default: Option<usize>) -> usize {
        let Some(value) = self.value(key, default.is_none()) else {
            return default.unwrap_or(0);
        };
        self.one_axis(key, value, value).unwrap_or(0)
    }

    /// Distinct axes, in the order they are written.
    pub(super) fn axes(&mut self, key: &'static str, value: &Value) -> Option<Vec<usize>> {
        let ValueKind::List(items) = &value.kind else {
            return self.wrong_type(key, value, "a list of axes");
        };
        let mut axes = Vec::new();
        for item in items {
            let axis = self.one_axis(key, value, item)?;
            if axes.contains(&axis) {
                self.error(key, value, item, format!("`{key}` names the axis {axis} twice"));
                return None;
            }
            axes.push(axis);
        }
        Some(axes)
    }

    /// Some axes, all by default.
    pub(super) fn reduced_axes(&mut self, key: &'static str) -> [bool; 3] {
        let Some(value) = self.value(key, false) else {
            return [true; 3];
        };
        match self.axes(key, value) {
            Some(axes) if axes.is_empty() => {
                let message = format!("`{key}` names no axis: leave it out for all of them");
                self.error(key, value, value, message);
                [true; 3]
            }
            Some(named) => [0, 1, 2].map(|axis| named.contains(&axis)),
            None => [true; 3],
        }
    }

    /// All three axes in another order; required.
    pub(super) fn order(&mut self, key: &'static str) -> [usize; 3] {
        let order = self.value(key, true).and_then(|value| {
            let order = <[usize; 3]>::try_from(self.axes(key, value)?);
            let form = "the three axes in their new order: [0, 2, 1]";
            order.ok().or_else(|| self.wrong_type(key, value, form))
        });
        order.unwrap_or([0, 1, 2])
    }

    fn one_axis(&mut self, key: &'static str, whole: &Value, part: &Value) -> Option<usize> {
        match part.kind {
            ValueKind::Integer(axis @ 0..=2) => usize::try_from(axis).ok(),
            ValueKind::Integer(axis) => {
                let message = format!("`{key}` must be an axis from 0 to 2, found {axis}");
                self.error_with_note(key, whole, part, message, AXES.to_owned());
                None
            }
            _ => {
                let message = format!("`{key}` must be an axis from 0 to 2, found {}", found(part));
                self.error(key, whole, part, message);
                None
            }
        }
    }
}

/// The size of `shape` along an axis that the key `key` names.
pub(super) fn along(axis: usize, key: &'static str, shape: Shape) -> Result<usize, Fault> {
    let what = match shape {
        Shape::Map { .. } => "map",
        Shape::Flat(_) => "vector",
    };
    shape
        .dims()
        .get(axis)
        .copied()
        .ok_or_else(|| Fault::new(key, format!("`{key}` {axis} is not an axis of the {what} {shape}")).note(AXES))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, int, list, text, value_at};

    #[test]
    fn a_wrong_axis_is_explained() {
        let wrong = |value| error("softmax", &[("axis", value)]);
        assert_eq!(wrong(int(3)).0, "`axis` must be an axis from 0 to 2, found 3");
        assert_eq!(wrong(int(-1)).1, value_at(0));
        assert_eq!(
            wrong(text("channels")).0,
            "`axis` must be an axis from 0 to 2, found the string \"channels\""
        );
        let axes = |value| error("reduce_mean", &[("axes", value)]).0;
        assert_eq!(axes(list(&[1, 1])), "`axes` names the axis 1 twice");
        assert_eq!(axes(list(&[1, 7])), "`axes` must be an axis from 0 to 2, found 7");
        assert!(axes(int(1)).starts_with("`axes` must be a list of axes, found the integer 1"));
    }
}
