//! Channels into pixels and back: depth to space, space to depth.

use super::attributes::Reader;
use super::fault::{map, of_map, sized};
use super::writer::Writer;
use super::{Fault, Operator};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// Which of a pixel's channels become one block of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepthOrder {
    /// Neighbours: channel `(c · block + y) · block + x` becomes the pixel in row `y` and column `x` of a block
    /// (PyTorch's `PixelShuffle`; Shi et al., 2016).
    Crd,
    /// Those as far apart as the result has channels: channel `(y · block + x) · C + c`.
    Dcr,
}

/// `[C·block², H, W]` → `[C, H·block, W·block]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthToSpace {
    /// Rows and columns of pixels that one pixel becomes.
    pub block: usize,
    /// Which channels go together.
    pub mode: DepthOrder,
}

/// `[C, H·block, W·block]` → `[C·block², H, W]`: the pixel in row `y` and column `x` of a block becomes channels
/// `(y · block + x) · C …`, as [`DepthOrder::Dcr`] undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceToDepth {
    /// Rows and columns of pixels that become one pixel.
    pub block: usize,
}

impl DepthToSpace {
    pub(super) fn read(keys: &mut Reader<'_>) -> DepthToSpace {
        DepthToSpace {
            block: keys.count("block", None),
            mode: keys.choice("mode", &[("crd", DepthOrder::Crd), ("dcr", DepthOrder::Dcr)]),
        }
    }

    /// The operand's channel that has the pixel in row `y` and column `x` of each block of channel `c` of the result,
    /// which has `channels`.
    pub fn source(&self, channels: usize, c: usize, y: usize, x: usize) -> usize {
        match self.mode {
            DepthOrder::Crd => (c * self.block + y) * self.block + x,
            DepthOrder::Dcr => (y * self.block + x) * channels + c,
        }
    }
}

impl Operator for DepthToSpace {
    fn name(&self) -> &'static str {
        "depth_to_space"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        let mode = match self.mode {
            DepthOrder::Crd => "crd",
            DepthOrder::Dcr => "dcr",
        };
        Writer::default()
            .count("block", self.block, None)
            .word("mode", mode, "crd")
            .finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("depth_to_space", operands[0])?;
        let block = self.block;
        match block
            .checked_mul(block)
            .filter(|&pixels| pixels > 0 && channels.is_multiple_of(pixels))
        {
            Some(pixels) => sized(
                Shape::map(
                    channels / pixels,
                    height.saturating_mul(block),
                    width.saturating_mul(block),
                ),
                "block",
            ),
            None => {
                let message = format!(
                    "`block` {block} needs a multiple of {block}·{block} channels, but the input has {channels}"
                );
                Err(Fault::new("block", message)
                    .note("each pixel becomes as many pixels as a block has, one a channel")
                    .into())
            }
        }
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let block = self.block;
        of_map(operands, |channels, height, width| {
            let each = channels.checked_div(block.saturating_mul(block)).unwrap_or(0);
            format!(
                "channels: {channels}/({block}·{block}) = {each}, height: {height}·{block} = {}, width: {width}·{block} = {}",
                height.saturating_mul(block),
                width.saturating_mul(block)
            )
        })
    }
}

impl SpaceToDepth {
    pub(super) fn read(keys: &mut Reader<'_>) -> SpaceToDepth {
        SpaceToDepth {
            block: keys.count("block", None),
        }
    }
}

impl Operator for SpaceToDepth {
    fn name(&self) -> &'static str {
        "space_to_depth"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default().count("block", self.block, None).finish()
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
    use super::super::testing::{fault, int, read, text};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 6);

    #[test]
    fn channels_become_pixels() {
        let op = read("depth_to_space", &[("block", int(2)), ("mode", text("dcr"))]).expect("an operator");
        assert_eq!(op.shape(&[MAP]), Ok(Shape::map(3, 8, 12)));
        assert_eq!(
            op.formula(&[MAP]),
            "channels: 12/(2·2) = 3, height: 4·2 = 8, width: 6·2 = 12"
        );
        let three = fault(
            &read("depth_to_space", &[("block", int(3))]).expect("an operator"),
            &[MAP],
        );
        assert_eq!(
            three.message,
            "`block` 3 needs a multiple of 3·3 channels, but the input has 12"
        );
        assert_eq!(three.key, Some("block"));
    }

    #[test]
    fn modes_differ_in_which_channels_go_together() {
        let source = |mode, c, y, x| DepthToSpace { block: 2, mode }.source(3, c, y, x);
        assert_eq!(
            (source(DepthOrder::Crd, 1, 0, 1), source(DepthOrder::Dcr, 1, 0, 1)),
            (5, 4)
        );
    }

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
