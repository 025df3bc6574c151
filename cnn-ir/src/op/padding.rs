//! Pairs and padding as they are declared.

use super::reader::Reader;
use super::words::{found, hint};
use crate::ast::{Value, ValueKind};

/// Height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pair {
    /// Vertical.
    pub h: usize,
    /// Horizontal.
    pub w: usize,
}

impl Pair {
    /// 1 by 1.
    pub const ONE: Pair = Pair::both(1);

    /// The same number both ways.
    pub const fn both(n: usize) -> Pair {
        Pair { h: n, w: n }
    }
}

/// How wide a border is on each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sides {
    /// Rows above.
    pub top: usize,
    /// Columns to the left.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the right.
    pub right: usize,
}

/// Padding as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// None.
    Valid,
    /// TensorFlow's: the output is `⌈n / stride⌉`; the odd pixel goes to the bottom and right.
    Same,
    /// So much on each side.
    Explicit(Sides),
}

impl Reader<'_> {
    /// `"valid"`, `"same"`, or a border.
    pub(super) fn padding(&mut self) -> Padding {
        let Some(value) = self.value("padding", false) else {
            return Padding::Valid;
        };
        match &value.kind {
            ValueKind::Text(word) if word == "valid" => Padding::Valid,
            ValueKind::Text(word) if word == "same" => Padding::Same,
            _ => Padding::Explicit(self.border("padding", value, &["valid", "same"]).unwrap_or_default()),
        }
    }

    /// Height and width from 0 up, or one integer for both; 0 by default.
    pub(super) fn pair_from_zero(&mut self, key: &'static str) -> Pair {
        let pair = self.value(key, false).and_then(|value| self.two(key, value, 0));
        pair.unwrap_or(Pair::both(0))
    }

    /// A border on four sides; required if it has no default, which may also be written as `"valid"`.
    pub(super) fn sides(&mut self, key: &'static str, default: Option<Sides>) -> Sides {
        let Some(value) = self.value(key, default.is_none()) else {
            return default.unwrap_or_default();
        };
        match (&value.kind, default) {
            (ValueKind::Text(word), Some(default)) if word == "valid" => default,
            (_, Some(_)) => self.border(key, value, &["valid"]).unwrap_or_default(),
            (_, None) => self.border(key, value, &[]).unwrap_or_default(),
        }
    }

    /// An integer, `[height, width]` or `[top, left, bottom, right]`, or what `words` says.
    fn border(&mut self, key: &'static str, value: &Value, words: &[&str]) -> Option<Sides> {
        let sides = match &value.kind {
            ValueKind::Integer(_) => vec![self.integer(key, value, value, 0)?],
            ValueKind::List(items) if matches!(items.len(), 2 | 4) => self.integers(key, value, items, 0)?,
            kind => {
                let quoted: String = words.iter().map(|word| format!("{word:?}, ")).collect();
                let forms = format!("{quoted}an integer, [height, width] or [top, left, bottom, right]");
                let hint = match kind {
                    ValueKind::Text(word) => hint(word, words.iter().copied()),
                    _ => String::new(),
                };
                let message = format!("`{key}` must be {forms}, found {}{hint}", found(value));
                self.error(key, value, value, message);
                return None;
            }
        };
        let (top, left, bottom, right) = match *sides {
            [all] => (all, all, all, all),
            [h, w] => (h, w, h, w),
            [top, left, bottom, right] => (top, left, bottom, right),
            _ => return None,
        };
        Some(Sides {
            top,
            left,
            bottom,
            right,
        })
    }
}
