//! 2-D convolution.

use std::fmt::Write as _;

use super::attributes::Attributes;
use super::batch_norm::EPSILON;
use super::fault::{map, of_map, sized, too_large};
use super::operator::Operator;
use super::range::Range;
use super::reader::Reader;
use super::window::{Axis, Window};
use super::{Activation, Arity, Fault, Padding, Pair, WeightDecl, values};
use crate::ast::ValueKind;
use crate::shape::{MAX_ELEMENTS, Shape};

/// 2-D convolution: `filters` kernels slide over the map; each output is bias + Σ weight · input.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Output channels.
    pub filters: usize,
    /// Kernel height and width.
    pub kernel: Pair,
    /// Step of the window.
    pub stride: Pair,
    /// Zeros around the input.
    pub padding: Padding,
    /// Distance between taps.
    pub dilation: Pair,
    /// Input and output channels are split into so many groups that do not see each other.
    pub groups: usize,
    /// Whether a bias per filter is added.
    pub bias: bool,
    /// Whether its weights are 8-bit integers times a scale for each filter, `weight_scale`.
    pub quantized: bool,
    /// Applied to the result.
    pub activation: Option<Activation>,
    /// A batch norm that a pass folded into weights and bias (before the activation).
    pub norm: Option<FoldedNorm>,
    /// Set by a pass: the last operand is added before the activation.
    pub residual: bool,
}

/// A batch norm folded into the weights that precede it: `w' = w · γ/√(σ²+ε)`, `b' = (b − μ) · γ/√(σ²+ε) + β`.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedNorm {
    /// Prefix of its weights' names.
    pub weights: String,
    /// ε
    pub epsilon: f64,
}

impl Default for Conv {
    fn default() -> Self {
        Conv {
            filters: 1,
            kernel: Pair::ONE,
            stride: Pair::ONE,
            padding: Padding::Valid,
            dilation: Pair::ONE,
            groups: 1,
            bias: true,
            quantized: false,
            activation: None,
            norm: None,
            residual: false,
        }
    }
}

impl Conv {
    /// The window's vertical and horizontal axis over an input of `height` × `width`, padding resolved.
    pub fn axes(&self, height: usize, width: usize) -> [Axis; 2] {
        self.window().axes(height, width)
    }

    /// Shape of the weights for an input of so many channels: `[filters, channels/groups, kh, kw]`.
    pub fn weight_dims(&self, channels: usize) -> [usize; 4] {
        [
            self.filters,
            channels / self.groups.max(1),
            self.kernel.h,
            self.kernel.w,
        ]
    }

    /// The attributes that it shares with a convolution of integers.
    pub(super) fn declared(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("filters", &mut self.filters, None);
        a.pair("kernel", &mut self.kernel, None);
        a.pair("stride", &mut self.stride, Some(Pair::ONE));
        a.padding(&mut self.padding);
        a.pair("dilation", &mut self.dilation, Some(Pair::ONE));
        a.count("groups", &mut self.groups, Some(1));
        a.flag("bias", &mut self.bias, true);
    }

    fn window(&self) -> Window {
        Window {
            key: "kernel",
            size: self.kernel,
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            ceil: false,
        }
    }
}

/// What is wrong with a number of groups.
pub(super) fn group_faults(groups: usize, channels: usize, filters: usize) -> Vec<Fault> {
    let groups = groups.max(1);
    let mut faults = Vec::new();
    if !channels.is_multiple_of(groups) {
        let message = format!("`groups` {groups} does not divide the {channels} channels of the input");
        let note = format!("{channels}/{groups} is not whole: each group needs as many input channels");
        faults.push(Fault::new("groups", message).note(note));
    }
    if !filters.is_multiple_of(groups) {
        let message = format!("`groups` {groups} does not divide the {filters} `filters`");
        let note = format!("{filters}/{groups} is not whole: each group needs as many filters");
        faults.push(Fault::new("groups", message).note(note));
    }
    faults
}

