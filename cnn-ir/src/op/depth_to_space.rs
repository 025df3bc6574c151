//! Channels that become blocks of pixels.

use super::Fault;
use super::attributes::Attributes;
use super::fault::{map, of_map, sized};
use super::operator::Operator;
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

impl Default for DepthToSpace {
    fn default() -> Self {
        DepthToSpace {
            block: 1,
            mode: DepthOrder::Crd,
        }
    }
}

impl DepthToSpace {
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

    fn doc(&self) -> &'static str {
        "`[C·block², H, W]` → `[C, H·block, W·block]`; `\"crd\"` is PyTorch's `PixelShuffle`"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["pixel_shuffle"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("block", &mut self.block, None);
        a.word(
            "mode",
            &mut self.mode,
            &[("crd", DepthOrder::Crd), ("dcr", DepthOrder::Dcr)],
        );
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        Some("its blocks are single pixels")
    }

    fn moves_elements(&self) -> bool {
        true
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

#[cfg(test)]
mod tests {
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
}
