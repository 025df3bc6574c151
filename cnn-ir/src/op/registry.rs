//! All operators that a declaration may name, in the order of the documentation: the one list of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;

/// Operators that are documented together.
pub(super) struct Family {
    /// The heading.
    pub(super) title: &'static str,
    /// How drawings of the graph fill them.
    pub(super) colour: &'static str,
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
            colour: "#cfe2ff",
            introduction: "",
            operators: vec![
                Op::Conv(Conv::default()),
                Op::ConvTranspose(ConvTranspose::default()),
                Op::Dense(Dense::default()),
            ],
        },
        Family {
            title: "Recurrent layers",
            colour: "#cfe2ff",
            introduction: "One layer each, of one or two (D) directions. A `transpose` with `order = [1, 2, 0]` makes \
                           `[1, T, I]` of a map `[I, 1, T]`.",
            operators: [Recurrent::LSTM, Recurrent::GRU].map(Op::Recurrent).into(),
        },
        Family {
            title: "Pools",
            colour: "#d1f0d8",
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
            colour: "#ffffff",
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
            colour: "#fde9c9",
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
            colour: "#f5d6ea",
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
            title: "Comparisons and masks",
            colour: "#f5d6ea",
            introduction: "A mask is a value of ones and zeros. Operands spread as above.",
            operators: [
                CombineKind::Equal,
                CombineKind::Greater,
                CombineKind::GreaterEqual,
                CombineKind::Where,
            ]
            .map(|kind| Op::Combine(Combine { kind, activation: None }))
            .into_iter()
            .chain(Logic::ALL.map(Op::from))
            .collect(),
        },
        Family {
            title: "Reductions",
            colour: "#d1f0d8",
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
            title: "Along an axis",
            colour: "#d1f0d8",
            introduction: "Places along an axis are whole numbers from 0; an output of them is saved as 64-bit integers.",
            operators: vec![
                Op::ArgExtreme(ArgExtreme::new(false)),
                Op::ArgExtreme(ArgExtreme::new(true)),
                Op::TopK(TopK::default()),
                Op::CumSum(CumSum::default()),
                Op::Gather(Gather::default()),
            ],
        },
        Family {
            title: "8-bit integers",
            colour: "#e4dcf7",
            introduction: "What the integers of a value stand for, `scale · (q − zero_point)`, is a part of its type. Sums of \
                           products are exact; a complete one is multiplied, as a float, with `operand's scale · \
                           weight_scale / scale` and rounded as `quantize` does. `max_pool`, `min_pool`, `concat` and \
                           shapes work on integers as they are. Passes make these layers of `conv`, `dense` (with \
                           `quantized = true`) and `add` between `dequantize` and `quantize`.",
            operators: vec![
                Op::Quantize(Quantize::default()),
                Op::Dequantize(Dequantize),
                Op::QuantizedConv(QuantizedConv::default()),
                Op::QuantizedDense(QuantizedDense::default()),
                Op::QuantizedAdd(QuantizedAdd::default()),
            ],
        },
        Family {
            title: "Places and shapes",
            colour: "#ffffff",
            introduction: "",
            operators: vec![
                Op::Constant(Constant::default()),
                Flatten.into(),
                Op::Reshape(Reshape::default()),
                Op::Transpose(Transpose::default()),
                Op::Slice(Slice::default()),
                Op::Tile(Tile::default()),
                Expand::default().into(),
                Op::Pad(Pad::default()),
                Upsample::default().into(),
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

static COLOURS: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let colours = FAMILIES
        .iter()
        .flat_map(|family| family.operators.iter().map(|op| (op.name(), family.colour)));
    colours.collect()
});

/// How drawings of the graph fill the operator of that name; what no layer declares, an input, is grey.
pub(super) fn colour(name: &str) -> &'static str {
    COLOURS.get(name).copied().unwrap_or("#e8e8e8")
}

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