impl Operator for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn doc(&self) -> &'static str {
        "2-D convolution (cross-correlation): bias + Σ weight · input over a sliding window"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["conv2d", "convolution"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        self.declared(a);
        a.flag("quantized", &mut self.quantized, false)
            .doc("weights are 8-bit integers times `weight_scale`");
        a.activation(&mut self.activation);
        a.folded_norm(&mut self.norm);
        if a.in_dumps() {
            a.flag("residual", &mut self.residual, false);
        }
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(if self.residual { 2 } else { 1 })
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("conv", operands[0])?;
        let mut faults = group_faults(self.groups, channels, self.filters);
        let dims = self.weight_dims(channels);
        if !fits(&dims) {
            let largest = if self.filters > self.kernel.h.max(self.kernel.w) {
                "filters"
            } else {
                "kernel"
            };
            faults.push(too_large("weights", &format!("{dims:?}"), largest));
        }
        let size = self.window().output(height, width).map_err(|fault| faults.push(fault));
        let (Ok((rows, columns)), true) = (size, faults.is_empty()) else {
            return Err(faults);
        };
        // More pixels than the input has can only come from padding.
        let key = if rows > height || columns > width {
            "padding"
        } else {
            "filters"
        };
        let result = sized(Shape::map(self.filters, rows, columns), key)?;
        match operands.get(1) {
            Some(&residual) if residual != result => Err(Fault::new(
                "from",
                format!("the residual must have the result's shape {result}, but has {residual}"),
            )
            .into()),
            _ => Ok(result),
        }
    }

    fn formula(&self, operands: &[Shape]) -> String {
        of_map(operands, |_, height, width| self.window().formula(height, width))
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        let mut weights = vec![WeightDecl::new(
            prefix,
            "weight",
            &self.weight_dims(operands[0].channels()),
        )];
        if self.quantized {
            weights.push(WeightDecl::new(prefix, "weight_scale", &[self.filters]));
        }
        if self.bias {
            weights.push(WeightDecl::new(prefix, "bias", &[self.filters]));
        }
        if let Some(norm) = &self.norm {
            weights.extend(WeightDecl::norm(&norm.weights, self.filters));
        }
        weights
    }

    fn weights_doc(&self) -> &'static str {
        "`weight [filters, C/groups, kh, kw]`, `bias [filters]`"
    }

    fn multiplications(&self, operands: &[Shape], result: Shape) -> Option<(u128, String)> {
        let channels = operands[0].channels();
        let [filters, depth, rows, columns] = self.weight_dims(channels);
        Some(products(
            result,
            [rows, columns],
            [channels, depth],
            self.groups,
            filters,
        ))
    }

    fn activation_slot(&mut self) -> Option<&mut Option<Activation>> {
        Some(&mut self.activation)
    }
}

/// Pixels × elements of one filter × filters. `channels` and, of these, `depth` that a filter sees.
pub(super) fn products(
    pixels: Shape,
    [rows, columns]: [usize; 2],
    [channels, depth]: [usize; 2],
    groups: usize,
    filters: usize,
) -> (u128, String) {
    let mut product = String::new();
    if let Shape::Map { height, width, .. } = pixels {
        product = format!("({height}×{width})×({rows}×{columns}");
    }
    // Writing to a String cannot fail.
    let _ = match (groups, depth) {
        (1, 1) => write!(product, ")"), // as it is written for an image without channels
        (1, depth) => write!(product, "×{depth})"),
        (groups, _) => write!(product, "×{channels}/{groups})"),
    };
    if filters > 1 {
        let _ = write!(product, "×{filters}");
    }
    (count(&[pixels.plane(), rows, columns, depth, filters]), product)
}

/// The product of sizes.
pub(super) fn count(factors: &[usize]) -> u128 {
    factors
        .iter()
        .fold(1, |product: u128, &factor| product.saturating_mul(factor as u128))
}

/// Whether a tensor of weights is small enough to compute with.
pub(super) fn fits(dims: &[usize]) -> bool {
    let elements = dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    elements.is_some_and(|elements| elements <= MAX_ELEMENTS)
}

impl FoldedNorm {
    /// The key `norm`, which only dumps have.
    pub(super) fn read(keys: &mut Reader<'_>) -> Option<FoldedNorm> {
        keys.table("norm", |keys| FoldedNorm {
            weights: keys.text("weights"),
            epsilon: keys.number("epsilon", Some(EPSILON), Range::NOT_NEGATIVE),
        })
    }

