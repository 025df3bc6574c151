//! Pairs and padding as they are declared.

use super::attributes::Reader;
use super::words::{found, hint};
use super::writer::{Writer, sides_value};
use crate::ast::{Value, ValueKind};

/// Height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    /// `"valid"`, or a border on four sides; none by default.
    pub(super) fn valid_or_sides(&mut self, key: &'static str) -> Sides {
        let Some(value) = self.value(key, false) else {
            return Sides::default();
        };
        match &value.kind {
            ValueKind::Text(word) if word == "valid" => Sides::default(),
            _ => self.border(key, value, &["valid"]).unwrap_or_default(),
        }
    }

    /// Height and width from 0 up, or one integer for both; 0 by default.
    pub(super) fn pair_from_zero(&mut self, key: &'static str) -> Pair {
        let pair = self.value(key, false).and_then(|value| self.two(key, value, 0));
        pair.unwrap_or(Pair::both(0))
    }

    /// A border on four sides; required.
    pub(super) fn sides(&mut self, key: &'static str) -> Sides {
        match self.value(key, true) {
            Some(value) => self.border(key, value, &[]).unwrap_or_default(),
            None => Sides::default(),
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

impl Writer {
    /// Padding of a window.
    pub(super) fn padding(self, padding: Padding) -> Self {
        match padding {
            Padding::Valid => self,
            Padding::Same => self.value("padding", ValueKind::Text("same".to_owned())),
            Padding::Explicit(sides) => self.value("padding", sides_value(sides)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, int, list, read, text, value_at};
    use super::super::{Op, Pad};
    use super::*;

    fn sides(top: usize, left: usize, bottom: usize, right: usize) -> Sides {
        Sides {
            top,
            left,
            bottom,
            right,
        }
    }

    #[test]
    fn padding_is_a_word_or_one_two_or_four_numbers() {
        let padding = |value| match read("max_pool", &[("size", int(9)), ("padding", value)]) {
            Ok(Op::Pool(pool)) => pool.padding,
            other => panic!("{other:?}"),
        };
        assert_eq!(padding(text("valid")), Padding::Valid);
        assert_eq!(padding(text("same")), Padding::Same);
        assert_eq!(padding(int(2)), Padding::Explicit(sides(2, 2, 2, 2)));
        assert_eq!(padding(list(&[1, 2])), Padding::Explicit(sides(1, 2, 1, 2)));
        assert_eq!(padding(list(&[1, 2, 3, 4])), Padding::Explicit(sides(1, 2, 3, 4)));
    }

    #[test]
    fn wrong_padding_says_what_is_right() {
        let wrong = |value| error("max_pool", &[("size", int(9)), ("padding", value)]);
        let (message, place) = wrong(text("sames"));
        assert_eq!(
            message,
            "`padding` must be \"valid\", \"same\", an integer, [height, width] or [top, left, bottom, right], \
             found the string \"sames\"; did you mean `same`?"
        );
        assert_eq!(place, value_at(1));
        assert_eq!(wrong(int(-1)).0, "`padding` must be between 0 and 2147483647, found -1");
        assert!(wrong(list(&[1, 2, 3])).0.ends_with("found the list [1, 2, 3]"));
    }

    #[test]
    fn the_border_of_pad_is_no_word() {
        assert_eq!(
            read("pad", &[("padding", list(&[0, 1]))]),
            Ok(Op::Pad(Pad {
                sides: sides(0, 1, 0, 1),
                value: 0.0
            }))
        );
        let (message, _) = error("pad", &[("padding", text("same"))]);
        assert!(message.starts_with("`padding` must be an integer, "), "{message}");
        let (message, place) = error("pad", &[("padding", int(i64::MAX))]);
        assert_eq!(
            message,
            "`padding` must be between 0 and 2147483647, found 9223372036854775807"
        );
        assert_eq!(place, value_at(0));
    }
}
