//! All operators that a declaration may name, in the order of the documentation: the one list of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;

/// Operators that are documented together.
pub(super) struct Family {
    /// The heading.
    pub(super) title: &'static str,
    /// What is to be said of all of them.
    pub(super) introduction: &'static str,
    /// Each with its defaults.
    pub(super) operators: Vec<Op>,
}

/// All families.
pub(super) static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    vec![
        Family {
            title: "Convolutions and dense layers",
            introduction: "",
            operators: vec![
                Op::Conv(Conv::default()),
                Op::ConvTranspose(ConvTranspose::default()),
                Op::Dense(Dense::default()),
            ],
        },
        Family {
            title: "Recurrent layers",
            introduction: "One layer each, of one or two (D) directions. A `transpose` with `order = [1, 2, 0]` makes \
                           `[1, T, I]` of a map `[I, 1, T]`.",
            operators: [Recurrent::LSTM, Recurrent::GRU].map(Op::Recurrent).into(),
        },
        Family {
            title: "Pools",
            introduction: "Padding never wins a `max_pool` or `min_pool`.",
            operators: vec![
                Op::Pool(Pool::new(PoolKind::Max)),
                Op::Pool(Pool::new(PoolKind::Avg {
                    count_include_pad: false,
                })),
                Op::Pool(Pool::new(PoolKind::Min)),
                GlobalPool::AVG.into(),
                GlobalPool::MAX.into(),
                Op::AdaptiveAvgPool(AdaptiveAvgPool::default()),
            ],
        },
        Family {
            title: "Functions of each element",
            introduction: "Each but `log`, `reciprocal` and `pow` of a negative exponent may also be the `activation` of \
                           another operator.",
            operators: activation::ALL
                .map(Op::Activation)
                .into_iter()
                .chain([Neg.into(), Rsqrt.into()])
                .collect(),
        },
        Family {
            title: "Normalisation",
            introduction: "",
            operators: vec![
                Op::BatchNorm(BatchNorm::default()),
                InstanceNorm::default().into(),
                GroupNorm::default().into(),
                LayerNorm::default().into(),
                RmsNorm::default().into(),
                L2Normalize::default().into(),
                Op::Lrn(Lrn::default()),
                Op::Softmax(Softmax { log: false, axis: 0 }),
                Op::Softmax(Softmax { log: true, axis: 0 }),
                Op::Prelu(Prelu),
            ],
        },
        Family {
            title: "Several operands",
            introduction: "Element by element, operands are all maps or all vectors; along each axis their sizes are \
                           equal, or 1, which then counts for every place: `[C, 1, 1]`, `[1, H, W]`, `[C, 1, W]` … \
                           beside `[C, H, W]`.",
            operators: [
                CombineKind::Add,
                CombineKind::Mul,
                CombineKind::Sub,
                CombineKind::Div,
                CombineKind::Max,
                CombineKind::Min,
            ]
            .map(|kind| Op::Combine(Combine { kind, activation: None }))
            .into_iter()
            .chain([Op::Matmul(Matmul), Op::Concat(Concat)])
            .collect(),
        },
        Family {
            title: "Reductions",
            introduction: "Axes stay with size 1.",
            operators: [
                ReduceKind::Sum,
                ReduceKind::Mean,
                ReduceKind::Max,
                ReduceKind::Min,
                ReduceKind::Prod,
                ReduceKind::SumSquare,
            ]
            .map(|kind| Op::Reduce(Reduce::new(kind)))
            .into_iter()
            .chain([ReduceNorm::L1, ReduceNorm::L2, ReduceNorm::LOG_SUM_EXP].map(Op::from))
            .collect(),
        },
        Family {
            title: "Places and shapes",
            introduction: "",
            operators: vec![
                Op::Constant(Constant::default()),
                Flatten.into(),
                Op::Reshape(Reshape::default()),
                Op::Transpose(Transpose::default()),
                Op::Slice(Slice::default()),
                Op::Pad(Pad::default()),
                Op::Upsample(Upsample::default()),
                Op::Resize(Resize::default()),
                Op::DepthToSpace(DepthToSpace::default()),
                Op::SpaceToDepth(SpaceToDepth::default()),
                Op::ChannelShuffle(ChannelShuffle::default()),
                Dropout::default().into(),
                Op::Identity(Identity),
            ],
        },
    ]
});

/// Each by its word, with its defaults; what must be written is some small value.
static BY_NAME: LazyLock<BTreeMap<&'static str, Op>> = LazyLock::new(|| {
    let operators = FAMILIES.iter().flat_map(|family| &family.operators);
    operators.map(|op| (op.name(), op.clone())).collect()
});

static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    (FAMILIES.iter().flat_map(|family| &family.operators))
        .map(Op::name)
        .collect()
});

static ELSEWHERE: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let mut words = BTreeMap::new();
    for op in BY_NAME.values() {
        words.extend(op.operator().called_elsewhere().iter().map(|word| (*word, op.name())));
    }
    words
});

/// Every word that a declaration may use as `op`.
pub(super) fn names() -> &'static [&'static str] {
    &NAMES
}

/// The operator of that name with its defaults.
pub(super) fn with_defaults(name: &str) -> Option<Op> {
    BY_NAME.get(name).cloned()
}

/// What we call that which other frameworks call `word`.
pub(super) fn called_elsewhere(word: &str) -> Option<&'static str> {
    ELSEWHERE.get(word).copied()
}