    /// It as the value of that key.
    pub(super) fn value(&self) -> ValueKind {
        values::table(vec![
            ("weights", values::text(&self.weights)),
            ("epsilon", ValueKind::Float(self.epsilon)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, int, read};
    use super::super::{Op, Sides};
    use super::*;

    const PLAIN: Conv = Conv {
        filters: 4,
        kernel: Pair::both(3),
        stride: Pair::ONE,
        padding: Padding::Valid,
        dilation: Pair::ONE,
        groups: 1,
        bias: true,
        quantized: false,
        activation: None,
        norm: None,
        residual: false,
    };
    const IMAGE: Shape = Shape::map(3, 8, 8);

    #[test]
    fn defaults_are_the_documented_ones() {
        assert_eq!(
            read("conv", &[("filters", int(4)), ("kernel", int(3))]),
            Ok(Op::Conv(PLAIN))
        );
    }

    #[test]
    fn shapes_follow_the_floor_formula() {
        let shape = |conv: Conv, input| Op::Conv(conv).shape(&[input]);
        let input = Shape::map(3, 14, 15);
        assert_eq!(shape(PLAIN, input), Ok(Shape::map(4, 12, 13)));
        let (kernel, stride) = (Pair { h: 7, w: 1 }, Pair { h: 2, w: 1 });
        let same = Conv {
            kernel,
            stride,
            padding: Padding::Same,
            ..PLAIN
        };
        assert_eq!(shape(same.clone(), input), Ok(Shape::map(4, 7, 15)));
        assert_eq!(
            Op::Conv(same).formula(&[input]),
            "height: ⌈14/2⌉ = 7, width: ⌈15/1⌉ = 15"
        );
        let sides = Sides {
            top: 0,
            left: 1,
            bottom: 2,
            right: 0,
        };
        let lopsided = Conv {
            padding: Padding::Explicit(sides),
            ..PLAIN
        };
        assert_eq!(shape(lopsided.clone(), input), Ok(Shape::map(4, 14, 14)));
        assert_eq!(
            Op::Conv(lopsided).formula(&[input]),
            "height: ⌊(14 + 0 + 2 − 3)/1⌋ + 1 = 14, width: ⌊(15 + 1 + 0 − 3)/1⌋ + 1 = 14"
        );
    }

    #[test]
    fn a_kernel_larger_than_the_input_is_explained() {
        let kernel = Pair::both(11);
        let large = fault(&Op::Conv(Conv { kernel, ..PLAIN }), &[IMAGE]);
        assert_eq!(large.key, Some("kernel"));
        assert_eq!(large.message, "the kernel needs 11 rows, but the input has only 8");
        assert_eq!(
            large.notes[0],
            "rows and columns of the result: ⌊(8 + 2·0 − 11)/1⌋ + 1 = −2"
        );
        let padding = Padding::Explicit(Sides {
            top: 1,
            bottom: 1,
            ..Sides::default()
        });
        let wide = Conv {
            kernel: Pair { h: 1, w: 5 },
            dilation: Pair::both(3),
            padding,
            ..PLAIN
        };
        assert_eq!(
            fault(&Op::Conv(wide), &[IMAGE]).message,
            "the dilated kernel needs 13 columns, but the input has only 8"
        );
    }

    #[test]
    fn groups_divide_channels_and_filters() {
        let channels = fault(&Op::Conv(Conv { groups: 2, ..PLAIN }), &[IMAGE]);
        assert_eq!(
            channels.message,
            "`groups` 2 does not divide the 3 channels of the input"
        );
        let filters = fault(&Op::Conv(Conv { groups: 3, ..PLAIN }), &[IMAGE]);
        assert_eq!(filters.message, "`groups` 3 does not divide the 4 `filters`");
        assert_eq!(filters.key, Some("groups"));
    }

    #[test]
    fn independent_faults_come_together() {
        let conv = Conv {
            groups: 5,
            kernel: Pair::both(11),
            ..PLAIN
        };
        assert_eq!(Op::Conv(conv).shape(&[IMAGE]).expect_err("three faults").len(), 3);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let most = crate::shape::MAX_DIMENSION;
        let filters = Conv {
            filters: most,
            kernel: Pair::both(8),
            ..PLAIN
        };
        assert!(Op::Conv(filters).shape(&[Shape::map(3, 8, 8)]).is_ok());
        let weights = Conv {
            filters: most,
            kernel: Pair::both(300),
            padding: Padding::Same,
            ..PLAIN
        };
        assert!(
            fault(&Op::Conv(weights), &[IMAGE])
                .message
                .starts_with("`filters` makes the weights too large")
        );
        let sides = Sides {
            top: most,
            left: most,
            bottom: most,
            right: most,
        };
        let padded = Conv {
            padding: Padding::Explicit(sides),
            ..PLAIN
        };
        assert_eq!(fault(&Op::Conv(padded), &[IMAGE]).key, Some("padding"));
    }

    #[test]
    fn a_vector_is_no_map() {
        let fault = fault(&Op::Conv(PLAIN), &[Shape::Flat(192)]);
        assert_eq!(
            fault.message,
            "`conv` needs a map [channels, height, width], but its input is the flat vector [192]"
        );
    }

    #[test]
    fn weights_have_the_names_and_shapes_of_a_state_dict() {
        let folded = Conv {
            norm: Some(FoldedNorm {
                weights: "bn1".to_owned(),
                epsilon: 1e-5,
            }),
            groups: 3,
            filters: 6,
            kernel: Pair { h: 3, w: 5 },
            ..PLAIN
        };
        let weights = Op::Conv(folded).weights("c1", &[Shape::map(12, 8, 8)]);
        let listed: Vec<_> = weights
            .iter()
            .map(|weight| (weight.name.as_str(), weight.shape.as_slice()))
            .collect();
        assert_eq!(
            listed,
            [
                ("c1.weight", [6, 4, 3, 5].as_slice()),
                ("c1.bias", &[6]),
                ("bn1.weight", &[6]),
                ("bn1.bias", &[6]),
                ("bn1.running_mean", &[6]),
                ("bn1.running_var", &[6]),
            ]
        );
        let without = Op::Conv(Conv { bias: false, ..PLAIN }).weights("c1", &[IMAGE]);
        assert_eq!(without.len(), 1);
    }

    #[test]
    fn a_residual_has_the_results_shape() {
        let residual = Op::Conv(Conv {
            residual: true,
            ..PLAIN
        });
        assert_eq!(residual.shape(&[IMAGE, Shape::map(4, 6, 6)]), Ok(Shape::map(4, 6, 6)));
        assert_eq!(fault(&residual, &[IMAGE, IMAGE]).key, Some("from"));
        assert_eq!(fault(&residual, &[IMAGE]).message, "`conv` takes 2 operands, but has 1");
    }
}
