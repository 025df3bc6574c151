//! Pooling over windows.

use super::attributes::Attributes;
use super::fault::{map, of_map, sized};
use super::operator::{Operator, Takes};
use super::window::{Axis, Window};
use super::{Fault, Padding, Pair, Sides};
use crate::shape::Shape;

/// What a window becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PoolKind {
    /// Its greatest element.
    Max,
    /// Its mean.
    Avg {
        /// Whether padding counts as zeros of the mean.
        count_include_pad: bool,
    },
    /// Its least element.
    Min,
}

/// Pooling over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Max, average or min.
    pub kind: PoolKind,
    /// Window height and width.
    pub size: Pair,
    /// Step of the window.
    pub stride: Pair,
    /// Padding, which never wins a max or min.
    pub padding: Padding,
    /// Distance between taps.
    pub dilation: Pair,
    /// Whether the output size rounds up; the last window must still start inside the input or its leading padding.
    pub ceil: bool,
}

impl Pool {
    /// A pool with the defaults of its attributes, over windows of one pixel.
    pub fn new(kind: PoolKind) -> Pool {
        Pool {
            kind,
            size: Pair::ONE,
            stride: Pair::ONE,
            padding: Padding::Valid,
            dilation: Pair::ONE,
            ceil: false,
        }
    }

    /// The window's vertical and horizontal axis over an input of `height` × `width`, padding resolved.
    pub fn axes(&self, height: usize, width: usize) -> [Axis; 2] {
        self.window().axes(height, width)
    }

    fn window(&self) -> Window {
        Window {
            key: "size",
            size: self.size,
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            ceil: self.ceil,
        }
    }

    /// Padding that leaves a window without a pixel, or that is more than half of the window (PyTorch's rule).
    fn padding_fault(&self, height: usize, width: usize) -> Option<Fault> {
        let axes = self.axes(height, width);
        for (axis, unit) in axes.iter().zip(["rows", "columns"]) {
            let half = axis.extent() / 2;
            if axis.before == axis.after && axis.before > half {
                let message = format!(
                    "`padding` of {} {unit} is more than half of the window's {}",
                    axis.before,
                    axis.extent()
                );
                return Some(
                    Fault::new("padding", message).note(format!("at most {}/2 = {half} is possible", axis.extent())),
                );
            }
            if axis.output().is_some() && !axis.touches() {
                let message = format!(
                    "`padding` of {} and {} {unit} leaves a window without a pixel of the input",
                    axis.before, axis.after
                );
                return Some(
                    Fault::new("padding", message).note("such a window has no greatest, least or mean element"),
                );
            }
        }
        None
    }
}

