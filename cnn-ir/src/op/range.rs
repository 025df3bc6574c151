//! Which numbers a key takes, and how that is said.

/// Which numbers a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) least: f64,
    pub(super) greatest: f64,
}

impl Range {
    /// Every finite number of single precision.
    pub(super) const SINGLE: Range = Range {
        least: f32::MIN as f64,
        greatest: f32::MAX as f64,
    };
    /// Every number but NaN.
    pub(super) const EXTENDED: Range = Range {
        least: f64::NEG_INFINITY,
        greatest: f64::INFINITY,
    };
    /// Finite, 0 and up.
    pub(super) const NOT_NEGATIVE: Range = Range {
        least: 0.0,
        greatest: f32::MAX as f64,
    };
    /// Finite, above 0.
    pub(super) const POSITIVE: Range = Range {
        least: f32::from_bits(1) as f64,
        greatest: f32::MAX as f64,
    };
    /// Finite, above 0, and so large that single precision holds all its digits.
    pub(super) const NORMAL: Range = Range {
        least: f32::MIN_POSITIVE as f64,
        greatest: f32::MAX as f64,
    };
    /// From 0 to 1.
    pub(super) const SHARE: Range = Range {
        least: 0.0,
        greatest: 1.0,
    };

    /// Whether it takes `number`; no range takes NaN.
    pub(super) fn contains(self, number: f64) -> bool {
        (self.least..=self.greatest).contains(&number)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.greatest) {
            (0.0, 1.0) => f.write_str("between 0 and 1"),
            (0.0, _) => f.write_str("a finite number, not below 0"),
            (least, _) if least > 0.0 => f.write_str("a finite number above 0"),
            (least, _) if least.is_infinite() => f.write_str("a number"),
            _ => f.write_str("a finite number of single precision"),
        }
    }
}
