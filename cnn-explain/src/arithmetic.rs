//! How a cell of each operator's result comes about: what the page needs to write it out.

mod integers;

use std::collections::HashMap;

use cnn_ir::graph::NodeId;
use cnn_ir::op::{Activation, Cell, Composite, Conv, Op, PadMode, Padding, Pair, PoolKind, ReduceKind, Sides, Tap};
use cnn_ir::shape::Shape;
use cnn_ir::value::ValueType;
use serde::{Serialize, Serializer};

use integers::bounds;
pub(crate) use integers::{Integers, Rescaled};

/// How a cell comes about. Padding is resolved, places are explicit: the page knows no rule twice.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Arithmetic {
    /// It is given.
    Input,
    /// It comes with the weights.
    Constant,
    /// Products of a window with a filter, their sum, bias, activation.
    Conv {
        window: Window,
        groups: usize,
        /// Whether windows of the result are scattered, not windows of the input gathered.
        transposed: bool,
        activation: Option<Function>,
        /// Of 8-bit integers: what becomes of the sum.
        integers: Option<Rescaled>,
    },
    /// Products of a vector with a row.
    Dense {
        activation: Option<Function>,
        /// Of 8-bit integers: what becomes of the sum.
        integers: Option<Rescaled>,
    },
    /// The greatest, least or mean of a window.
    Pool {
        of: &'static str,
        window: Window,
        /// Whether padding counts in a mean.
        include_pad: bool,
    },
    /// The greatest or mean of a map.
    GlobalPool { of: &'static str },
    /// The mean of a window that divides the map.
    AdaptivePool,
    /// The mean, sum, greatest, least, product or sum of squares along axes.
    Reduce { of: &'static str, axes: [bool; 3] },
    /// A function of the element.
    Function { function: Function },
    /// ReLU with a slope per channel.
    Prelu,
    /// Exponentials over their sum.
    Softmax { axis: usize, log: bool },
    /// Scale and shift per channel.
    BatchNorm { epsilon: f64, activation: Option<Function> },
    /// Over a power of the neighbours' energy.
    Lrn { size: usize, alpha: f64, beta: f64, k: f64 },
    /// Element by element of several operands.
    Combine {
        of: &'static str,
        activation: Option<Function>,
    },
    /// The place along an axis of the greatest or the least, the first or the last of equal ones.
    ArgExtreme { of: &'static str, axis: usize, last: bool },
    /// The greatest or least few along an axis in order, or their places.
    TopK { axis: usize, largest: bool, indices: bool },
    /// The sum of an element and all before or behind it along an axis.
    Cumsum {
        axis: usize,
        exclusive: bool,
        reverse: bool,
    },
    /// The element of the first operand at the place along an axis that the second says, which lies as `places`.
    GatherAlong { axis: usize, places: [usize; 3] },
    /// Copies of the operand one after another.
    Tile,
    /// A real number as an integer.
    Quantize { to: Integers },
    /// The real number of an integer.
    Dequantize { from: Integers },
    /// The sum of two integers of their own scales, as one of a third.
    QuantizedAdd {
        from: [Integers; 2],
        to: Integers,
        bounds: [u8; 2],
    },
    /// A row times a column.
    Matmul,
    /// The channels of one operand after another's.
    Concat,
    /// The same elements in the same order.
    Same,
    /// An element or the border's value.
    Pad {
        sides: [usize; 4],
        #[serde(serialize_with = "number")]
        value: f64,
    },
    /// A row and a column of the operand for each of the result's.
    Gather { rows: Vec<usize>, columns: Vec<usize> },
    /// Between two rows and two columns: the first, the second, the second's share.
    Blend {
        rows: Vec<(usize, usize, f64)>,
        columns: Vec<(usize, usize, f64)>,
    },
    /// Each so-many-th place of an axis.
    Slice { axis: usize, first: usize, step: isize },
    /// Axes in another order: the operand's axis of each of the result's.
    Transpose { order: [usize; 3] },
    /// Channels as blocks of pixels: the operand's channel for each channel and place in the block.
    DepthToSpace { block: usize, sources: Vec<usize> },
    /// Blocks of pixels as channels.
    SpaceToDepth { block: usize },
    /// Groups of channels interleaved.
    Shuffle { groups: usize },
    /// Gates of a step's features and of the state before it.
    Recurrent {
        cell: &'static str,
        /// Whether a GRU's reset gate acts on products with the state, not on the state.
        reset_after: bool,
        units: usize,
        /// Of each direction, whether it begins with the last step.
        directions: &'static [bool],
    },
    /// Several simpler operators, one after another; the last gives the result.
    Parts { parts: Vec<Part> },
}

/// One of the simpler operators that an operator is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// What it computes: `mean`, `deviation` … Empty for the last.
    pub name: String,
    /// Its operator's word.
    pub op: &'static str,
    /// Its operands: first those of the whole, then the parts in order.
    pub operands: Vec<usize>,
    pub extent: [usize; 3],
    pub arithmetic: Arithmetic,
    /// The role of the tensor that it is, in another shape.
    pub weight: Option<&'static str>,
}

impl Part {
    /// All parts of an operator for operands of these shapes.
    fn all(composite: &Composite, operands: &[ValueType], result: ValueType) -> Vec<Part> {
        let shapes: Vec<Shape> = operands.iter().map(|value| value.shape).collect();
        let (graph, _) = composite.expanded(&shapes);
        let order = graph.order().unwrap_or_default();
        // The operands come first: they have none themselves, and were there first.
        let inputs = graph.ids().take(operands.len());
        let parts: Vec<_> = order
            .into_iter()
            .filter(|&id| !matches!(graph[id].op, Op::Input(_)))
            .collect();
        let positions: HashMap<NodeId, usize> = inputs.chain(parts.iter().copied()).zip(0..).collect();
        let mut values = operands.to_vec();
        let part = |&id: &NodeId| {
            let node = &graph[id];
            let places: Vec<_> = graph.operands(id).iter().map(|operand| positions[operand]).collect();
            let own: Vec<_> = places.iter().map(|&place| values[place]).collect();
            let value = node.op.value_type(&own).unwrap_or(result);
            values.push(value);
            Part {
                name: node.name.trim_start_matches('.').to_owned(),
                op: node.op.name(),
                operands: places,
                extent: value.shape.extent(),
                arithmetic: Arithmetic::new(&node.op, &own, value),
                weight: if let Op::Constant(constant) = &node.op {
                    Some(constant.role)
                } else {
                    None
                },
            }
        };
        parts.iter().map(part).collect()
    }
}

/// A window over a map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Window {
    pub size: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Rows and columns of padding: top, left, bottom, right.
    pub sides: [usize; 4],
}

