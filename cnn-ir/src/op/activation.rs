//! Functions of one element, and PReLU.

use super::attributes::Reader;
use super::range::Range;
use super::words::{found, hint, list};
use super::writer::Writer;
use super::{Fault, Operator, WeightDecl};
use crate::ast::{Key, ValueKind};
use crate::shape::Shape;
use crate::span::Spanned;

pub use cnn_types::Activation;

/// `x` above 0, `slope[c] · x` below (He et al., 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prelu;

/// Slope of a leaky ReLU that names none.
const LEAKY_ALPHA: f32 = 0.01;
/// Limit of an ELU that names none.
const ELU_ALPHA: f32 = 1.0;

/// The activation of that name with its keys, `None` if there is none.
pub(super) fn read_activation(name: &str, keys: &mut Reader<'_>) -> Option<Activation> {
    let [alpha, beta] = Activation::HARD_SIGMOID.parameters();
    Some(match name {
        "relu" => Activation::Relu,
        "relu6" => Activation::Relu6,
        "tanh" => Activation::Tanh,
        "sigmoid" => Activation::Sigmoid,
        "silu" => Activation::Silu,
        "gelu" => Activation::Gelu {
            tanh: keys.choice("approximate", &[("none", false), ("tanh", true)]),
        },
        "hard_sigmoid" => Activation::HardSigmoid {
            alpha: keys.single("alpha", Some(alpha), Range::SINGLE),
            beta: keys.single("beta", Some(beta), Range::SINGLE),
        },
        "hard_swish" => Activation::HardSwish,
        "softplus" => Activation::Softplus,
        "leaky_relu" => Activation::LeakyRelu {
            alpha: keys.single("alpha", Some(LEAKY_ALPHA), Range::SINGLE),
        },
        "elu" => Activation::Elu {
            alpha: keys.single("alpha", Some(ELU_ALPHA), Range::SINGLE),
        },
        "selu" => Activation::Selu,
        "clip" => {
            let min = keys.single("min", None, Range::EXTENDED);
            let max = keys.single("max", None, Range::EXTENDED);
            if let (Some(_), Some(value), true) = (keys.written("min"), keys.written("max"), min > max) {
                keys.error(
                    "max",
                    value,
                    value,
                    format!("`max` {max} must not be below `min` {min}"),
                );
            }
            Activation::Clip { min, max }
        }
        _ => return None,
    })
}

/// Writes its keys.
fn parameters(activation: Activation, writer: Writer) -> Writer {
    match activation {
        Activation::Relu
        | Activation::Relu6
        | Activation::Tanh
        | Activation::Sigmoid
        | Activation::Silu
        | Activation::HardSwish
        | Activation::Softplus
        | Activation::Selu => writer,
        Activation::Gelu { tanh } => writer.word("approximate", if tanh { "tanh" } else { "none" }, "none"),
        Activation::HardSigmoid { alpha, beta } => {
            let defaults = Activation::HARD_SIGMOID.parameters().map(Some);
            writer
                .single("alpha", alpha, defaults[0])
                .single("beta", beta, defaults[1])
        }
        Activation::LeakyRelu { alpha } => writer.single("alpha", alpha, Some(LEAKY_ALPHA)),
        Activation::Elu { alpha } => writer.single("alpha", alpha, Some(ELU_ALPHA)),
        Activation::Clip { min, max } => writer.single("min", min, None).single("max", max, None),
    }
}

/// It as the value of an `activation` key: its name, or a table if it has keys.
pub(super) fn activation_value(activation: Activation) -> ValueKind {
    let name = ValueKind::Text(activation.name().to_owned());
    if activation.keys().is_empty() {
        return name;
    }
    parameters(activation, Writer::default().value("op", name)).table()
}

impl Operator for Activation {
    fn name(&self) -> &'static str {
        Activation::name(self)
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        parameters(*self, Writer::default()).finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        Ok(operands[0])
    }
}

impl Operator for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        Ok(operands[0])
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        vec![WeightDecl::new(prefix, "slope", &[operands[0].channels()])]
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
        if !Activation::NAMES.contains(&name.value.as_str()) {
            let (message, note) = unknown(&name.value);
            let place = crate::ast::Value {
                span: name.span,
                ..value.clone()
            };
            self.error_with_note(KEY, value, &place, message, note);
            return None;
        }
        self.nested(KEY, value, &name, &keys, |reader| read_activation(&name.value, reader))
    }
}

/// Message and note for a word that is no activation.
fn unknown(name: &str) -> (String, String) {
    match name {
        "softmax" | "log_softmax" | "prelu" => (
            format!("`{name}` cannot be an `activation`: write it as a layer of its own"),
            format!("it is not a function of each element alone: add a layer with `op = \"{name}\"` below this one"),
        ),
        _ => (
            format!("there is no activation `{name}`{}", hint(name, Activation::NAMES)),
            format!("activations: {}", list(&Activation::NAMES)),
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
        for name in Activation::NAMES {
            let keys: &[_] = if name == "clip" {
                &[("min", int(0)), ("max", int(1))]
            } else {
                &[]
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

    #[test]
    fn prelu_has_a_slope_a_channel() {
        let weights = Op::Prelu(Prelu).weights("p", &[Shape::map(3, 10, 12)]);
        assert_eq!(weights, [WeightDecl::new("p", "slope", &[3])]);
    }
}
