//! Windows that slide: pairs, padding, and the floor formula.

/// Height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// Vertical.
    pub h: usize,
    /// Horizontal.
    pub w: usize,
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
