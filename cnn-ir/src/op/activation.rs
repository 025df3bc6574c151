//! Functions of one element.

use super::attributes::Attributes;
use super::operator::Operator;
use super::range::Range;
use super::reader::Reader;
use super::values;
use super::words::{found, hint, list};
use crate::ast::{Key, ValueKind};
use crate::span::Spanned;

pub use cnn_types::Activation;

/// Slope of a leaky ReLU that names none.
const LEAKY_ALPHA: f32 = 0.01;
/// Limit of an ELU that names none.
const ELU_ALPHA: f32 = 1.0;
/// All activations, each with the defaults of its keys.
pub(super) const ALL: [Activation; 30] = [
    Activation::Relu,
    Activation::Relu6,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Silu,
    Activation::Gelu { tanh: false },
    Activation::HARD_SIGMOID,
    Activation::HardSwish,
    Activation::Softplus,
    Activation::LeakyRelu { alpha: LEAKY_ALPHA },
    Activation::Elu { alpha: ELU_ALPHA },
    Activation::Selu,
    // Its bounds must be written.
    Activation::Clip { min: 0.0, max: 0.0 },
    Activation::Mish,
    Activation::Celu { alpha: ELU_ALPHA },
    Activation::Softsign,
    Activation::ThresholdedRelu { alpha: 1.0 },
    Activation::Shrink { lambda: 0.5, bias: 0.0 },
    Activation::Affine { alpha: 1.0, beta: 0.0 },
    Activation::Exp,
    Activation::Log,
    Activation::Sqrt,
    Activation::Reciprocal,
    // Its exponent must be written.
    Activation::Pow { exponent: 1.0 },
    Activation::Abs,
    Activation::Sign,
    Activation::Erf,
    Activation::Floor,
    Activation::Ceil,
    Activation::Round,
];

/// An activation as the value of an `activation` key: its name, or a table if it has keys.
pub(super) fn value(mut activation: Activation) -> ValueKind {
    let name = values::text(activation.name());
    let keys = super::keys(&mut activation);
    if keys.is_empty() {
        return name;
    }
    values::table([vec![("op", name)], keys].concat())
}

/// Those that other operators may apply to their results: lanes of a vector without an element must stay finite.
pub(super) fn fused() -> impl Iterator<Item = Activation> {
    ALL.into_iter().filter(|activation| activation.is_finite_at_zero())
}

fn names() -> Vec<&'static str> {
    fused().map(|activation| activation.name()).collect()
}

