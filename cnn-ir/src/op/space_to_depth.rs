//! Blocks of pixels that become channels.

use super::Fault;
use super::attributes::Attributes;
use super::fault::{map, of_map, sized};
use super::operator::Operator;
use crate::shape::Shape;

/// `[C, H·block, W·block]` → `[C·block², H, W]`: the pixel in row `y` and column `x` of a block becomes channels
/// `(y · block + x) · C …`, as [`DepthOrder::Dcr`](super::DepthOrder::Dcr) undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceToDepth {
    /// Rows and columns of pixels that become one pixel.
    pub block: usize,
}

impl Default for SpaceToDepth {
    fn default() -> Self {
        SpaceToDepth { block: 1 }
    }
}

impl Operator for SpaceToDepth {
    fn name(&self) -> &'static str {
        "space_to_depth"
    }

    fn doc(&self) -> &'static str {
        "`[C, H·block, W·block]` → `[C·block², H, W]` as ONNX has it: `depth_to_space` of mode `\"dcr\"` undoes it"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("block", &mut self.block, None);
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        Some("its blocks are single pixels")
    }

    fn moves_elements(&self) -> bool {
        true
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("space_to_depth", operands[0])?;
        let block = self.block;
        let faults: Vec<_> = [(height, "rows"), (width, "columns")]
            .into_iter()
            .filter(|(n, _)| block == 0 || !n.is_multiple_of(block))
            .map(|(n, unit)| {
                let message = format!("`block` {block} does not divide the {n} {unit} of the input");
                Fault::new("block", message).note(format!("{n}/{block} is not whole"))
            })
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let deep = channels.saturating_mul(block).saturating_mul(block);
        sized(Shape::map(deep, height / block, width / block), "block")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let block = self.block;
        let part = |n: usize| n.checked_div(block).unwrap_or(0);
        of_map(operands, |channels, height, width| {
            format!(
                "channels: {channels}·{block}·{block} = {}, height: {height}/{block} = {}, width: {width}/{block} = {}",
                channels.saturating_mul(block).saturating_mul(block),
                part(height),
                part(width)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{int, read};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 6);

    #[test]
    fn pixels_become_channels() {
        let op = read("space_to_depth", &[("block", int(2))]).expect("an operator");
        assert_eq!(op.shape(&[MAP]), Ok(Shape::map(48, 2, 3)));
        assert_eq!(
            op.formula(&[MAP]),
            "channels: 12·2·2 = 48, height: 4/2 = 2, width: 6/2 = 3"
        );
        let faults = Op::SpaceToDepth(SpaceToDepth { block: 5 })
            .shape(&[MAP])
            .expect_err("both axes");
        assert_eq!(faults[0].message, "`block` 5 does not divide the 4 rows of the input");
        assert_eq!(faults.len(), 2);
    }
}
