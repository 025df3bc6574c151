//! Operators with several operands: sum, product, concatenation.

use super::Activation;

/// Sum or product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CombineKind {
    /// `a + b + …`
    Add,
    /// `a · b · …`
    Mul,
}

/// Elementwise sum or product of two or more operands of one shape; an operand `[C, 1, 1]` counts for every
/// pixel of a `[C, H, W]` one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combine {
    /// Sum or product.
    pub kind: CombineKind,
    /// Applied to the result.
    pub activation: Option<Activation>,
}

/// Joins maps of one height and width (or vectors) along the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat;
