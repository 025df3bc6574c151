//! The whole map as one pixel.

use super::composite::{Composed, Expansion, Value};
use super::fault::{map, of_map};
use super::operator::Operator;
use super::{Fault, Op, Reduce, ReduceKind};
use crate::shape::Shape;

/// `[C, H, W]` → `[C, 1, 1]`: the mean or the greatest element of each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalPool {
    max: bool,
}

impl GlobalPool {
    /// The mean.
    pub const AVG: GlobalPool = GlobalPool { max: false };
    /// The greatest element.
    pub const MAX: GlobalPool = GlobalPool { max: true };
}

impl Operator for GlobalPool {
    fn name(&self) -> &'static str {
        if self.max { "global_max_pool" } else { "global_avg_pool" }
    }

    fn doc(&self) -> &'static str {
        if self.max {
            "`[C, H, W]` → `[C, 1, 1]`: the greatest element of each channel"
        } else {
            "`[C, H, W]` → `[C, 1, 1]`: the mean of each channel"
        }
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, _, _) = map(self.name(), operands[0])?;
        Ok(Shape::map(channels, 1, 1))
    }

    fn formula(&self, operands: &[Shape]) -> String {
        of_map(operands, |_, height, width| {
            format!(
                "{height}·{width} = {} pixels a channel become 1",
                height.saturating_mul(width)
            )
        })
    }
}

impl Composed for GlobalPool {
    fn expand(&self, operands: &[Value], _: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let kind = if self.max { ReduceKind::Max } else { ReduceKind::Mean };
        let axes = [false, true, true];
        (Reduce { kind, axes }.into(), operands.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read;
    use super::*;

    #[test]
    fn whole_maps_become_pixels() {
        let global = read("global_avg_pool", &[]).expect("a pool");
        assert_eq!(global.shape(&[Shape::map(3, 10, 12)]), Ok(Shape::map(3, 1, 1)));
        assert_eq!(
            global.formula(&[Shape::map(3, 10, 12)]),
            "10·12 = 120 pixels a channel become 1"
        );
        assert!(global.shape(&[Shape::Flat(3)]).is_err());
    }
}
