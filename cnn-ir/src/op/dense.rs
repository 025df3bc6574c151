//! Fully connected layers.

use super::{Activation, FoldedNorm};

/// `units` weighted sums of a flat input.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Outputs.
    pub units: usize,
    /// Whether a bias per unit is added.
    pub bias: bool,
    /// Applied to the result.
    pub activation: Option<Activation>,
    /// A batch norm that a pass folded into weights and bias (before the activation).
    pub norm: Option<FoldedNorm>,
}
