//! What integers of a layer stand for, and how a sum of their products becomes one again.

use cnn_ir::op::Activation;
use cnn_ir::value::{Quantisation, ValueType};
use serde::Serialize;

/// What 8-bit integers stand for: `scale · (q − zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Integers {
    /// An f32, exactly.
    pub scale: f64,
    pub zero_point: u8,
}

impl Integers {
    pub(crate) fn new(quantisation: Quantisation) -> Integers {
        Integers {
            scale: f64::from(quantisation.scale),
            zero_point: quantisation.zero_point,
        }
    }

    /// Of integers that stand for themselves.
    pub(crate) const ONE: Integers = Integers {
        scale: 1.0,
        zero_point: 0,
    };

    /// Of a value; `None` of real numbers.
    pub(crate) fn of(value: ValueType) -> Option<Integers> {
        value.element.quantisation().map(Integers::new)
    }
}

/// How a whole sum of products of integers becomes an integer again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rescaled {
    /// What the operand's integers stand for.
    pub from: Integers,
    /// What the result's do.
    pub to: Integers,
    /// The least and the greatest that the activation leaves.
    pub bounds: [u8; 2],
}

impl Rescaled {
    /// `None` if the operand are no integers, which validation rules out.
    pub(crate) fn new(x: ValueType, to: Quantisation, activation: Option<Activation>) -> Option<Rescaled> {
        Some(Rescaled {
            from: Integers::of(x)?,
            to: Integers::new(to),
            bounds: bounds(to, activation),
        })
    }
}

/// The least and the greatest integer that an activation leaves.
pub(crate) fn bounds(to: Quantisation, activation: Option<Activation>) -> [u8; 2] {
    to.bounds(activation).unwrap_or([0, 255])
}
