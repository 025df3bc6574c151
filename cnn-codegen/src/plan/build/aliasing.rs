//! Which values share a buffer, and how wide its halo is.
//!
//! A value is an alias of another if it is written into that one's buffer: a concatenation's operands are parts of the
//! concatenation, the operand of an elementwise operator is overwritten by its result if nobody else wants it. A value
//! that is no alias is a root and has a buffer of its own.

use std::collections::HashMap;

use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::{Op, Sides, Slice};
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;
use cnn_ir::value::ElementType;

use crate::plan::convolution::{Selected, reach, transposed_reach};
use crate::plan::data::Algorithm;
use crate::plan::data::layout::BLOCK;

/// Aliases and halos of all values.
pub(super) struct Aliases {
    /// Alias → the value whose buffer it is in, and its first channel there; roots are absent. Once all are found, these
    /// are roots.
    aliases: HashMap<NodeId, (NodeId, usize)>,
    /// Halo of each root.
    halos: HashMap<NodeId, Sides>,
}

impl Aliases {
    pub(super) fn new(
        graph: &Graph,
        shapes: &Shapes,
        order: &[NodeId],
        selected: &HashMap<NodeId, Selected>,
    ) -> Aliases {
        let mut aliases = Aliases {
            aliases: HashMap::new(),
            halos: HashMap::new(),
        };
        for &id in order {
            let op = &graph[id].op;
            if matches!(op, Op::Concat(_)) {
                aliases.alias_concat(graph, shapes, id);
            } else if op.is_elementwise() {
                let in_place = graph.operands(id).into_iter().find(|&operand| {
                    shapes[operand] == shapes[id]
                        && aliases.is_left_to_its_user(graph, operand)
                        && aliases.may_alias(graph, shapes, operand)
                });
                if let Some(operand) = in_place {
                    aliases.aliases.insert(operand, (id, 0));
                }
            }
        }
        aliases.resolve(order);
        for &id in order {
            if let Op::ConvTranspose(conv) = &graph[id].op {
                let operand = graph.operands(id)[0];
                let sides = transposed_reach(conv, shapes[operand], shapes[id]);
                aliases.widen(graph, shapes, operand, sides);
            }
            if let Op::QuantizedConv(layer) = &graph[id].op {
                let operand = graph.operands(id)[0];
                let sides = reach(&layer.conv, shapes[operand], shapes[id]);
                aliases.widen(graph, shapes, operand, sides);
            }
            // Winograd's transform makes up the padding by itself.
            let direct = selected.get(&id).is_some_and(|one| one.algorithm == Algorithm::Direct);
            if let Op::Conv(conv) = &graph[id].op
                && direct
            {
                let operand = graph.operands(id)[0];
                let sides = reach(conv, shapes[operand], shapes[id]);
                aliases.widen(graph, shapes, operand, sides);
            }
        }
        aliases
    }

    /// Aliases of aliases become aliases of roots. An alias is in the buffer of a later value, so that, from the last to
    /// the first, the other one is resolved already: one step each.
    fn resolve(&mut self, order: &[NodeId]) {
        for id in order.iter().rev() {
            if let Some(&(other, first)) = self.aliases.get(id)
                && let Some(&(root, channel)) = self.aliases.get(&other)
            {
                self.aliases.insert(*id, (root, channel + first));
            }
        }
    }

    /// Puts a halo around a value, where it is made.
    fn widen(&mut self, graph: &Graph, shapes: &Shapes, id: NodeId, sides: Sides) {
        let mut next = Some(id);
        while let Some(id) = next {
            let (root, _) = self.of(id);
            let halo = self.halos.entry(root).or_default();
            *halo = Sides {
                top: halo.top.max(sides.top),
                left: halo.left.max(sides.left),
                bottom: halo.bottom.max(sides.bottom),
                right: halo.right.max(sides.right),
            };
            // A slice of an input is a copy after all.
            let op = &graph[id].op;
            let is_operand = matches!(op, Op::Identity(_))
                || matches!(op, Op::Slice(slice) if is_view(slice, shapes[graph.operands(id)[0]]));
            next = is_operand.then(|| graph.operands(id)[0]);
        }
    }

