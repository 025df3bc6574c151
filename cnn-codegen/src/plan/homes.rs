//! Which values share a buffer, and how wide its halo is.
//!
//! A value's home is the value whose buffer it is written into: a concatenation's operands live in the
//! concatenation, the operand of an elementwise operator in its result if nobody else wants it.

use std::collections::HashMap;

use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::{Conv, Op, Sides};
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;

use super::algorithm::{Algorithm, Algorithms};
use super::gather::is_view;
use super::layout::BLOCK;
use super::transposed;

/// Homes and halos of all values.
pub(super) struct Homes {
    /// Node → its home and the first channel there; roots are absent.
    parents: HashMap<NodeId, (NodeId, usize)>,
    /// Halo of each root.
    halos: HashMap<NodeId, Sides>,
}

impl Homes {
    pub(super) fn new(graph: &Graph, shapes: &Shapes, order: &[NodeId], algorithms: &Algorithms) -> Homes {
        let mut homes = Homes {
            parents: HashMap::new(),
            halos: HashMap::new(),
        };
        for &id in order {
            let op = &graph[id].op;
            if matches!(op, Op::Concat(_)) {
                homes.house_concat(graph, shapes, id);
            } else if op.is_elementwise() {
                let heir = graph.operands(id).into_iter().find(|&operand| {
                    shapes[operand] == shapes[id]
                        && homes.is_left_to_its_user(graph, operand)
                        && homes.can_move(graph, shapes, operand)
                });
                if let Some(operand) = heir {
                    homes.parents.insert(operand, (id, 0));
                }
            }
        }
        for &id in order {
            if let Op::ConvTranspose(conv) = &graph[id].op {
                let operand = graph.operands(id)[0];
                let sides = transposed::reach(conv, shapes[operand], shapes[id]);
                homes.widen(graph, shapes, operand, sides);
            }
            // Winograd's transform makes up the padding by itself.
            let direct = algorithms
                .get(&id)
                .is_some_and(|(algorithm, _)| *algorithm == Algorithm::Direct);
            if let Op::Conv(conv) = &graph[id].op
                && direct
            {
                let operand = graph.operands(id)[0];
                let sides = reach(conv, shapes[operand], shapes[id]);
                homes.widen(graph, shapes, operand, sides);
            }
        }
        homes
    }

    /// Puts a halo around a value, where it is made.
    fn widen(&mut self, graph: &Graph, shapes: &Shapes, id: NodeId, sides: Sides) {
        let (root, _) = self.of(id);
        let halo = self.halos.entry(root).or_default();
        *halo = Sides {
            top: halo.top.max(sides.top),
            left: halo.left.max(sides.left),
            bottom: halo.bottom.max(sides.bottom),
            right: halo.right.max(sides.right),
        };
        let op = &graph[id].op;
        // A slice of an input is a copy after all.
        let is_operand = matches!(op, Op::Identity(_))
            || matches!(op, Op::Slice(slice) if is_view(slice, shapes[graph.operands(id)[0]]));
        if is_operand {
            self.widen(graph, shapes, graph.operands(id)[0], sides);
        }
    }

    /// A concatenation's operands move in where they are whole blocks (the last need not end at one).
    fn house_concat(&mut self, graph: &Graph, shapes: &Shapes, id: NodeId) {
        if !matches!(shapes[id], Shape::Map { .. }) {
            return;
        }
        let operands = graph.operands(id);
        let mut channel: usize = 0;
        for (position, &operand) in operands.iter().enumerate() {
            let channels = shapes[operand].channels();
            let whole =
                channel.is_multiple_of(BLOCK) && (channels.is_multiple_of(BLOCK) || position + 1 == operands.len());
            if whole && self.can_move(graph, shapes, operand) {
                self.parents.insert(operand, (id, channel));
            }
            channel += channels;
        }
    }

    /// Whether a value's only user is the last to want anything in its buffer, and may write over it. What an elementwise
    /// operator took over was left to it; a concatenation's parts may have other users.
    fn is_left_to_its_user(&self, graph: &Graph, id: NodeId) -> bool {
        let parts = if matches!(graph[id].op, Op::Concat(_)) {
            graph.operands(id)
        } else {
            Vec::new()
        };
        let lives_here = |part: &NodeId| self.parents.get(part).is_some_and(|(home, _)| *home == id);
        graph.only_user(id).is_some()
            && (parts.iter().filter(|part| lives_here(part))).all(|&part| self.is_left_to_its_user(graph, part))
    }

    /// Whether the operator writes a buffer of its own, which has no home yet.
    fn can_move(&self, graph: &Graph, shapes: &Shapes, id: NodeId) -> bool {
        let writes = match &graph[id].op {
            Op::Slice(slice) => !is_view(slice, shapes[graph.operands(id)[0]]),
            op => !(op.keeps_elements() || matches!(op, Op::Input(_) | Op::Matmul(_))),
        };
        writes && !graph.is_output(id) && !self.parents.contains_key(&id)
    }

    /// The value whose buffer a value is in, and the first channel there.
    pub(super) fn of(&self, id: NodeId) -> (NodeId, usize) {
        let (mut root, mut channel) = (id, 0);
        while let Some(&(parent, offset)) = self.parents.get(&root) {
            root = parent;
            channel += offset;
        }
        (root, channel)
    }

    /// The halo of a root's buffer.
    pub(super) fn halo(&self, root: NodeId) -> Sides {
        self.halos.get(&root).copied().unwrap_or_default()
    }
}

/// How far a convolution's windows reach beyond its input.
pub(super) fn reach(conv: &Conv, input: Shape, output: Shape) -> Sides {
    let (
        Shape::Map { height, width, .. },
        Shape::Map {
            height: rows,
            width: columns,
            ..
        },
    ) = (input, output)
    else {
        return Sides::default();
    };
    let sides = conv
        .padding
        .resolve(height, width, conv.kernel, conv.stride, conv.dilation);
    let end = |outputs: usize, stride: usize, dilation: usize, kernel: usize, before: usize, n: usize| {
        ((outputs - 1) * stride + dilation * (kernel - 1) + 1).saturating_sub(before + n)
    };
    Sides {
        top: sides.top,
        left: sides.left,
        bottom: end(rows, conv.stride.h, conv.dilation.h, conv.kernel.h, sides.top, height),
        right: end(
            columns,
            conv.stride.w,
            conv.dilation.w,
            conv.kernel.w,
            sides.left,
            width,
        ),
    }
}