impl Operator for Activation {
    fn name(&self) -> &'static str {
        Activation::name(self)
    }

    fn doc(&self) -> &'static str {
        match self {
            Activation::Relu => "`max(x, 0)`",
            Activation::Relu6 => "`min(max(x, 0), 6)`",
            Activation::Tanh => "`tanh x`",
            Activation::Sigmoid => "`1 / (1 + e^−x)`",
            Activation::Silu => "`x / (1 + e^−x)`",
            Activation::Gelu { .. } => "`x/2 · (1 + erf(x/√2))`, or its approximation by tanh",
            Activation::HardSigmoid { .. } => "`min(max(alpha·x + beta, 0), 1)`",
            Activation::HardSwish => "`x · min(max(x + 3, 0), 6) / 6`",
            Activation::Softplus => "`ln(1 + e^x)`, and `x` itself above 20",
            Activation::LeakyRelu { .. } => "`x` above 0, `alpha·x` below",
            Activation::Elu { .. } => "`x` above 0, `alpha·(e^x − 1)` below",
            Activation::Selu => "`λ·x` above 0, `λ·α·(e^x − 1)` below, λ = 1.0507…, α = 1.6733…",
            Activation::Clip { .. } => "`min(max(x, min), max)`",
            Activation::Mish => "`x · tanh(ln(1 + e^x))`",
            Activation::Celu { .. } => "`x` above 0, `alpha·(e^(x/alpha) − 1)` below",
            Activation::Softsign => "`x / (1 + |x|)`",
            Activation::ThresholdedRelu { .. } => "`x` above `alpha`, 0 elsewhere",
            Activation::Shrink { .. } => "`x + bias` below `−lambda`, `x − bias` above `lambda`, 0 between",
            Activation::Affine { .. } => "`alpha·x + beta`",
            Activation::Exp => "`e^x`",
            Activation::Log => "`ln x`",
            Activation::Sqrt => "`√x`",
            Activation::Reciprocal => "`1 / x`",
            Activation::Pow { .. } => "`x^exponent`; of a negative `x` only if the exponent is whole",
            Activation::Abs => "`|x|`",
            Activation::Sign => "−1, 0 or 1",
            Activation::Erf => "the error function",
            Activation::Floor => "the greatest whole number up to `x`",
            Activation::Ceil => "the least whole number from `x` on",
            Activation::Round => "the nearest whole number; of two as near the even one",
        }
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        match self {
            Activation::Silu => &["swish"],
            Activation::Clip { .. } => &["clamp", "hardtanh"],
            Activation::Relu
            | Activation::Relu6
            | Activation::Tanh
            | Activation::Sigmoid
            | Activation::Gelu { .. }
            | Activation::HardSigmoid { .. }
            | Activation::HardSwish
            | Activation::Softplus
            | Activation::LeakyRelu { .. }
            | Activation::Elu { .. }
            | Activation::Selu
            | Activation::Mish
            | Activation::Celu { .. }
            | Activation::Softsign
            | Activation::ThresholdedRelu { .. }
            | Activation::Shrink { .. }
            | Activation::Affine { .. }
            | Activation::Exp
            | Activation::Log
            | Activation::Sqrt
            | Activation::Reciprocal
            | Activation::Pow { .. }
            | Activation::Abs
            | Activation::Sign
            | Activation::Erf
            | Activation::Floor
            | Activation::Ceil
            | Activation::Round => &[],
        }
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        match self {
            Activation::Relu
            | Activation::Relu6
            | Activation::Tanh
            | Activation::Sigmoid
            | Activation::Silu
            | Activation::HardSwish
            | Activation::Softplus
            | Activation::Selu
            | Activation::Mish
            | Activation::Softsign
            | Activation::Exp
            | Activation::Log
            | Activation::Sqrt
            | Activation::Reciprocal
            | Activation::Abs
            | Activation::Sign
            | Activation::Erf
            | Activation::Floor
            | Activation::Ceil
            | Activation::Round => {}
            Activation::Celu { alpha } => {
                a.single("alpha", alpha, Some(ELU_ALPHA), Range::SINGLE);
                let zero = (*alpha == 0.0).then(|| "`alpha` must not be 0: it divides".to_owned());
                a.refuse(&["alpha"], zero);
            }
            Activation::ThresholdedRelu { alpha } => {
                a.single("alpha", alpha, Some(1.0), Range::SINGLE);
            }
            Activation::Shrink { lambda, bias } => {
                a.single("lambda", lambda, Some(0.5), Range::NOT_NEGATIVE);
                a.single("bias", bias, Some(0.0), Range::SINGLE);
            }
            Activation::Affine { alpha, beta } => {
                a.single("alpha", alpha, Some(1.0), Range::SINGLE);
                a.single("beta", beta, Some(0.0), Range::SINGLE);
            }
            Activation::Pow { exponent } => {
                a.single("exponent", exponent, None, Range::SINGLE);
            }
            Activation::Gelu { tanh } => {
                a.word("approximate", tanh, &[("none", false), ("tanh", true)]);
            }
            Activation::HardSigmoid { alpha, beta } => {
                let defaults = Activation::HARD_SIGMOID.parameters().map(Some);
                a.single("alpha", alpha, defaults[0], Range::SINGLE).follows("1/6");
                a.single("beta", beta, defaults[1], Range::SINGLE);
            }
            Activation::LeakyRelu { alpha } => {
                a.single("alpha", alpha, Some(LEAKY_ALPHA), Range::SINGLE);
            }
            Activation::Elu { alpha } => {
                a.single("alpha", alpha, Some(ELU_ALPHA), Range::SINGLE);
            }
            Activation::Clip { min, max } => {
                a.single("min", min, None, Range::EXTENDED);
                a.single("max", max, None, Range::EXTENDED);
                let crossed = *min > *max;
                let fault = crossed.then(|| format!("`max` {max} must not be below `min` {min}"));
                a.refuse(&["min", "max"], fault);
            }
        }
    }

    fn is_elementwise(&self) -> bool {
        true
    }
}