    /// A concatenation's operands are parts of it where they are whole blocks (the last need not end at one).
    fn alias_concat(&mut self, graph: &Graph, shapes: &Shapes, id: NodeId) {
        let floats = shapes.value(id).element == ElementType::F32;
        if !floats || !matches!(shapes[id], Shape::Map { .. }) {
            return;
        }
        let operands = graph.operands(id);
        let mut channel: usize = 0;
        for (position, &operand) in operands.iter().enumerate() {
            let channels = shapes[operand].channels();
            let whole =
                channel.is_multiple_of(BLOCK) && (channels.is_multiple_of(BLOCK) || position + 1 == operands.len());
            if whole && self.may_alias(graph, shapes, operand) {
                self.aliases.insert(operand, (id, channel));
            }
            channel += channels;
        }
    }

    /// Whether a value's only user is the last to want anything in its buffer, and may write over it. What an elementwise
    /// operator took over was left to it; a concatenation's parts, and theirs, may have other users.
    fn is_left_to_its_user(&self, graph: &Graph, id: NodeId) -> bool {
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            if graph.only_user(id).is_none() {
                return false;
            }
            if matches!(graph[id].op, Op::Concat(_)) {
                let is_part = |part: &NodeId| self.aliases.get(part).is_some_and(|(whole, _)| *whole == id);
                waiting.extend(graph.operands(id).into_iter().filter(is_part));
            }
        }
        true
    }

    /// Whether the operator writes a buffer of its own, which is no alias yet.
    fn may_alias(&self, graph: &Graph, shapes: &Shapes, id: NodeId) -> bool {
        let writes = match &graph[id].op {
            Op::Slice(slice) => !is_view(slice, shapes[graph.operands(id)[0]]),
            // The user's array, the operand's elements, and what is written row by row instead of in blocks of channels.
            Op::Input(_) | Op::Identity(_) | Op::Reshape(_) | Op::Composite(_) | Op::Matmul(_) | Op::Recurrent(_) => {
                false
            }
            // Channel by channel.
            Op::ArgExtreme(_) | Op::TopK(_) | Op::CumSum(_) | Op::Gather(_) => false,
            // Integers, which are pixel by pixel.
            Op::Quantize(_) | Op::QuantizedConv(_) | Op::QuantizedDense(_) | Op::QuantizedAdd(_) => false,
            Op::Conv(_)
            | Op::ConvTranspose(_)
            | Op::Dense(_)
            | Op::Pool(_)
            | Op::AdaptiveAvgPool(_)
            | Op::Activation(_)
            | Op::Prelu(_)
            | Op::Softmax(_)
            | Op::BatchNorm(_)
            | Op::Lrn(_)
            | Op::Combine(_)
            | Op::Concat(_)
            | Op::Pad(_)
            | Op::Resize(_)
            | Op::Reduce(_)
            | Op::Tile(_)
            | Op::Transpose(_)
            | Op::DepthToSpace(_)
            | Op::SpaceToDepth(_)
            | Op::ChannelShuffle(_)
            | Op::Dequantize(_)
            | Op::Constant(_) => true,
        };
        writes && !graph.is_output(id) && !self.aliases.contains_key(&id)
    }

    /// The root whose buffer a value is in, and the first channel there.
    pub(super) fn of(&self, id: NodeId) -> (NodeId, usize) {
        self.aliases.get(&id).copied().unwrap_or((id, 0))
    }

    /// The halo of a root's buffer.
    pub(super) fn halo(&self, root: NodeId) -> Sides {
        self.halos.get(&root).copied().unwrap_or_default()
    }
}

/// Whether a slice is whole blocks of a value inside the network: a view of it.
pub(super) fn is_view(slice: &Slice, x: Shape) -> bool {
    let channels = x.channels();
    slice.axis == 0
        && slice.places(channels).is_some_and(|taken| {
            let end = taken.first + taken.count;
            let whole = end == channels || end.is_multiple_of(BLOCK);
            taken.step == 1 && taken.first.is_multiple_of(BLOCK) && whole
        })
}