/// A function of an element and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Function {
    pub name: &'static str,
    /// `alpha`, `beta`, or least and greatest; JSON writes what is not finite as null.
    pub parameters: [f64; 2],
}

impl Function {
    fn new(activation: Activation) -> Function {
        let [alpha, beta] = activation.parameters();
        let parameters = match activation {
            Activation::Gelu { tanh: true } => [1.0, 0.0],
            _ => [alpha, beta],
        };
        let named = match activation {
            // Declared without parameters, it divides by 6, which is not a multiplication by a rounded sixth.
            _ if activation == Activation::HARD_SIGMOID => "hard_sigmoid_6",
            _ => activation.name(),
        };
        Function {
            name: named,
            parameters: parameters.map(f64::from),
        }
    }
}

/// A number, or the word for it where JSON has none; JavaScript's `Number` reads both.
fn number<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        _ if number.is_finite() => serializer.serialize_f64(*number),
        _ if number.is_nan() => serializer.serialize_str("NaN"),
        _ if *number > 0.0 => serializer.serialize_str("Infinity"),
        _ => serializer.serialize_str("-Infinity"),
    }
}

fn pair(pair: Pair) -> [usize; 2] {
    [pair.h, pair.w]
}

fn sides(sides: Sides) -> [usize; 4] {
    [sides.top, sides.left, sides.bottom, sides.right]
}

fn window(x: Shape, padding: Padding, size: Pair, stride: Pair, dilation: Pair) -> Window {
    let [_, height, width] = x.extent();
    Window {
        size: pair(size),
        stride: pair(stride),
        dilation: pair(dilation),
        sides: sides(padding.resolve(height, width, size, stride, dilation)),
    }
}