impl Reader<'_> {
    /// The fused activation: the name of one, or a table of its name (`op`) and its keys.
    pub(super) fn activation(&mut self) -> Option<Activation> {
        const KEY: &str = "activation";
        let value = self.value(KEY, false)?;
        let (name, keys) = match &value.kind {
            ValueKind::Text(name) => (Spanned::new(name.clone(), value.span), Vec::new()),
            ValueKind::Table(keys) => {
                let (op, keys): (Vec<Key>, Vec<Key>) = keys.iter().cloned().partition(|key| key.name.value == "op");
                let Some(op) = op.into_iter().next() else {
                    let message = "the table of `activation` needs the key `op`: { op = \"leaky_relu\", alpha = 0.1 }";
                    self.error(KEY, value, value, message.to_owned());
                    return None;
                };
                let ValueKind::Text(name) = op.value.kind else {
                    let message = format!("`op` must be the name of an activation, found {}", found(&op.value));
                    self.error(KEY, value, &op.value, message);
                    return None;
                };
                (Spanned::new(name, op.value.span), keys)
            }
            _ => return self.wrong_type(KEY, value, "the name of an activation or { op = \"…\", … }"),
        };
        let named = fused().find(|activation| activation.name() == name.value);
        let Some(mut activation) = named else {
            let (message, note) = unknown(&name.value);
            let place = crate::ast::Value {
                span: name.span,
                ..value.clone()
            };
            self.error_with_note(KEY, value, &place, message, note);
            return None;
        };
        let read = self.nested(KEY, value, &name, &keys, |reader| {
            activation.attributes(&mut Attributes::reading(reader));
            Some(activation)
        })?;
        if read.is_finite_at_zero() {
            return Some(read);
        }
        let message = "a power of a negative exponent cannot be an `activation`: write it as a layer of its own";
        self.error(KEY, value, value, message.to_owned());
        None
    }
}

/// Message and note for a word that is no activation.
fn unknown(name: &str) -> (String, String) {
    match name {
        "softmax" | "log_softmax" | "prelu" | "log" | "reciprocal" => (
            format!("`{name}` cannot be an `activation`: write it as a layer of its own"),
            format!(
                "it is no function of each element alone, or has no value at 0: add a layer with `op = \"{name}\"` below this one"
            ),
        ),
        _ => (
            format!("there is no activation `{name}`{}", hint(name, names())),
            format!("activations: {}", list(&names())),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{error, int, read, table, text, value_at};
    use super::*;

    fn fused(value: ValueKind) -> Option<Activation> {
        read("add", &[("activation", value)])
            .expect("an activation")
            .activation()
    }

    #[test]
    fn a_fused_activation_is_a_word_or_a_table() {
        assert_eq!(fused(text("relu")), Some(Activation::Relu));
        assert_eq!(fused(text("leaky_relu")), Some(Activation::LeakyRelu { alpha: 0.01 }));
        let with_alpha = table(&[("op", text("leaky_relu")), ("alpha", ValueKind::Float(0.1))]);
        assert_eq!(fused(with_alpha), Some(Activation::LeakyRelu { alpha: 0.1 }));
        assert_eq!(fused(text("gelu")), Some(Activation::Gelu { tanh: false }));
        let tanh = table(&[("op", text("gelu")), ("approximate", text("tanh"))]);
        assert_eq!(fused(tanh), Some(Activation::Gelu { tanh: true }));
        assert_eq!(fused(text("hard_sigmoid")), Some(Activation::HARD_SIGMOID));
        let steeper = table(&[("op", text("hard_sigmoid")), ("alpha", ValueKind::Float(0.2))]);
        let expected = Activation::HardSigmoid { alpha: 0.2, beta: 0.5 };
        assert_eq!(fused(steeper), Some(expected));
        let clip = table(&[("max", int(1)), ("op", text("clip")), ("min", int(-1))]);
        assert_eq!(fused(clip), Some(Activation::Clip { min: -1.0, max: 1.0 }));
    }

    #[test]
    fn all_names_are_read_as_what_they_say() {
        for name in ALL.map(|activation| activation.name()) {
            let keys: &[_] = match name {
                "clip" => &[("min", int(0)), ("max", int(1))],
                "pow" => &[("exponent", int(2))],
                _ => &[],
            };
            match read(name, keys) {
                Ok(Op::Activation(activation)) => assert_eq!(activation.name(), name),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_wrong_activation_is_explained() {
        let message = |value| error("add", &[("activation", value)]).0;
        assert_eq!(
            message(text("rellu")),
            "there is no activation `rellu`; did you mean `relu`?"
        );
        assert_eq!(
            message(text("swish")),
            "there is no activation `swish`; did you mean `silu`?"
        );
        assert_eq!(
            message(text("softmax")),
            "`softmax` cannot be an `activation`: write it as a layer of its own"
        );
        assert_eq!(message(text("clip")).as_str(), "`clip` needs the keys `min` and `max`");
        assert!(message(int(3)).starts_with("`activation` must be the name of an activation or "));
        assert!(message(table(&[("alpha", int(1))])).contains("needs the key `op`"));
        let alpha = table(&[("op", text("relu")), ("alpha", int(1))]);
        assert_eq!(message(alpha), "`relu` has no key `alpha`");
        assert_eq!(error("add", &[("activation", text("rellu"))]).1, value_at(0));
    }

    #[test]
    fn bounds_of_a_clip_are_in_order() {
        let (message, place) = error("clip", &[("min", int(1)), ("max", int(0))]);
        assert_eq!(
            (message.as_str(), place),
            ("`max` 0 must not be below `min` 1", value_at(1))
        );
    }
}
