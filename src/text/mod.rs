//! A model as text for people: layer by layer, and what it becomes on its way to machine code.
//!
//! | module | what it owns |
//! |---|---|
//! | `summary` | [`Model::summary`](crate::Model::summary): a table of layers with their arithmetic |
//! | `dump` | [`Model::dump`](crate::Model::dump): each stage between model file and machine code |

mod dump;
mod summary;

use std::borrow::Cow;

use cnn_ir::brief::{NAME, cut};
use comfy_table::{LineStyle, TableStyle};

#[cfg(feature = "explain")]
pub use dump::differences;
pub use dump::{Format, Stage, graph, no_form};

/// A line under a table's header.
pub const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// A name from a file as it stands in a table: no table is made wider, or slower, by a name of megabytes.
pub fn name(name: &str) -> Cow<'_, str> {
    cut(name, NAME)
}

/// `61,706`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(61706), "61,706");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