impl Operator for Pool {
    fn name(&self) -> &'static str {
        match self.kind {
            PoolKind::Max => "max_pool",
            PoolKind::Avg { .. } => "avg_pool",
            PoolKind::Min => "min_pool",
        }
    }

    fn takes(&self) -> Takes {
        match self.kind {
            PoolKind::Max | PoolKind::Min => Takes::Either,
            PoolKind::Avg { .. } => Takes::Floats,
        }
    }

    fn doc(&self) -> &'static str {
        match self.kind {
            PoolKind::Max => "the greatest element of each window",
            PoolKind::Avg { .. } => "the mean of each window",
            PoolKind::Min => "the least element of each window",
        }
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        match self.kind {
            PoolKind::Max => &["max_pool2d", "maxpool2d"],
            PoolKind::Avg { .. } => &["avg_pool2d", "avgpool2d", "average_pool"],
            PoolKind::Min => &[],
        }
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.pair("size", &mut self.size, None);
        a.pair("stride", &mut self.stride, Some(self.size)).follows("= `size`");
        a.padding(&mut self.padding);
        a.flag("ceil", &mut self.ceil, false)
            .doc("the number of windows rounds up");
        a.pair("dilation", &mut self.dilation, Some(Pair::ONE));
        if let PoolKind::Avg { count_include_pad } = &mut self.kind {
            a.flag("count_include_pad", count_include_pad, false);
        }
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        let unpadded = match self.padding {
            // A window of one pixel needs no padding to keep the size.
            Padding::Valid | Padding::Same => true,
            Padding::Explicit(sides) => sides == Sides::default(),
        };
        // A stride would show in the shape.
        (self.size == Pair::ONE && unpadded).then_some("its windows are single pixels")
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map(self.name(), operands[0])?;
        if let Some(fault) = self.padding_fault(height, width) {
            return Err(fault.into());
        }
        let (rows, columns) = self.window().output(height, width)?;
        sized(Shape::map(channels, rows, columns), "padding")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        of_map(operands, |_, height, width| self.window().formula(height, width))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{error, fault, int, list, read, text};
    use super::*;
    use crate::ast::ValueKind;

    fn pool(written: &[(&str, ValueKind)]) -> Op {
        read("max_pool", written).expect("a pool")
    }

    #[test]
    fn the_window_steps_by_its_size() {
        let pool = pool(&[("size", list(&[3, 2]))]);
        assert_eq!(pool.shape(&[Shape::map(5, 11, 12)]), Ok(Shape::map(5, 3, 6)));
        assert_eq!(pool.keys().len(), 1);
    }

    #[test]
    fn ceil_rounds_up_but_never_starts_behind_the_input() {
        let ceil = ("ceil", ValueKind::Boolean(true));
        let up = pool(&[("size", int(3)), ("stride", int(2)), ceil.clone()]);
        assert_eq!(up.shape(&[Shape::map(5, 11, 12)]), Ok(Shape::map(5, 5, 6)));
        // GoogLeNet's, 112 → 56.
        assert_eq!(up.shape(&[Shape::map(64, 112, 112)]), Ok(Shape::map(64, 56, 56)));
        let clipped = pool(&[("size", int(2)), ("padding", int(1)), ceil]);
        assert_eq!(clipped.shape(&[Shape::map(1, 5, 5)]), Ok(Shape::map(1, 3, 3)));
    }

    #[test]
    fn padding_is_at_most_half_of_the_window() {
        let image = Shape::map(3, 8, 8);
        let wide = fault(&pool(&[("size", int(3)), ("padding", int(3))]), &[image]);
        assert_eq!(wide.key, Some("padding"));
        assert_eq!(wide.message, "`padding` of 3 rows is more than half of the window's 3");
        assert!(pool(&[("size", int(3)), ("padding", int(1))]).shape(&[image]).is_ok());
        assert!(pool(&[("size", int(2)), ("padding", int(1))]).shape(&[image]).is_ok());
    }

    #[test]
    fn lopsided_padding_needs_a_pixel_in_every_window() {
        let image = Shape::map(3, 8, 8);
        let padded = |sides: &[i64]| pool(&[("size", int(2)), ("stride", int(1)), ("padding", list(sides))]);
        assert_eq!(padded(&[0, 0, 1, 1]).shape(&[image]), Ok(Shape::map(3, 8, 8)));
        let blind = fault(&padded(&[0, 0, 2, 0]), &[image]);
        assert_eq!(
            (blind.key, blind.message.as_str()),
            (
                Some("padding"),
                "`padding` of 0 and 2 rows leaves a window without a pixel of the input"
            )
        );
        let same = pool(&[("size", int(5)), ("stride", int(1)), ("padding", text("same"))]);
        assert_eq!(same.shape(&[Shape::map(3, 1, 2)]), Ok(Shape::map(3, 1, 2)));
    }

    #[test]
    fn a_window_larger_than_the_input_is_explained() {
        let fault = fault(&pool(&[("size", int(9))]), &[Shape::map(3, 8, 8)]);
        assert_eq!(fault.key, Some("size"));
        assert_eq!(fault.message, "the window needs 9 rows, but the input has only 8");
        assert_eq!(
            fault.notes,
            ["rows and columns of the result: ⌊(8 + 2·0 − 9)/9⌋ + 1 = 0"]
        );
    }

    #[test]
    fn taps_may_be_apart() {
        let dilated = read(
            "avg_pool",
            &[("size", int(3)), ("stride", int(1)), ("dilation", int(2))],
        )
        .expect("a pool");
        assert_eq!(dilated.shape(&[Shape::map(3, 8, 9)]), Ok(Shape::map(3, 4, 5)));
        let (message, _) = error("avg_pool", &[("size", int(2)), ("dilations", int(2))]);
        assert_eq!(message, "`avg_pool` has no key `dilations`; did you mean `dilation`?");
    }
}
