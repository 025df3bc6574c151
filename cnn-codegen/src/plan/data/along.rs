//! Steps along one axis of a value that lies channel by channel.

use super::View;

/// A walk along an axis. All its values lie channel by channel.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct AlongWork {
    /// What is walked.
    pub input: View,
    /// Which places are taken, of [`AlongKind::Take`]: as many along each axis as the result has, or 1 for all.
    pub places: Option<View>,
    /// The result.
    pub output: View,
    /// 0 channels (or a vector), 1 rows, 2 columns.
    pub axis: usize,
    /// What is done.
    pub kind: AlongKind,
}

/// What is done along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub enum AlongKind {
    /// The place of the greatest or least element.
    Extreme {
        /// Whether of the least.
        least: bool,
        /// Whether of several equal ones the last.
        last: bool,
    },
    /// As many of the greatest or least elements as the result has.
    Top {
        /// Whether the greatest.
        largest: bool,
        /// Whether their places.
        indices: bool,
    },
    /// Running sums.
    Sum {
        /// Whether without the element itself.
        exclusive: bool,
        /// Whether from the end.
        reverse: bool,
    },
    /// Elements at places that another value says.
    Take,
}
