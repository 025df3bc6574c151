//! 2-D convolution.

use super::attributes::{Range, Reader};
use super::fault::{map, sized, too_large};
use super::norm::EPSILON;
use super::window::{Axis, Window};
use super::writer::Writer;
use super::{Activation, Arity, Dialect, Fault, Operator, Padding, Pair, WeightDecl};
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

impl Conv {
    pub(super) fn read(keys: &mut Reader<'_>) -> Conv {
        Conv {
            filters: keys.count("filters", None),
            kernel: keys.pair("kernel", None),
            stride: keys.pair("stride", Some(Pair::ONE)),
            padding: keys.padding(),
            dilation: keys.pair("dilation", Some(Pair::ONE)),
            groups: keys.count("groups", Some(1)),
            bias: keys.flag("bias", true),
            activation: keys.activation(),
            norm: FoldedNorm::read(keys),
            residual: keys.dialect == Dialect::Dump && keys.flag("residual", false),
        }
    }

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

    fn group_faults(&self, channels: usize) -> Vec<Fault> {
        let groups = self.groups.max(1);
        let mut faults = Vec::new();
        if !channels.is_multiple_of(groups) {
            let message = format!("`groups` {groups} does not divide the {channels} channels of the input");
            let note = format!("{channels}/{groups} is not whole: each group needs as many input channels");
            faults.push(Fault::new("groups", message).note(note));
        }
        if !self.filters.is_multiple_of(groups) {
            let filters = self.filters;
            let message = format!("`groups` {groups} does not divide the {filters} `filters`");
            let note = format!("{filters}/{groups} is not whole: each group needs as many filters");
            faults.push(Fault::new("groups", message).note(note));
        }
        faults
    }
}

impl Operator for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        let keys = Writer::default()
            .count("filters", self.filters, None)
            .pair("kernel", self.kernel, None)
            .pair("stride", self.stride, Some(Pair::ONE))
            .padding(self.padding)
            .pair("dilation", self.dilation, Some(Pair::ONE))
            .count("groups", self.groups, Some(1))
            .flag("bias", self.bias, true)
            .activation(self.activation);
        FoldedNorm::write(self.norm.as_ref(), keys)
            .flag("residual", self.residual, false)
            .finish()
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(if self.residual { 2 } else { 1 })
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("conv", operands[0])?;
        let mut faults = self.group_faults(channels);
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
        let result = sized(Shape::map(self.filters, rows, columns), "filters")?;
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
        match operands.first() {
            Some(&Shape::Map { height, width, .. }) => self.window().formula(height, width),
            Some(Shape::Flat(_)) | None => String::new(),
        }
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        let mut weights = vec![WeightDecl::new(
            prefix,
            "weight",
            &self.weight_dims(operands[0].channels()),
        )];
        if self.bias {
            weights.push(WeightDecl::new(prefix, "bias", &[self.filters]));
        }
        if let Some(norm) = &self.norm {
            weights.extend(WeightDecl::norm(&norm.weights, self.filters));
        }
        weights
    }
}

/// Whether a tensor of weights is small enough to compute with.
pub(super) fn fits(dims: &[usize]) -> bool {
    let elements = dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    elements.is_some_and(|elements| elements <= MAX_ELEMENTS)
}

impl FoldedNorm {
    /// The key `norm`, which only dumps have.
    pub(super) fn read(keys: &mut Reader<'_>) -> Option<FoldedNorm> {
        if keys.dialect != Dialect::Dump {
            return None;
        }
        keys.table("norm", |keys| FoldedNorm {
            weights: keys.text("weights"),
            epsilon: keys.number("epsilon", Some(EPSILON), Range::NOT_NEGATIVE),
        })
    }

    pub(super) fn write(norm: Option<&FoldedNorm>, keys: Writer) -> Writer {
        let Some(norm) = norm else { return keys };
        let table = Writer::default()
            .value("weights", ValueKind::Text(norm.weights.clone()))
            .number("epsilon", norm.epsilon, None);
        keys.value("norm", table.table())
    }
}
