//! For the operators' tests: keys with places, and any operator with any keys.

use proptest::prelude::*;

use super::*;
use crate::ast::{Key, Value};
use crate::diag::Diagnostic;
use crate::span::{Span, Spanned};

/// Where the operator's name stands.
pub(super) const OP: Span = Span { start: 10, end: 20 };

/// Where the name of the `i`-th key stands.
pub(super) fn name_at(i: usize) -> Span {
    Span::from(100 * (i + 1)..100 * (i + 1) + 10)
}

/// Where the value of the `i`-th key stands.
pub(super) fn value_at(i: usize) -> Span {
    Span::from(100 * (i + 1) + 50..100 * (i + 1) + 60)
}

/// Keys, each at its place.
pub(super) fn keys(keys: &[(&str, ValueKind)]) -> Vec<Key> {
    let key = |(i, (name, kind)): (usize, &(&str, ValueKind))| Key {
        name: Spanned::new((*name).to_owned(), name_at(i)),
        value: Value {
            kind: kind.clone(),
            span: value_at(i),
            used_at: None,
        },
    };
    keys.iter().enumerate().map(key).collect()
}

/// Reads an operator as a declaration has it.
pub(super) fn read(op: &str, written: &[(&str, ValueKind)]) -> Result<Op, Vec<Diagnostic>> {
    Op::read(&Spanned::new(op.to_owned(), OP), &keys(written), Dialect::Declaration)
}

/// The only error of reading an operator: its message and its place.
pub(super) fn error(op: &str, written: &[(&str, ValueKind)]) -> (String, Span) {
    let errors = read(op, written).expect_err("there is something wrong");
    let [error] = errors.as_slice() else {
        panic!("one error expected: {errors:?}")
    };
    (
        error.message.clone(),
        error.primary.as_ref().map_or(Span::NONE, |label| label.span),
    )
}

/// The only fault of an operator's shape.
pub(super) fn fault(op: &Op, operands: &[Shape]) -> Fault {
    let faults = op.shape(operands).expect_err("there is something wrong");
    let [fault] = faults.as_slice() else {
        panic!("one fault expected: {faults:?}")
    };
    fault.clone()
}

/// A whole number as a value.
pub(super) fn int(value: i64) -> ValueKind {
    ValueKind::Integer(value)
}

/// A string as a value.
pub(super) fn text(value: &str) -> ValueKind {
    ValueKind::Text(value.to_owned())
}

/// A list of whole numbers as a value.
pub(super) fn list(values: &[i64]) -> ValueKind {
    ValueKind::List(values.iter().map(|&value| Value::unplaced(int(value))).collect())
}

/// A table as a value.
pub(super) fn table(written: &[(&str, ValueKind)]) -> ValueKind {
    ValueKind::Table(keys(written))
}

fn pair() -> impl Strategy<Value = Pair> {
    prop_oneof![
        (1..9usize).prop_map(Pair::both),
        (1..9usize, 1..9usize).prop_map(|(h, w)| Pair { h, w })
    ]
}

fn sides() -> impl Strategy<Value = Sides> {
    let sides = |top, left, bottom, right| Sides {
        top,
        left,
        bottom,
        right,
    };
    prop_oneof![
        (0..4usize).prop_map(move |n| sides(n, n, n, n)),
        (0..4usize, 0..4usize).prop_map(move |(h, w)| sides(h, w, h, w)),
        (0..4usize, 0..4usize, 0..4usize, 0..4usize).prop_map(move |(t, l, b, r)| sides(t, l, b, r)),
    ]
}

fn padding() -> impl Strategy<Value = Padding> {
    prop_oneof![
        Just(Padding::Valid),
        Just(Padding::Same),
        sides().prop_map(Padding::Explicit)
    ]
}

