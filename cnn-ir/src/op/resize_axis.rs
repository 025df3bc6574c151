//! Which pixels along an axis a resized map is made of.

use super::{Coordinates, ResizeMode, Rounding};

/// The vertical or horizontal half of a [`Resize`](super::Resize).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResizeAxis {
    /// Places of the input.
    pub n: usize,
    /// Places of the result.
    pub size: usize,
    step: Step,
    mode: ResizeMode,
    coordinates: Coordinates,
}

/// How far neighbours of the result are apart in the input: a quotient of whole numbers, so that a single division rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    over: f64,
    under: f64,
}

/// What a place of the result is made of: `(1 − share) · x[first] + share · x[second]`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tap {
    /// The place before.
    pub first: usize,
    /// The place behind, or the same.
    pub second: usize,
    /// From 0 up to 1.
    pub share: f64,
}

impl Step {
    /// `n` places become `size`.
    fn of_size(n: usize, size: usize) -> Step {
        Step {
            over: n as f64,
            under: size as f64,
        }
    }

    /// One over the simplest fraction among the numbers that round to `scale`: what its writer meant. ⅓ is no f32, and
    /// ⌊x / scale⌋ goes wrong at every third place if the nearest f32 is taken at its word.
    fn of_scale(scale: f32) -> Step {
        let exact = f64::from(scale);
        let ends = |other: f32| (exact + f64::from(other)) / 2.0;
        let (mut low, mut high) = (ends(scale.next_down()), ends(scale.next_up()));
        if !(low > 0.0 && high.is_finite()) {
            return Step {
                over: 1.0,
                under: exact,
            };
        }
        // Both ends' continued fractions, as far as they are the same: so the fraction between them with the least
        // denominator (Stern and Brocot). Its terms are at most some dozen, since the ends are 2⁻²⁴ apart.
        let (mut before, mut last) = ((0.0, 1.0), (1.0, 0.0));
        loop {
            let whole = low.ceil();
            let term = if whole <= high { whole } else { low.floor() };
            (before, last) = (last, (term * last.0 + before.0, term * last.1 + before.1));
            if whole <= high {
                return Step {
                    over: last.1,
                    under: last.0,
                };
            }
            (low, high) = (1.0 / (high - term), 1.0 / (low - term));
        }
    }

    /// The step as PyTorch has it.
    fn single(self) -> f32 {
        (self.over / self.under) as f32
    }
}

impl ResizeAxis {
    /// `n` places become `size`: by that factor, or by the quotient of the sizes.
    pub(super) fn new(
        n: usize,
        size: usize,
        scale: Option<f32>,
        mode: ResizeMode,
        coordinates: Coordinates,
    ) -> ResizeAxis {
        ResizeAxis {
            n,
            size,
            step: scale.map_or_else(|| Step::of_size(n, size), Step::of_scale),
            mode,
            coordinates,
        }
    }

    /// Whether every place stays what it is.
    pub fn is_identity(&self) -> bool {
        self.n == self.size && self.step.over == self.step.under
    }

    /// The place of the input that place `i` of the result is at.
    fn place(&self, i: usize) -> f64 {
        let Step { over, under } = self.step;
        let x = i as f64;
        match self.coordinates {
            Coordinates::AlignCorners | Coordinates::PytorchHalfPixel if self.size == 1 => 0.0,
            Coordinates::AlignCorners => x * (self.n as f64 - 1.0) / (self.size as f64 - 1.0),
            Coordinates::HalfPixel | Coordinates::PytorchHalfPixel => ((2.0 * x + 1.0) * over - under) / (2.0 * under),
            Coordinates::Asymmetric => x * over / under,
        }
    }

    /// The place of the only pixel that place `i` of the result is.
    fn nearest(&self, i: usize, rounding: Rounding) -> f64 {
        match (self.coordinates, rounding) {
            // PyTorch's two ways, with its roundings.
            (Coordinates::Asymmetric, Rounding::Floor) => f64::from((i as f32 * self.step.single()).floor()),
            (Coordinates::HalfPixel, Rounding::PreferCeil) => {
                f64::from(((i as f32 + 0.5) * self.step.single()).floor())
            }
            _ => {
                let place = self.place(i);
                let before = place.floor();
                let share = place - before;
                let behind = match rounding {
                    Rounding::Floor => false,
                    Rounding::Ceil => share > 0.0,
                    Rounding::PreferFloor => share > 0.5,
                    Rounding::PreferCeil => share >= 0.5,
                };
                if behind { before + 1.0 } else { before }
            }
        }
    }

    /// What place `i` of the result is made of. Beyond the border are its pixels again.
    pub fn tap(&self, i: usize) -> Tap {
        let clamped = |place: f64| (place.max(0.0) as usize).min(self.n.saturating_sub(1));
        match self.mode {
            ResizeMode::Bilinear => {
                let place = self.place(i);
                let before = place.floor();
                Tap {
                    first: clamped(before),
                    second: clamped(before + 1.0),
                    share: place - before,
                }
            }
            ResizeMode::Nearest(rounding) => {
                let nearest = clamped(self.nearest(i, rounding));
                Tap {
                    first: nearest,
                    second: nearest,
                    share: 0.0,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_the_simplest_fraction_that_it_can_be() {
        for (over, under) in [
            (1, 3),
            (2, 3),
            (1, 7),
            (11, 10),
            (7, 20),
            (32, 1),
            (1, 16),
            (13, 8),
            (99, 100),
        ] {
            let step = Step::of_scale((f64::from(over) / f64::from(under)) as f32);
            assert_eq!((step.under, step.over), (f64::from(over), f64::from(under)));
        }
        for scale in [
            f32::MIN_POSITIVE,
            1e-30,
            1e30,
            f32::MAX,
            f32::INFINITY,
            0.0,
            std::f32::consts::PI,
        ] {
            let step = Step::of_scale(scale);
            assert_eq!((step.under / step.over) as f32, scale);
        }
    }
}
