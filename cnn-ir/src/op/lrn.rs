//! Local response normalisation.

use super::Fault;
use super::attributes::Attributes;
use super::fault::map;
use super::operator::Operator;
use super::range::Range;
use crate::shape::Shape;

/// `x / (k + alpha/size · Σ x²)^beta`, the sum over `size` neighbouring channels: `⌊(size−1)/2⌋` down and the
/// rest up (Krizhevsky et al., 2012; PyTorch's convention for `alpha`).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lrn {
    /// Channels in the window.
    pub size: usize,
    /// Scale of the sum.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Added to the sum.
    pub k: f32,
}

impl Default for Lrn {
    fn default() -> Self {
        Lrn {
            size: 5,
            alpha: 1e-4,
            beta: 0.75,
            k: 1.0,
        }
    }
}

impl Operator for Lrn {
    fn name(&self) -> &'static str {
        "lrn"
    }

    fn doc(&self) -> &'static str {
        "`x / (k + alpha/size · Σ x²)^beta`, the sum over `size` channels: `⌊(size − 1)/2⌋` down and the rest up"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["local_response_norm"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        let default = Lrn::default();
        a.count("size", &mut self.size, Some(default.size));
        a.single("alpha", &mut self.alpha, Some(default.alpha), Range::SINGLE);
        a.single("beta", &mut self.beta, Some(default.beta), Range::SINGLE);
        a.single("k", &mut self.k, Some(default.k), Range::SINGLE);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        map("lrn", operands[0])?;
        Ok(operands[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, read};
    use super::*;

    #[test]
    fn lrn_runs_over_the_channels_of_a_map() {
        let lrn = read("lrn", &[]).expect("an lrn");
        assert_eq!(
            lrn,
            Op::Lrn(Lrn {
                size: 5,
                alpha: 1e-4,
                beta: 0.75,
                k: 1.0
            })
        );
        assert_eq!(lrn.shape(&[Shape::map(16, 5, 5)]), Ok(Shape::map(16, 5, 5)));
        assert_eq!(fault(&lrn, &[Shape::Flat(3)]).key, Some("from"));
    }
}
