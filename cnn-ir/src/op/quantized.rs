//! Layers that compute with 8-bit integers.
//!
//! The operands' types say what their integers stand for, the keys `scale` and `zero_point` the same of the result. Sums of
//! products are exact, in 32 bits; only a complete sum is multiplied, as a float, with
//! `operand's scale · weight_scale / scale`, rounded to the nearest integer (ties to the even one), given the zero point and
//! cut off (ONNX's `QLinearConv`). The bias is rounded to whole products of the first two scales.

use cnn_types::Quantisation;

use super::attributes::Attributes;
use super::operator::{Operator, Takes};
use super::quantize::Quantize;
use super::{Activation, Arity, Conv, Dense, Fault, WeightDecl};
use crate::shape::Shape;
use crate::value::ElementType;

/// The most products of a sum: as many as surely fit 32 bits, 255 · 128 each.
pub const MOST_PRODUCTS: usize = 65_000;

/// A convolution of 8-bit integers.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedConv {
    /// The convolution, without norm and residual; its weights are [`Conv::quantized`].
    pub conv: Conv,
    /// What the result's integers stand for.
    pub to: Quantisation,
}

/// A fully connected layer of 8-bit integers.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedDense {
    /// The layer, without norm; its weights are [`Dense::quantized`].
    pub dense: Dense,
    /// What the result's integers stand for.
    pub to: Quantisation,
}

/// A sum of two values of 8-bit integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantizedAdd {
    /// Applied to the sum.
    pub activation: Option<Activation>,
    /// What the result's integers stand for.
    pub to: Quantisation,
}

/// What is wrong with an activation, if it does more than cut off.
fn activation_fault(op: &str, activation: Option<Activation>, to: Quantisation) -> Result<(), Fault> {
    match activation {
        Some(other) if to.bounds(activation).is_none() => Err(Fault::new(
            "activation",
            format!("`{op}` cannot apply `{}`", other.name()),
        )
        .note("integers can be cut off: `relu`, `relu6` and `clip`")),
        _ => Ok(()),
    }
}

/// What is wrong with a sum of so many products.
fn sum_fault(products: usize, key: &'static str) -> Result<(), Fault> {
    if products <= MOST_PRODUCTS {
        return Ok(());
    }
    let message = format!("a sum of {products} products of 8-bit integers may not fit 32 bits");
    Err(Fault::new(key, message).note(format!("at most {MOST_PRODUCTS} surely do")))
}

impl Default for QuantizedConv {
    fn default() -> Self {
        QuantizedConv {
            conv: Conv {
                quantized: true,
                ..Conv::default()
            },
            to: Quantize::default().to,
        }
    }
}

impl Operator for QuantizedConv {
    fn name(&self) -> &'static str {
        "quantized_conv"
    }

    fn doc(&self) -> &'static str {
        "`conv` of 8-bit integers, with one group or one channel a group"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["qlinearconv"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        self.conv.declared(a);
        a.activation(&mut self.conv.activation);
        a.quantisation(&mut self.to);
    }

    fn takes(&self) -> Takes {
        Takes::Integers
    }

    fn element(&self, _: &[ElementType]) -> ElementType {
        ElementType::U8(self.to)
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let shape = self.conv.shape(operands)?;
        let (channels, conv) = (operands[0].channels(), &self.conv);
        if conv.groups > 1 && !(conv.groups == channels && conv.filters == channels) {
            let message = format!(
                "`groups` {} is neither 1 nor one for each channel and filter",
                conv.groups
            );
            return Err(Fault::new("groups", message)
                .note("a `conv` of real numbers takes any")
                .into());
        }
        let products = conv.weight_dims(channels)[1..].iter().product();
        sum_fault(products, "kernel")?;
        activation_fault(self.name(), conv.activation, self.to)?;
        Ok(shape)
    }

    fn formula(&self, operands: &[Shape]) -> String {
        self.conv.formula(operands)
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        self.conv.weights(prefix, operands)
    }

    fn weights_doc(&self) -> &'static str {
        "`weight [filters, C/groups, kh, kw]`, `weight_scale [filters]`, `bias [filters]`"
    }

    fn multiplications(&self, operands: &[Shape], result: Shape) -> Option<(u128, String)> {
        self.conv.multiplications(operands, result)
    }
}

