//! Averages over windows chosen so that the result has a given size.

use super::attributes::Attributes;
use super::fault::{map, of_map, sized};
use super::operator::Operator;
use super::{Fault, Pair};
use crate::shape::Shape;

/// Average over windows chosen so that the output is `size`: row `i` averages rows `⌊i·H/h⌋ … ⌈(i+1)·H/h⌉`
/// (PyTorch's rule).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveAvgPool {
    /// Output height and width.
    pub size: Pair,
}

impl Default for AdaptiveAvgPool {
    fn default() -> Self {
        AdaptiveAvgPool { size: Pair::ONE }
    }
}

impl Operator for AdaptiveAvgPool {
    fn name(&self) -> &'static str {
        "adaptive_avg_pool"
    }

    fn doc(&self) -> &'static str {
        "row `i` of `h` averages rows `⌊i·H/h⌋` to `⌈(i + 1)·H/h⌉`, columns likewise"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["adaptive_avg_pool2d", "adaptiveavgpool2d"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.pair("size", &mut self.size, None);
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        Some("the map has that size already")
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, _, _) = map(self.name(), operands[0])?;
        sized(Shape::map(channels, self.size.h, self.size.w), "size")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let axis = |n: usize, size: usize| format!("⌊i·{n}/{size}⌋ … ⌈(i + 1)·{n}/{size}⌉");
        of_map(operands, |_, height, width| {
            format!(
                "row i averages rows {}, column i columns {}",
                axis(height, self.size.h),
                axis(width, self.size.w)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{list, read};
    use super::*;

    #[test]
    fn windows_follow_from_the_size() {
        let adaptive = read("adaptive_avg_pool", &[("size", list(&[6, 4]))]).expect("a pool");
        assert_eq!(adaptive.shape(&[Shape::map(3, 13, 9)]), Ok(Shape::map(3, 6, 4)));
        assert!(
            adaptive
                .formula(&[Shape::map(3, 13, 9)])
                .starts_with("row i averages rows ⌊i·13/6⌋ … ⌈(i + 1)·13/6⌉")
        );
    }
}
