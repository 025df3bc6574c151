//! Which layers compute with integers, and what the integers of each value stand for.

use cnn_ir::graph::NodeId;
use cnn_ir::op::{Combine, CombineKind, MOST_PRODUCTS, Op, PoolKind};
use cnn_ir::shape::Shape;
use cnn_ir::value::Quantisation;

use super::calibrate::Ranges;
use super::prepare::{Prepared, cuts_off};
use crate::Error;

/// What is decided of every node, by [`NodeId::index`].
pub(super) struct Choice {
    /// Why the layer computes with floats; `None` if it computes with integers.
    pub(super) floats: Vec<Option<String>>,
    /// What integers of its result stand for, whoever makes them.
    pub(super) to: Vec<Quantisation>,
}

/// How a layer's integers come about.
pub(super) enum Kind {
    /// They are computed.
    Computes,
    /// They are some of its operands'.
    Moves,
}

impl Choice {
    /// `kept` says why layers are to stay as they are.
    pub(super) fn new(prepared: &Prepared, ranges: &Ranges, kept: &[Option<String>]) -> Result<Choice, Error> {
        let mut floats: Vec<Option<String>> = vec![Some("is not there".to_owned()); ranges.len()];
        // Values whose integers stand for the same numbers: the first of a class, or another that is nearer to it.
        let mut class: Vec<usize> = (0..ranges.len()).collect();
        for &id in &prepared.order {
            let index = id.index();
            let operands = prepared.graph.operands(id);
            floats[index] = match (kind(prepared, id), &kept[index]) {
                (Err(why), _) => Some(why),
                (Ok(_), Some(why)) => Some(why.clone()),
                (Ok(Kind::Computes), None) => None,
                (Ok(Kind::Moves), None) => {
                    let other = operands.iter().find(|operand| floats[operand.index()].is_some());
                    if other.is_none() {
                        for operand in &operands {
                            let (one, other) = (root(&class, index), root(&class, operand.index()));
                            class[one.max(other)] = one.min(other);
                        }
                    }
                    other.map(|other| format!("its operand `{}` is floats", prepared.graph[*other].name))
                }
            };
        }
        let mut whole = ranges.clone();
        for (index, range) in ranges.iter().enumerate() {
            let [least, greatest] = &mut whole[root(&class, index)];
            (*least, *greatest) = (least.min(range[0]), greatest.max(range[1]));
        }
        let to = (0..ranges.len()).map(|index| quantisation(whole[root(&class, index)]));
        Ok(Choice {
            floats,
            to: to.collect(),
        })
    }

    /// Whether a layer computes with integers.
    pub(super) fn is_integers(&self, id: NodeId) -> bool {
        self.floats[id.index()].is_none()
    }
}

fn root(class: &[usize], mut index: usize) -> usize {
    while class[index] != index {
        index = class[index];
    }
    index
}

/// What integers of a range stand for: 0 is one of them.
fn quantisation([least, greatest]: [f32; 2]) -> Quantisation {
    let (least, greatest) = (f64::from(least.min(0.0)), f64::from(greatest.max(0.0)));
    let scale = ((greatest - least) / 255.0) as f32;
    let scale = if scale.is_normal() { scale } else { 1.0 };
    Quantisation {
        scale,
        zero_point: (-least / f64::from(scale)).round().clamp(0.0, 255.0) as u8,
    }
}

/// How a layer makes integers, or why it cannot.
pub(super) fn kind(prepared: &Prepared, id: NodeId) -> Result<Kind, String> {
    let Prepared { graph, shapes, .. } = prepared;
    let operands = graph.operands(id);
    let products = |count: usize| match count {
        ..=MOST_PRODUCTS => Ok(Kind::Computes),
        _ => Err(format!("a sum of {count} products may not fit 32 bits")),
    };
    let one_pixel = |shape: Shape| matches!(shape.extent(), [_, 1, 1]);
    match &graph[id].op {
        Op::Conv(conv) => {
            let channels = shapes[operands[0]].channels();
            if conv.groups > 1 && !(conv.groups == channels && conv.filters == channels) {
                return Err("it has groups of several channels".to_owned());
            }
            products(conv.weight_dims(channels)[1..].iter().product())
        }
        Op::Dense(_) => products(shapes[operands[0]].elements()),
        Op::Combine(Combine {
            kind: CombineKind::Add,
            activation,
        }) => match *operands {
            [one, other] if shapes[one] == shapes[other] && cuts_off(*activation) => Ok(Kind::Computes),
            _ => Err("it is no sum of two values of one shape".to_owned()),
        },
        Op::Pool(pool) if !matches!(pool.kind, PoolKind::Avg { .. }) => Ok(Kind::Moves),
        Op::Concat(_) => Ok(Kind::Moves),
        Op::Reshape(_) => match one_pixel(shapes[id]) || one_pixel(shapes[operands[0]]) {
            true => Ok(Kind::Moves),
            false => Err("it makes a map of a map".to_owned()),
        },
        Op::Combine(_) => Err("it is no sum of two values of one shape".to_owned()),
        op @ (Op::Input(_)
        | Op::ConvTranspose(_)
        | Op::Pool(_)
        | Op::AdaptiveAvgPool(_)
        | Op::Activation(_)
        | Op::Prelu(_)
        | Op::Softmax(_)
        | Op::BatchNorm(_)
        | Op::Lrn(_)
        | Op::Matmul(_)
        | Op::Recurrent(_)
        | Op::Pad(_)
        | Op::Resize(_)
        | Op::Reduce(_)
        | Op::Slice(_)
        | Op::Transpose(_)
        | Op::DepthToSpace(_)
        | Op::SpaceToDepth(_)
        | Op::ChannelShuffle(_)
        | Op::ArgExtreme(_)
        | Op::TopK(_)
        | Op::CumSum(_)
        | Op::Gather(_)
        | Op::Tile(_)
        | Op::Constant(_)
        | Op::Quantize(_)
        | Op::Dequantize(_)
        | Op::QuantizedConv(_)
        | Op::QuantizedDense(_)
        | Op::QuantizedAdd(_)
        | Op::Identity(_)
        | Op::Composite(_)) => Err(format!("`{}` computes with floats", op.name())),
    }
}