impl Default for QuantizedDense {
    fn default() -> Self {
        QuantizedDense {
            dense: Dense {
                quantized: true,
                ..Dense::default()
            },
            to: Quantize::default().to,
        }
    }
}

impl Operator for QuantizedDense {
    fn name(&self) -> &'static str {
        "quantized_dense"
    }

    fn doc(&self) -> &'static str {
        "`dense` of 8-bit integers"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["qgemm", "qlinearmatmul"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("units", &mut self.dense.units, None);
        a.flag("bias", &mut self.dense.bias, true);
        a.activation(&mut self.dense.activation);
        a.quantisation(&mut self.to);
    }

    fn takes(&self) -> Takes {
        Takes::Integers
    }

    fn element(&self, _: &[ElementType]) -> ElementType {
        ElementType::U8(self.to)
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let shape = self.dense.shape(operands)?;
        sum_fault(operands[0].elements(), "from")?;
        activation_fault(self.name(), self.dense.activation, self.to)?;
        Ok(shape)
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        self.dense.weights(prefix, operands)
    }

    fn weights_doc(&self) -> &'static str {
        "`weight [units, N]`, `weight_scale [units]`, `bias [units]`"
    }

    fn multiplications(&self, operands: &[Shape], result: Shape) -> Option<(u128, String)> {
        self.dense.multiplications(operands, result)
    }
}

impl Default for QuantizedAdd {
    fn default() -> Self {
        QuantizedAdd {
            activation: None,
            to: Quantize::default().to,
        }
    }
}

impl Operator for QuantizedAdd {
    fn name(&self) -> &'static str {
        "quantized_add"
    }

    fn doc(&self) -> &'static str {
        "the sum of two values of 8-bit integers of one shape"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["qlinearadd"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.activation(&mut self.activation);
        a.quantisation(&mut self.to);
    }

    fn takes(&self) -> Takes {
        Takes::Integers
    }

    fn element(&self, _: &[ElementType]) -> ElementType {
        ElementType::U8(self.to)
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(2)
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        if operands[0] != operands[1] {
            let message = format!(
                "`quantized_add` cannot bring {} and {} together",
                operands[0], operands[1]
            );
            return Err(Fault::new("from", message).note("both must have one shape").into());
        }
        activation_fault(self.name(), self.activation, self.to)?;
        Ok(operands[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, int, read, text};
    use super::*;
    use crate::ast::ValueKind;

    const SCALE: (&str, ValueKind) = ("scale", ValueKind::Float(0.5));

    #[test]
    fn the_shape_is_the_convolutions_and_weights_have_scales() {
        let conv = read("quantized_conv", &[("filters", int(4)), ("kernel", int(3)), SCALE]).expect("a convolution");
        let image = Shape::map(3, 8, 8);
        assert_eq!(conv.shape(&[image]), Ok(Shape::map(4, 6, 6)));
        let weights = conv.weights("c", &[image]);
        let names: Vec<_> = weights.iter().map(|weight| weight.name.as_str()).collect();
        assert_eq!(names, ["c.weight", "c.weight_scale", "c.bias"]);
    }

    #[test]
    fn what_integers_cannot_do_is_refused() {
        let keys = [("filters", int(4)), ("kernel", int(3)), SCALE];
        let keys = |more: (&'static str, ValueKind)| keys.iter().cloned().chain([more]).collect::<Vec<_>>();
        let of = |more| read("quantized_conv", &keys(more)).expect("a convolution");
        assert_eq!(
            fault(&of(("activation", text("tanh"))), &[Shape::map(2, 8, 8)]).key,
            Some("activation")
        );
        assert_eq!(
            fault(&of(("groups", int(2))), &[Shape::map(4, 8, 8)]).key,
            Some("groups")
        );
        let dense = Op::QuantizedDense(QuantizedDense::default());
        assert_eq!(fault(&dense, &[Shape::Flat(MOST_PRODUCTS + 1)]).key, Some("from"));
        assert_eq!(dense.shape(&[Shape::Flat(MOST_PRODUCTS)]), Ok(Shape::Flat(1)));
    }
}
