//! Each layer: shapes, arithmetic, weights, place in the source.

use std::collections::HashMap;

use cnn_ir::cost;
use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::{Op, WeightDecl};
use cnn_ir::span::Span;
use cnn_ir::validate::Shapes;

use crate::data::{Cost, Outline, Totals};

/// The table of a network.
pub(crate) fn outline(graph: &Graph, shapes: &Shapes, order: &[NodeId]) -> Outline {
    Outline {
        name: graph.name.clone(),
        layers: costs(graph, shapes, order),
        paths: paths(graph, order),
        totals: totals(graph, shapes),
    }
}

/// The lines of the table.
pub(crate) fn costs(graph: &Graph, shapes: &Shapes, order: &[NodeId]) -> Vec<Cost> {
    let positions: HashMap<NodeId, usize> = order.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    let cost = |&id: &NodeId| {
        let node = &graph[id];
        let operands = shapes.operands(graph, id);
        let cost = node.op.cost(&operands);
        let activation = node.op.activation().map(|activation| Op::Activation(activation).name());
        let words: Vec<_> = [Some(node.op.name()), activation].into_iter().flatten().collect();
        Cost {
            name: node.name.clone(),
            op: words.join(" + "),
            operands: graph.operands(id).iter().map(|operand| positions[operand]).collect(),
            shape: shapes[id].dims(),
            formula: node.op.formula(&operands),
            parameters: cost.parameters,
            multiplications: cost.multiplications,
            product: cost.product,
            bytes: shapes.value(id).bytes(),
        }
    };
    order.iter().map(cost).collect()
}

/// The sums of the table.
pub(crate) fn totals(graph: &Graph, shapes: &Shapes) -> Totals {
    let value_bytes = graph.ids().map(|id| shapes.value(id).bytes());
    let weights = cost::weights(graph, shapes);
    let weight_bytes = weights.iter().map(WeightDecl::bytes);
    Totals {
        parameters: cost::parameters(graph, shapes),
        multiplications: cost::multiplications(graph, shapes),
        value_bytes: value_bytes.fold(0, u64::saturating_add),
        weight_bytes: weight_bytes.fold(0, u64::saturating_add),
    }
}

/// The blocks that each layer is in, outermost first: those it was expanded from, else what its name says before a dot.
pub(crate) fn paths(graph: &Graph, order: &[NodeId]) -> Vec<Vec<String>> {
    // Layers that came from one instance have its name before theirs: what all of them begin with, up to a dot.
    let mut instances: HashMap<&[Span], &str> = HashMap::new();
    for &id in order {
        let (name, all) = (graph[id].name.as_str(), graph[id].place.instances.as_slice());
        for innermost in 0..all.len() {
            let common = instances.entry(&all[innermost..]).or_insert(name);
            let same = common.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
            *common = &common[..common.floor_char_boundary(same)];
        }
    }
    let prefix = |name: &str| name.rsplit_once('.').map(|(before, _)| before.to_owned());
    let path = |&id: &NodeId| {
        let (name, all) = (&graph[id].name, &graph[id].place.instances);
        match all.is_empty() {
            true => prefix(name).into_iter().collect(),
            false => (0..all.len())
                .rev()
                .filter_map(|innermost| {
                    let common = instances.get(&all[innermost..])?;
                    prefix(common).or_else(|| prefix(name))
                })
                .collect(),
        }
    };
    order.iter().map(path).collect()
}

/// Where the lines of a text begin.
pub(crate) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(crate) fn new(text: &str) -> LineStarts {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        LineStarts([0].into_iter().chain(after).collect())
    }

    /// First and last line of a span, from 1.
    pub(crate) fn lines(&self, span: Span) -> Option<[usize; 2]> {
        let line = |at: usize| self.0.partition_point(|&start| start <= at);
        (span != Span::NONE).then(|| [line(span.start), line(span.end.saturating_sub(1))])
    }
}