fn taps(count: usize, tap: impl Fn(usize) -> Tap) -> Vec<(usize, usize, f64)> {
    let all = (0..count).map(tap);
    all.map(|tap| (tap.first, tap.second, tap.share)).collect()
}

impl Arithmetic {
    fn conv(conv: &Conv, x: Shape, integers: Option<Rescaled>) -> Arithmetic {
        Arithmetic::Conv {
            window: window(x, conv.padding, conv.kernel, conv.stride, conv.dilation),
            groups: conv.groups,
            transposed: false,
            activation: conv.activation.map(Function::new),
            integers,
        }
    }

    /// Of an operator with operands of these types and this result.
    pub(crate) fn new(op: &Op, operands: &[ValueType], result: ValueType) -> Arithmetic {
        let first = operands.first().copied().unwrap_or(result);
        let (x, shape) = (first.shape, result.shape);
        let [_, rows, columns] = shape.extent();
        let function = |activation: Option<Activation>| activation.map(Function::new);
        match op {
            Op::Input(_) => Arithmetic::Input,
            Op::Constant(_) => Arithmetic::Constant,
            Op::Conv(conv) => Arithmetic::conv(conv, x, None),
            Op::QuantizedConv(layer) => {
                let integers = Rescaled::new(first, layer.to, layer.conv.activation);
                Arithmetic::conv(&layer.conv, x, integers)
            }
            Op::ConvTranspose(conv) => Arithmetic::Conv {
                window: Window {
                    size: pair(conv.kernel),
                    stride: pair(conv.stride),
                    dilation: pair(conv.dilation),
                    sides: sides(conv.padding),
                },
                groups: conv.groups,
                transposed: true,
                activation: function(conv.activation),
                integers: None,
            },
            Op::Dense(dense) => Arithmetic::Dense {
                activation: function(dense.activation),
                integers: None,
            },
            Op::QuantizedDense(layer) => Arithmetic::Dense {
                activation: function(layer.dense.activation),
                integers: Rescaled::new(first, layer.to, layer.dense.activation),
            },
            Op::Pool(pool) => Arithmetic::Pool {
                of: match pool.kind {
                    PoolKind::Max => "max",
                    PoolKind::Min => "min",
                    PoolKind::Avg { .. } => "avg",
                },
                window: window(x, pool.padding, pool.size, pool.stride, pool.dilation),
                include_pad: matches!(
                    pool.kind,
                    PoolKind::Avg {
                        count_include_pad: true
                    }
                ),
            },
            Op::AdaptiveAvgPool(_) => Arithmetic::AdaptivePool,
            Op::Reduce(reduce) => match (reduce.kind, reduce.axes) {
                (ReduceKind::Mean, [false, true, true]) => Arithmetic::GlobalPool { of: "avg" },
                (ReduceKind::Max, [false, true, true]) => Arithmetic::GlobalPool { of: "max" },
                (kind, axes) => Arithmetic::Reduce {
                    of: match kind {
                        ReduceKind::Mean => "mean",
                        ReduceKind::Sum => "sum",
                        ReduceKind::Max => "max",
                        ReduceKind::Min => "min",
                        ReduceKind::Prod => "prod",
                        ReduceKind::SumSquare => "sum_square",
                    },
                    axes,
                },
            },
            // A flatten is a reshape, and is shown as one.
            Op::Composite(composite) => {
                let parts = Part::all(composite, operands, result);
                // Alone, unless it takes the operands in another order.
                match &parts[..] {
                    [part] if part.operands.iter().copied().eq(0..operands.len()) => part.arithmetic.clone(),
                    _ => Arithmetic::Parts { parts },
                }
            }
            Op::Activation(activation) => Arithmetic::Function {
                function: Function::new(*activation),
            },
            Op::Prelu(_) => Arithmetic::Prelu,
            Op::Softmax(softmax) => Arithmetic::Softmax {
                axis: softmax.axis,
                log: softmax.log,
            },
            Op::BatchNorm(norm) => Arithmetic::BatchNorm {
                epsilon: norm.epsilon,
                activation: function(norm.activation),
            },
            Op::Lrn(lrn) => Arithmetic::Lrn {
                size: lrn.size,
                alpha: f64::from(lrn.alpha),
                beta: f64::from(lrn.beta),
                k: f64::from(lrn.k),
            },
            Op::Combine(combine) => Arithmetic::Combine {
                of: op.name(),
                activation: function(combine.activation),
            },
            Op::Quantize(quantize) => Arithmetic::Quantize {
                to: Integers::new(quantize.to),
            },
            Op::Dequantize(_) => Arithmetic::Dequantize {
                from: Integers::of(first).unwrap_or(Integers::ONE),
            },
            Op::QuantizedAdd(sum) => Arithmetic::QuantizedAdd {
                from: [0, 1].map(|i| operands.get(i).copied().and_then(Integers::of).unwrap_or(Integers::ONE)),
                to: Integers::new(sum.to),
                bounds: bounds(sum.to, sum.activation),
            },
            Op::ArgExtreme(extreme) => Arithmetic::ArgExtreme {
                of: if extreme.least { "min" } else { "max" },
                axis: extreme.axis,
                last: extreme.last,
            },
            Op::TopK(top) => Arithmetic::TopK {
                axis: top.axis,
                largest: top.largest,
                indices: top.indices,
            },
            Op::CumSum(sum) => Arithmetic::Cumsum {
                axis: sum.axis,
                exclusive: sum.exclusive,
                reverse: sum.reverse,
            },
            Op::Gather(gather) => {
                let places = operands.get(1).map_or(x, |places| places.shape);
                Arithmetic::GatherAlong {
                    axis: gather.axis,
                    places: gather.places(x, places).extent(),
                }
            }
            Op::Tile(_) => Arithmetic::Tile,
            Op::Matmul(_) => Arithmetic::Matmul,
            Op::Recurrent(recurrent) => Arithmetic::Recurrent {
                cell: op.name(),
                reset_after: recurrent.cell == Cell::Gru { reset_after: true },
                units: recurrent.units,
                directions: recurrent.directions(),
            },
            Op::Concat(_) => Arithmetic::Concat,
            Op::Reshape(_) | Op::Identity(_) => Arithmetic::Same,
            Op::Pad(pad) if pad.mode != PadMode::Constant => {
                let [_, height, width] = x.extent();
                // Only a constant border has no source.
                let source = |i, before, n| pad.source(i, before, n).unwrap_or(0);
                Arithmetic::Gather {
                    rows: (0..rows).map(|i| source(i, pad.sides.top, height)).collect(),
                    columns: (0..columns).map(|i| source(i, pad.sides.left, width)).collect(),
                }
            }
            Op::Pad(pad) => Arithmetic::Pad {
                sides: sides(pad.sides),
                value: f64::from(pad.value),
            },
            Op::Resize(resize) => {
                let [_, height, width] = x.extent();
                let [vertical, horizontal] = resize.axes(height, width);
                Arithmetic::Blend {
                    rows: taps(rows, |i| vertical.tap(i)),
                    columns: taps(columns, |i| horizontal.tap(i)),
                }
            }
            Op::Slice(slice) => {
                let places = slice.places(x.dims()[slice.axis]);
                let (first, step) = places.map_or((0, 1), |places| (places.first, places.step));
                Arithmetic::Slice {
                    axis: slice.axis,
                    first,
                    step,
                }
            }
            Op::Transpose(transpose) => Arithmetic::Transpose { order: transpose.order },
            Op::DepthToSpace(op) => {
                let channels = shape.channels();
                let places = (0..channels * op.block * op.block).map(|place| {
                    let (c, y, x) = (
                        place / op.block / op.block,
                        place / op.block % op.block,
                        place % op.block,
                    );
                    op.source(channels, c, y, x)
                });
                Arithmetic::DepthToSpace {
                    block: op.block,
                    sources: places.collect(),
                }
            }
            Op::SpaceToDepth(op) => Arithmetic::SpaceToDepth { block: op.block },
            Op::ChannelShuffle(shuffle) => Arithmetic::Shuffle { groups: shuffle.groups },
        }
    }
}