/// Any activation.
pub(super) fn activation() -> impl Strategy<Value = Activation> {
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    let finite = POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO;
    prop_oneof![
        Just(Activation::Relu),
        Just(Activation::Relu6),
        Just(Activation::Tanh),
        Just(Activation::Sigmoid),
        Just(Activation::Silu),
        any::<bool>().prop_map(|tanh| Activation::Gelu { tanh }),
        Just(Activation::HARD_SIGMOID),
        (finite, finite).prop_map(|(alpha, beta)| Activation::HardSigmoid { alpha, beta }),
        Just(Activation::Selu),
        Just(Activation::HardSwish),
        Just(Activation::Softplus),
        prop_oneof![Just(0.01), finite].prop_map(|alpha| Activation::LeakyRelu { alpha }),
        prop_oneof![Just(1.0), finite].prop_map(|alpha| Activation::Elu { alpha }),
        (finite, finite).prop_map(|(a, b)| Activation::Clip {
            min: a.min(b),
            max: a.max(b)
        }),
        Just(Activation::Clip {
            min: f32::NEG_INFINITY,
            max: f32::INFINITY
        }),
    ]
}

fn fused() -> impl Strategy<Value = Option<Activation>> {
    proptest::option::of(activation())
}

fn norm() -> impl Strategy<Value = Option<FoldedNorm>> {
    let norm = ("[a-z.]{1,8}", 0.0..1.0f64).prop_map(|(weights, epsilon)| FoldedNorm { weights, epsilon });
    proptest::option::of(norm)
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (1..99usize).prop_map(Shape::Flat),
        (1..9usize, 1..9usize, 1..9usize).prop_map(|(c, h, w)| Shape::map(c, h, w)),
    ]
}

fn pool() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![
        Just(PoolKind::Max),
        Just(PoolKind::Min),
        any::<bool>().prop_map(|count_include_pad| PoolKind::Avg { count_include_pad }),
    ];
    (kind, pair(), pair(), padding(), pair(), any::<bool>()).prop_map(
        |(kind, size, stride, padding, dilation, ceil)| {
            Op::Pool(Pool {
                kind,
                size,
                stride,
                padding,
                dilation,
                ceil,
            })
        },
    )
}

fn conv() -> impl Strategy<Value = Op> {
    let window = (1..99usize, pair(), pair(), padding(), pair());
    let rest = (1..5usize, any::<bool>(), fused(), norm(), any::<bool>());
    (window, rest).prop_map(
        |((filters, kernel, stride, padding, dilation), (groups, bias, activation, norm, residual))| {
            Op::Conv(Conv {
                filters,
                kernel,
                stride,
                padding,
                dilation,
                groups,
                bias,
                activation,
                norm,
                residual,
            })
        },
    )
}

fn conv_transpose() -> impl Strategy<Value = Op> {
    let window = (1..99usize, pair(), pair(), sides(), (0..3usize, 0..3usize), pair());
    let rest = (1..5usize, any::<bool>(), fused(), norm());
    (window, rest).prop_map(
        |((filters, kernel, stride, padding, (h, w), dilation), (groups, bias, activation, norm))| {
            Op::ConvTranspose(ConvTranspose {
                filters,
                kernel,
                stride,
                padding,
                output_padding: Pair { h, w },
                dilation,
                groups,
                bias,
                activation,
                norm,
            })
        },
    )
}

fn resize() -> impl Strategy<Value = Op> {
    let factor = || prop_oneof![Just(2.0f32), 0.01..9.0f32];
    let to = prop_oneof![
        pair().prop_map(ResizeTo::Size),
        factor().prop_map(|scale| ResizeTo::Scale([scale; 2])),
        (factor(), factor()).prop_map(|(h, w)| ResizeTo::Scale([h, w])),
    ];
    let rounding = prop_oneof![
        Just(Rounding::Floor),
        Just(Rounding::Ceil),
        Just(Rounding::PreferFloor),
        Just(Rounding::PreferCeil)
    ];
    let mode = prop_oneof![rounding.prop_map(ResizeMode::Nearest), Just(ResizeMode::Bilinear)];
    let coordinates = prop_oneof![
        Just(Coordinates::HalfPixel),
        Just(Coordinates::AlignCorners),
        Just(Coordinates::Asymmetric),
        Just(Coordinates::PytorchHalfPixel)
    ];
    (to, mode, coordinates).prop_map(|(to, mode, coordinates)| Op::Resize(Resize { to, mode, coordinates }))
}

