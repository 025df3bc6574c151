//! Operators that move elements without computing, and those that do nothing.

use super::{Pair, Sides};
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

/// How new pixels get their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsampleMode {
    /// From the nearest pixel: `⌊i / scale⌋`.
    Nearest,
    /// From the four around it, pixel centres at ½ (align_corners off).
    Bilinear,
}

/// A map enlarged by whole factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upsample {
    /// Vertical and horizontal factor.
    pub scale: Pair,
    /// Interpolation.
    pub mode: UpsampleMode,
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
