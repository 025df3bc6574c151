//! From an operator's name and keys to the operator.

use super::activation::read_activation;
use super::attributes::Reader;
use super::words::{hint, list};
use super::{
    AdaptiveAvgPool, BatchNorm, ChannelShuffle, Combine, CombineKind, Concat, Constant, Conv, ConvTranspose, Dense,
    DepthToSpace, Dropout, Flatten, GlobalPool, GlobalPoolKind, Identity, Input, Lrn, Matmul, Op, Pad, Pool, Prelu,
    ReduceMean, Reshape, Resize, Slice, Softmax, SpaceToDepth, Transpose, Upsample,
};
use crate::ast::Key;
use crate::diag::Diagnostic;
use crate::span::Spanned;

/// Which words an operator may be written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Those of a model file or the macro.
    Declaration,
    /// Also those for what passes make: `input`, a conv's or dense's `norm = { weights = "bn1", epsilon = 1e-5 }`,
    /// a conv's `residual = true`.
    Dump,
}

const NAMES: [&str; 49] = [
    "conv",
    "conv_transpose",
    "dense",
    "max_pool",
    "avg_pool",
    "min_pool",
    "global_avg_pool",
    "global_max_pool",
    "adaptive_avg_pool",
    "relu",
    "relu6",
    "tanh",
    "sigmoid",
    "silu",
    "gelu",
    "hard_sigmoid",
    "hard_swish",
    "softplus",
    "leaky_relu",
    "elu",
    "selu",
    "clip",
    "prelu",
    "softmax",
    "log_softmax",
    "batch_norm",
    "lrn",
    "add",
    "mul",
    "sub",
    "div",
    "max",
    "min",
    "matmul",
    "concat",
    "flatten",
    "reshape",
    "pad",
    "upsample",
    "resize",
    "reduce_mean",
    "slice",
    "transpose",
    "depth_to_space",
    "space_to_depth",
    "channel_shuffle",
    "constant",
    "dropout",
    "identity",
];

impl Op {
    /// Every word that a declaration may use as `op`, in the order of the documentation.
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// The operator named `op` with these keys: all of a layer's keys but `name`, `op`, `from` and `weights`.
    ///
    /// # Errors
    /// Every key that is unknown, missing, of the wrong type or out of range, each at its place.
    pub fn read(op: &Spanned<String>, keys: &[Key], dialect: Dialect) -> Result<Op, Vec<Diagnostic>> {
        let mut reader = Reader::new(op, keys, dialect);
        match named(&op.value, &mut reader) {
            Some(read) => reader.finish().map(|()| read),
            None => Err(vec![unknown(op)]),
        }
    }
}

fn named(name: &str, keys: &mut Reader<'_>) -> Option<Op> {
    Some(match name {
        "input" if keys.dialect == Dialect::Dump => Op::Input(Input::read(keys)),
        "conv" => Op::Conv(Conv::read(keys)),
        "conv_transpose" => Op::ConvTranspose(ConvTranspose::read(keys)),
        "dense" => Op::Dense(Dense::read(keys)),
        "max_pool" | "avg_pool" | "min_pool" => Op::Pool(Pool::read(name, keys)),
        "global_avg_pool" => Op::GlobalPool(GlobalPool {
            kind: GlobalPoolKind::Avg,
        }),
        "global_max_pool" => Op::GlobalPool(GlobalPool {
            kind: GlobalPoolKind::Max,
        }),
        "adaptive_avg_pool" => Op::AdaptiveAvgPool(AdaptiveAvgPool::read(keys)),
        "prelu" => Op::Prelu(Prelu),
        "softmax" => Op::Softmax(Softmax::read(false, keys)),
        "log_softmax" => Op::Softmax(Softmax::read(true, keys)),
        "batch_norm" => Op::BatchNorm(BatchNorm::read(keys)),
        "lrn" => Op::Lrn(Lrn::read(keys)),
        "add" => Op::Combine(Combine::read(CombineKind::Add, keys)),
        "mul" => Op::Combine(Combine::read(CombineKind::Mul, keys)),
        "sub" => Op::Combine(Combine::read(CombineKind::Sub, keys)),
        "div" => Op::Combine(Combine::read(CombineKind::Div, keys)),
        "max" => Op::Combine(Combine::read(CombineKind::Max, keys)),
        "min" => Op::Combine(Combine::read(CombineKind::Min, keys)),
        "matmul" => Op::Matmul(Matmul),
        "concat" => Op::Concat(Concat),
        "flatten" => Op::Flatten(Flatten),
        "reshape" => Op::Reshape(Reshape::read(keys)),
        "pad" => Op::Pad(Pad::read(keys)),
        "upsample" => Op::Upsample(Upsample::read(keys)),
        "resize" => Op::Resize(Resize::read(keys)),
        "reduce_mean" => Op::ReduceMean(ReduceMean::read(keys)),
        "slice" => Op::Slice(Slice::read(keys)),
        "transpose" => Op::Transpose(Transpose::read(keys)),
        "depth_to_space" => Op::DepthToSpace(DepthToSpace::read(keys)),
        "space_to_depth" => Op::SpaceToDepth(SpaceToDepth::read(keys)),
        "channel_shuffle" => Op::ChannelShuffle(ChannelShuffle::read(keys)),
        "constant" => Op::Constant(Constant::read(keys)),
        "dropout" => Op::Dropout(Dropout::read(keys)),
        "identity" => Op::Identity(Identity),
        _ => Op::Activation(read_activation(name, keys)?),
    })
}

fn unknown(op: &Spanned<String>) -> Diagnostic {
    let name = &op.value;
    let error = Diagnostic::error(op.span, format!("there is no operator `{name}`{}", hint(name, NAMES)));
    error.note(format!("operators: {}", list(&NAMES)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{OP, error, int, keys, op, read};
    use super::*;

    proptest! {
        #[test]
        fn written_keys_read_back_as_the_same_operator(op in op()) {
            let name = Spanned::new(op.name().to_owned(), OP);
            prop_assert_eq!(Op::read(&name, &keys(&op.keys()), Dialect::Dump), Ok(op));
        }

        #[test]
        fn every_operator_but_input_has_one_of_the_names(op in op()) {
            prop_assert_eq!(Op::names().contains(&op.name()), !matches!(op, Op::Input(_)));
        }
    }

    #[test]
    fn every_name_is_read() {
        for name in Op::names() {
            match read(name, &[]) {
                Ok(op) => assert_eq!(op.name(), *name),
                Err(errors) => assert!(errors[0].message.contains("needs the key"), "{errors:?}"),
            }
        }
    }

    #[test]
    fn an_unknown_name_brings_the_nearest_one() {
        let message = |name| error(name, &[("filters", int(4))]).0;
        assert_eq!(message("convv"), "there is no operator `convv`; did you mean `conv`?");
        assert_eq!(
            message("MaxPool"),
            "there is no operator `MaxPool`; did you mean `max_pool`?"
        );
        assert_eq!(
            message("Linear"),
            "there is no operator `Linear`; did you mean `dense`?"
        );
        assert_eq!(message("xyzzy"), "there is no operator `xyzzy`");
        assert_eq!(error("convv", &[]).1, OP);
    }

    #[test]
    fn inputs_are_declared_elsewhere() {
        assert!(error("input", &[]).0.starts_with("there is no operator `input`"));
    }
}
