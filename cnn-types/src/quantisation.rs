//! Numbers as 8-bit integers: which real number an integer stands for, and which integer a real number becomes.

use core::hash::{Hash, Hasher};

use crate::Activation;

/// What the integers 0 to 255 of a value stand for: `scale · (q − zero_point)`.
///
/// A signed integer with zero point `z` is the unsigned one, and its zero point, 128 higher.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Quantisation {
    /// The distance of one integer from the next; finite, above 0.
    pub scale: f32,
    /// The integer that stands for 0.
    pub zero_point: u8,
}

impl Quantisation {
    /// The integer of a real number: `x / scale` rounded to the nearest, ties to the even one, plus the zero point, cut off
    /// at 0 and 255 (ONNX's `QuantizeLinear`). NaN becomes 0.
    #[inline(always)]
    pub fn quantise(self, x: f32) -> u8 {
        self.round(x / self.scale)
    }

    /// The integer of so many scales: rounded, plus the zero point, cut off.
    #[inline(always)]
    pub fn round(self, scales: f32) -> u8 {
        let zero = f32::from(self.zero_point);
        // Cut off first: it gives the same, and what is left is small enough to be rounded by an addition.
        let scales = scales.max(-zero).min(255.0 - zero);
        (round_ties_even(scales) + zero) as u8
    }

    /// The least and the greatest integer that an activation leaves, if it only cuts off: cutting off the numbers and then
    /// rounding gives the integers that rounding and then cutting off does.
    pub fn bounds(self, activation: Option<Activation>) -> Option<[u8; 2]> {
        let [least, greatest] = match activation {
            None => return Some([0, 255]),
            Some(Activation::Relu) => [0.0, f32::INFINITY],
            Some(Activation::Relu6) => [0.0, 6.0],
            Some(Activation::Clip { min, max }) if min <= max => [min, max],
            Some(_) => return None,
        };
        Some([self.quantise(least), self.quantise(greatest)])
    }

    /// The real number of an integer.
    #[inline(always)]
    pub fn dequantise(self, q: u8) -> f32 {
        (i32::from(q) - i32::from(self.zero_point)) as f32 * self.scale
    }
}

/// The nearest integer of a number within ±2²², the even one of two: added to 1.5·2²³, no fraction is left.
#[inline(always)]
fn round_ties_even(x: f32) -> f32 {
    const WHOLE: f32 = 12_582_912.0;
    (x + WHOLE) - WHOLE
}

impl PartialEq for Quantisation {
    fn eq(&self, other: &Self) -> bool {
        (self.scale.to_bits(), self.zero_point) == (other.scale.to_bits(), other.zero_point)
    }
}

impl Eq for Quantisation {}

impl Hash for Quantisation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.scale.to_bits(), self.zero_point).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_even_integer_and_the_rest_is_cut_off() {
        let half = Quantisation {
            scale: 0.5,
            zero_point: 10,
        };
        for (x, q) in [
            (0.0, 10),
            (0.25, 10),
            (0.75, 12),
            (-0.25, 10),
            (-0.75, 8),
            (-5.0, 0),
            (-5.5, 0),
            (122.5, 255),
            (1e30, 255),
            (f32::NEG_INFINITY, 0),
            (f32::INFINITY, 255),
            (f32::NAN, 0),
        ] {
            assert_eq!(half.quantise(x), q, "{x}");
        }
    }

    #[test]
    fn every_integer_comes_back() {
        for zero_point in [0, 1, 128, 255] {
            let quantisation = Quantisation {
                scale: 0.037,
                zero_point,
            };
            assert!((0..=255).all(|q| quantisation.quantise(quantisation.dequantise(q)) == q));
        }
    }
}
