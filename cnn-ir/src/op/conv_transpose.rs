//! Transposed 2-D convolution.

use super::attributes::Attributes;
use super::conv::{fits, group_faults, products};
use super::fault::{map, of_map, sized, too_large};
use super::operator::Operator;
use super::window::both;
use super::{Activation, Fault, FoldedNorm, Pair, Sides, WeightDecl};
use crate::shape::Shape;

/// Transposed 2-D convolution (PyTorch's `ConvTranspose2d`): each pixel adds `filters` kernels, scaled by its value, to
/// the result, a stride further for each step in the input; the border is cut off.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvTranspose {
    /// Output channels.
    pub filters: usize,
    /// Kernel height and width.
    pub kernel: Pair,
    /// How far the kernels of neighbouring pixels are apart.
    pub stride: Pair,
    /// Rows and columns of the result that are cut off.
    pub padding: Sides,
    /// Rows and columns added below and to the right, where fewer kernels reach.
    pub output_padding: Pair,
    /// Distance between taps.
    pub dilation: Pair,
    /// Input and output channels are split into so many groups that do not see each other.
    pub groups: usize,
    /// Whether a bias per filter is added.
    pub bias: bool,
    /// Applied to the result.
    pub activation: Option<Activation>,
    /// A batch norm that a pass folded into weights and bias (before the activation).
    pub norm: Option<FoldedNorm>,
}

/// One axis of a transposed convolution.
struct Axis {
    n: usize,
    size: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
    more: usize,
}

impl Axis {
    /// `(n − 1)·stride − padding + dilation·(size − 1) + output_padding + 1`
    fn result(&self) -> i128 {
        let product = |a: usize, b: usize| (a as i128).saturating_mul((b as i128 - 1).max(0));
        let padding = self.before as i128 + self.after as i128;
        product(self.stride, self.n)
            .saturating_sub(padding)
            .saturating_add(product(self.dilation, self.size))
            .saturating_add(self.more as i128 + 1)
    }

    fn output(&self) -> Option<usize> {
        usize::try_from(self.result()).ok().filter(|&output| output > 0)
    }

    fn formula(&self) -> String {
        let padding = if self.before == self.after {
            format!("2·{}", self.before)
        } else {
            format!("{} − {}", self.before, self.after)
        };
        let extent = match (self.size, self.dilation) {
            (size, 1) | (size @ 1, _) => size.to_string(),
            (size, dilation) => format!("{dilation}·({size} − 1) + 1"),
        };
        let more = if self.more > 0 {
            format!(" + {}", self.more)
        } else {
            String::new()
        };
        let result = self.result().to_string().replace('-', "−");
        format!(
            "({} − 1)·{} − {padding} + {extent}{more} = {result}",
            self.n, self.stride
        )
    }
}

impl Default for ConvTranspose {
    fn default() -> Self {
        ConvTranspose {
            filters: 1,
            kernel: Pair::ONE,
            stride: Pair::ONE,
            padding: Sides::default(),
            output_padding: Pair::both(0),
            dilation: Pair::ONE,
            groups: 1,
            bias: true,
            activation: None,
            norm: None,
        }
    }
}

impl ConvTranspose {
    /// Shape of the weights for an input of so many channels: `[channels, filters/groups, kh, kw]`.
    pub fn weight_dims(&self, channels: usize) -> [usize; 4] {
        [
            channels,
            self.filters / self.groups.max(1),
            self.kernel.h,
            self.kernel.w,
        ]
    }

    fn axes(&self, height: usize, width: usize) -> [Axis; 2] {
        let sides = self.padding;
        [
            Axis {
                n: height,
                size: self.kernel.h,
                stride: self.stride.h,
                dilation: self.dilation.h,
                before: sides.top,
                after: sides.bottom,
                more: self.output_padding.h,
            },
            Axis {
                n: width,
                size: self.kernel.w,
                stride: self.stride.w,
                dilation: self.dilation.w,
                before: sides.left,
                after: sides.right,
                more: self.output_padding.w,
            },
        ]
    }
}