fn slice() -> impl Strategy<Value = Op> {
    let place = || proptest::option::of(prop_oneof![-9..9i64, any::<i64>()]);
    let step = prop_oneof![Just(1i64), any::<i64>()].prop_filter("no step", |&step| step != 0);
    (0..3usize, place(), place(), step).prop_map(|(axis, start, end, step)| Op::Slice(Slice { axis, start, end, step }))
}

/// Any operator that dumps can hold.
pub(super) fn op() -> impl Strategy<Value = Op> {
    let layout = prop_oneof![Just(InputLayout::Chw), Just(InputLayout::Hwc)];
    let mode = prop_oneof![Just(UpsampleMode::Nearest), Just(UpsampleMode::Bilinear)];
    let combine = prop_oneof![
        Just(CombineKind::Add),
        Just(CombineKind::Mul),
        Just(CombineKind::Sub),
        Just(CombineKind::Div),
        Just(CombineKind::Max),
        Just(CombineKind::Min),
    ];
    let computing = prop_oneof![
        conv(),
        pool(),
        (1..99usize, any::<bool>(), fused(), norm()).prop_map(|(units, bias, activation, norm)| {
            Op::Dense(Dense {
                units,
                bias,
                activation,
                norm,
            })
        }),
        prop_oneof![Just(GlobalPoolKind::Avg), Just(GlobalPoolKind::Max)]
            .prop_map(|kind| Op::GlobalPool(GlobalPool { kind })),
        pair().prop_map(|size| Op::AdaptiveAvgPool(AdaptiveAvgPool { size })),
        activation().prop_map(Op::Activation),
        (any::<bool>(), 0..3usize).prop_map(|(log, axis)| Op::Softmax(Softmax { log, axis })),
        conv_transpose(),
        Just(Op::Matmul(Matmul)),
        any::<[bool; 3]>()
            .prop_filter("no axis", |axes| axes.contains(&true))
            .prop_map(|axes| Op::ReduceMean(ReduceMean { axes })),
        (prop_oneof![Just(1e-5), 0.0..1.0f64], fused())
            .prop_map(|(epsilon, activation)| Op::BatchNorm(BatchNorm { epsilon, activation })),
        (1..9usize, any::<u16>(), any::<u16>(), any::<i16>()).prop_map(|(size, alpha, beta, k)| {
            Op::Lrn(Lrn {
                size,
                alpha: f32::from(alpha) / 1e4,
                beta: f32::from(beta) / 3.0,
                k: f32::from(k) / 7.0,
            })
        }),
        (combine, fused()).prop_map(|(kind, activation)| Op::Combine(Combine { kind, activation })),
    ];
    let moving = prop_oneof![
        // A vector has no order of axes that `hwc` could change.
        (shape(), layout).prop_map(|(shape, layout)| Op::Input(Input {
            shape,
            layout: if matches!(shape, Shape::Flat(_)) {
                InputLayout::Chw
            } else {
                layout
            },
        })),
        Just(Op::Prelu(Prelu)),
        Just(Op::Concat(Concat)),
        Just(Op::Flatten(Flatten)),
        shape().prop_map(|shape| Op::Reshape(Reshape { shape })),
        (sides(), any::<i16>()).prop_map(|(sides, value)| {
            let value = f32::from(value) / 100.0;
            Op::Pad(Pad { sides, value })
        }),
        (pair(), mode).prop_map(|(scale, mode)| Op::Upsample(Upsample { scale, mode })),
        resize(),
        slice(),
        Just([0, 1, 2])
            .prop_shuffle()
            .prop_map(|order| Op::Transpose(Transpose { order })),
        (1..5usize, prop_oneof![Just(DepthOrder::Crd), Just(DepthOrder::Dcr)])
            .prop_map(|(block, mode)| Op::DepthToSpace(DepthToSpace { block, mode })),
        (1..5usize).prop_map(|block| Op::SpaceToDepth(SpaceToDepth { block })),
        shape().prop_map(|shape| Op::Constant(Constant { shape })),
        (1..9usize).prop_map(|groups| Op::ChannelShuffle(ChannelShuffle { groups })),
        (0.0..1.0f64).prop_map(|rate| Op::Dropout(Dropout { rate })),
        Just(Op::Identity(Identity)),
    ];
    prop_oneof![computing, moving]
}