impl Operator for ConvTranspose {
    fn name(&self) -> &'static str {
        "conv_transpose"
    }

    fn doc(&self) -> &'static str {
        "PyTorch's `ConvTranspose2d`; size: `(n − 1)·stride − padding + dilation·(kernel − 1) + output_padding + 1`"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["conv_transpose2d", "deconv", "deconvolution"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("filters", &mut self.filters, None);
        a.pair("kernel", &mut self.kernel, None);
        a.pair("stride", &mut self.stride, Some(Pair::ONE));
        let none = Some(Sides::default());
        a.sides("padding", &mut self.padding, none)
            .doc("cut off from the result");
        a.pair_from_zero("output_padding", &mut self.output_padding);
        a.pair("dilation", &mut self.dilation, Some(Pair::ONE));
        a.count("groups", &mut self.groups, Some(1));
        a.flag("bias", &mut self.bias, true);
        a.activation(&mut self.activation);
        a.folded_norm(&mut self.norm);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("conv_transpose", operands[0])?;
        let mut faults = group_faults(self.groups, channels, self.filters);
        let dims = self.weight_dims(channels);
        if !fits(&dims) {
            faults.push(too_large("weights", &format!("{dims:?}"), "filters"));
        }
        let axes = self.axes(height, width);
        for (axis, unit) in axes.iter().zip(["rows", "columns"]) {
            if axis.more > 0 && axis.more >= axis.stride.max(axis.dilation) {
                let message = format!(
                    "`output_padding` of {} {unit} must be less than the stride {} or the dilation {}",
                    axis.more, axis.stride, axis.dilation
                );
                let note = "it chooses between the sizes that a convolution of this stride makes one size of";
                faults.push(Fault::new("output_padding", message).note(note));
            }
            if axis.output().is_none() {
                let message = format!("`padding` cuts off all {unit} of the result");
                let note = format!("{unit} of the result: {}", axis.formula());
                faults.push(Fault::new("padding", message).note(note));
            }
        }
        let ([Some(rows), Some(columns)], true) = (axes.map(|axis| axis.output()), faults.is_empty()) else {
            return Err(faults);
        };
        sized(Shape::map(self.filters, rows, columns), "stride")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        of_map(operands, |_, height, width| {
            let [rows, columns] = self.axes(height, width).map(|axis| axis.formula());
            both(rows, columns)
        })
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        let dims = self.weight_dims(operands[0].channels());
        let mut weights = vec![WeightDecl::new(prefix, "weight", &dims)];
        if self.bias {
            weights.push(WeightDecl::new(prefix, "bias", &[self.filters]));
        }
        if let Some(norm) = &self.norm {
            weights.extend(WeightDecl::norm(&norm.weights, self.filters));
        }
        weights
    }

    fn weights_doc(&self) -> &'static str {
        "`weight [C, filters/groups, kh, kw]`, `bias [filters]`"
    }

    fn multiplications(&self, operands: &[Shape], _: Shape) -> Option<(u128, String)> {
        let channels = operands[0].channels();
        let depths = [channels, channels / self.groups.max(1)];
        let kernel = [self.kernel.h, self.kernel.w];
        // Once a pixel of the input.
        Some(products(operands[0], kernel, depths, self.groups, self.filters))
    }

    fn activation_slot(&mut self) -> Option<&mut Option<Activation>> {
        Some(&mut self.activation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{error, fault, int, list, read, text};
    use super::*;
    use crate::ast::ValueKind;

    const IMAGE: Shape = Shape::map(4, 5, 6);

    fn op(more: &[(&str, ValueKind)]) -> Op {
        let keys = [&[("filters", int(6)), ("kernel", int(3))], more].concat();
        read("conv_transpose", &keys).expect("a transposed convolution")
    }

    #[test]
    fn shapes_are_pytorchs() {
        assert_eq!(op(&[]).shape(&[IMAGE]), Ok(Shape::map(6, 7, 8)));
        assert_eq!(op(&[]).keys().len(), 2);
        let doubled = op(&[("stride", int(2)), ("padding", int(1)), ("output_padding", int(1))]);
        assert_eq!(doubled.shape(&[IMAGE]), Ok(Shape::map(6, 10, 12)));
        assert_eq!(
            doubled.formula(&[IMAGE]),
            "height: (5 − 1)·2 − 2·1 + 3 + 1 = 10, width: (6 − 1)·2 − 2·1 + 3 + 1 = 12"
        );
        let lopsided = op(&[("padding", list(&[0, 1, 2, 0])), ("dilation", int(2))]);
        assert_eq!(lopsided.shape(&[IMAGE]), Ok(Shape::map(6, 7, 9)));
        assert_eq!(
            lopsided.formula(&[IMAGE]),
            "height: (5 − 1)·1 − 0 − 2 + 2·(3 − 1) + 1 = 7, width: (6 − 1)·1 − 1 − 0 + 2·(3 − 1) + 1 = 9"
        );
        assert_eq!(doubled.cost(&[IMAGE]).product, "(5×6)×(3×3×4)×6 = 6480");
    }

    #[test]
    fn weights_are_pytorchs() {
        let grouped = op(&[("groups", int(2))]);
        assert_eq!(grouped.cost(&[IMAGE]).product, "(5×6)×(3×3×4/2)×6 = 3240");
        let weights = grouped.weights("up", &[IMAGE]);
        assert_eq!(
            weights,
            [
                WeightDecl::new("up", "weight", &[4, 3, 3, 3]),
                WeightDecl::new("up", "bias", &[6])
            ]
        );
    }

    #[test]
    fn mistakes_are_explained() {
        let cut = fault(&op(&[("padding", list(&[4, 0]))]), &[IMAGE]);
        assert_eq!(
            (cut.key, cut.message.as_str()),
            (Some("padding"), "`padding` cuts off all rows of the result")
        );
        assert_eq!(cut.notes, ["rows of the result: (5 − 1)·1 − 2·4 + 3 = −1"]);
        let more = fault(&op(&[("stride", int(2)), ("output_padding", list(&[0, 2]))]), &[IMAGE]);
        assert_eq!(
            more.message,
            "`output_padding` of 2 columns must be less than the stride 2 or the dilation 1"
        );
        assert_eq!(fault(&op(&[("groups", int(3))]), &[IMAGE]).key, Some("groups"));
        let (message, _) = error(
            "conv_transpose",
            &[("filters", int(1)), ("kernel", int(2)), ("padding", text("same"))],
        );
        assert_eq!(
            message,
            "`padding` must be \"valid\", an integer, [height, width] or [top, left, bottom, right], found the string \"same\""
        );
        assert!(op(&[("stride", int(i64::from(i32::MAX)))]).shape(&[IMAGE]).is_err());
    }
}
