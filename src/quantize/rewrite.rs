//! The new network: its graph, and its weights.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use cnn_ir::cost;
use cnn_ir::graph::{Graph, Node, NodeId, Place};
use cnn_ir::op::{Combine, Constant, Conv, ConvTranspose, Dense, Dequantize, Op, Quantize};
use cnn_ir::op::{QuantizedAdd, QuantizedConv, QuantizedDense};
use cnn_ir::validate::validate;
use cnn_ir::value::Quantisation;
use cnn_runtime::weights::WeightSource;

use super::choose::Choice;
use super::filters::Filters;
use super::prepare::{Names, Prepared};
use super::tensors::{Data, Tensors};
use crate::{Error, Weights};

/// A network of integers.
pub(super) struct New {
    pub(super) graph: Graph,
    pub(super) tensors: Tensors,
    /// Of each layer of the prepared network, in its order, the layer that computes the same, be it with integers.
    pub(super) layers: Vec<(NodeId, NodeId)>,
}

/// The operator on integers that a layer becomes.
pub(super) fn of_integers(op: &Op, to: Quantisation) -> Op {
    if let Op::Conv(conv) = op {
        let conv = Conv {
            quantized: true,
            bias: true,
            norm: None,
            ..conv.clone()
        };
        return Op::QuantizedConv(QuantizedConv { conv, to });
    }
    if let Op::Dense(dense) = op {
        let dense = Dense {
            quantized: true,
            bias: true,
            norm: None,
            ..dense.clone()
        };
        return Op::QuantizedDense(QuantizedDense { dense, to });
    }
    if let Op::Combine(Combine { activation, .. }) = *op {
        return Op::QuantizedAdd(QuantizedAdd { activation, to });
    }
    // What only moves integers.
    op.clone()
}

/// Adds a layer without a place in any text.
pub(super) fn add(graph: &mut Graph, name: String, op: Op, weights: Option<String>, operands: &[NodeId]) -> NodeId {
    let node = Node {
        weights: weights.unwrap_or_else(|| name.clone()),
        name,
        op,
        place: Place::default(),
    };
    graph.add(node, operands)
}

/// A graph under way, in which each value of the prepared network is there as floats, as integers, or as both.
struct Rewriter<'a> {
    prepared: &'a Prepared,
    choice: &'a Choice,
    names: Names,
    graph: Graph,
    floats: HashMap<NodeId, NodeId>,
    integers: HashMap<NodeId, NodeId>,
}

impl Rewriter<'_> {
    /// A value as floats.
    fn floats(&mut self, id: NodeId) -> NodeId {
        if let Some(&floats) = self.floats.get(&id) {
            return floats;
        }
        let name = self.names.fresh(&self.prepared.graph[id].name, "floats");
        self.dequantize(id, name)
    }

    fn dequantize(&mut self, id: NodeId, name: String) -> NodeId {
        let operand = self.integers[&id];
        let floats = add(&mut self.graph, name, Op::Dequantize(Dequantize), None, &[operand]);
        self.floats.insert(id, floats);
        floats
    }

    /// A value as integers.
    fn integers(&mut self, id: NodeId) -> NodeId {
        if let Some(&integers) = self.integers.get(&id) {
            return integers;
        }
        let name = self.names.fresh(&self.prepared.graph[id].name, "integers");
        let to = self.choice.to[id.index()];
        let integers = add(
            &mut self.graph,
            name,
            Op::Quantize(Quantize { to }),
            None,
            &[self.floats[&id]],
        );
        self.integers.insert(id, integers);
        integers
    }
}

pub(super) fn network(prepared: &Prepared, choice: &Choice, weights: &Weights) -> Result<New, Error> {
    let mut prefixes = Prefixes::new(&prepared.graph);
    let mut own: BTreeMap<String, (Vec<usize>, Data)> = BTreeMap::new();
    let mut rewriter = Rewriter {
        prepared,
        choice,
        names: Names::new(&prepared.graph),
        graph: Graph::new(prepared.graph.name.clone()),
        floats: HashMap::new(),
        integers: HashMap::new(),
    };
    let mut layers = Vec::new();
    for &id in &prepared.order {
        let node = &prepared.graph[id];
        let operands = prepared.graph.operands(id);
        let new = if choice.is_integers(id) {
            let prefix = integer_weights(prepared, choice, id, weights, &mut prefixes, &mut own)?;
            let operands: Vec<NodeId> = operands.iter().map(|&operand| rewriter.integers(operand)).collect();
            let output = prepared.graph.outputs().iter().any(|output| output.node == id);
            let name = match output {
                true => rewriter.names.fresh(&node.name, "integers"),
                false => node.name.clone(),
            };
            let op = of_integers(&node.op, choice.to[id.index()]);
            let new = add(&mut rewriter.graph, name, op, prefix, &operands);
            rewriter.integers.insert(id, new);
            if output {
                rewriter.dequantize(id, node.name.clone());
            }
            new
        } else {
            let operands: Vec<NodeId> = operands.iter().map(|&operand| rewriter.floats(operand)).collect();
            let (op, prefix) = float_weights(prepared, id, weights, &mut prefixes, &mut own)?;
            let new = add(&mut rewriter.graph, node.name.clone(), op, Some(prefix), &operands);
            rewriter.floats.insert(id, new);
            new
        };
        layers.push((id, new));
    }
    for output in prepared.graph.outputs() {
        let node = rewriter.floats(output.node);
        rewriter.graph.add_output(output.name.clone(), node);
    }
    let graph = rewriter.graph;
    let shapes = validate(&graph).map_err(|faults| {
        let first = faults.first().map(|fault| fault.message.clone());
        Error::Internal(format!("quantising: {}", first.unwrap_or_default()))
    })?;
    for tensor in cost::weights(&graph, &shapes) {
        if let Entry::Vacant(place) = own.entry(tensor.name) {
            let elements = weights.tensor(place.key(), &tensor.shape)?.into_owned();
            place.insert((tensor.shape, Data::Floats(elements)));
        }
    }
    Ok(New {
        graph,
        tensors: own.into(),
        layers,
    })
}

/// The weights of a layer that computes with integers, and their prefix; `None` if it has none.
fn integer_weights(
    prepared: &Prepared,
    choice: &Choice,
    id: NodeId,
    weights: &Weights,
    prefixes: &mut Prefixes,
    own: &mut BTreeMap<String, (Vec<usize>, Data)>,
) -> Result<Option<String>, Error> {
    let Some(filters) = Filters::load(prepared, id, weights)? else {
        return Ok(None);
    };
    let prefix = prefixes.of(&prepared.graph[id]);
    let from = choice.to[prepared.graph.operands(id)[0].index()];
    insert_integers(&filters, from, &prefix, own);
    Ok(Some(prefix))
}

/// The tensors of a layer of integers under a prefix.
pub(super) fn insert_integers(
    filters: &Filters,
    from: Quantisation,
    prefix: &str,
    own: &mut BTreeMap<String, (Vec<usize>, Data)>,
) {
    let integers = filters.integers(from);
    let count = vec![integers.bias.len()];
    own.insert(
        format!("{prefix}.weight"),
        (filters.shape.clone(), Data::Integers(integers.weight)),
    );
    own.insert(
        format!("{prefix}.weight_scale"),
        (count.clone(), Data::Floats(integers.scale)),
    );
    own.insert(format!("{prefix}.bias"), (count, Data::Floats(integers.bias)));
}

/// A layer that computes with floats, as a declaration can say it: with its norm in its weights, and constants under the name
/// that declared ones have.
fn float_weights(
    prepared: &Prepared,
    id: NodeId,
    weights: &Weights,
    prefixes: &mut Prefixes,
    own: &mut BTreeMap<String, (Vec<usize>, Data)>,
) -> Result<(Op, String), Error> {
    let node = &prepared.graph[id];
    if let Op::Constant(constant) = &node.op {
        let stored = constant.tensor(&node.weights);
        let elements = weights.tensor(&stored.name, &stored.shape)?.into_owned();
        let declared = Constant {
            shape: constant.shape,
            ..Constant::default()
        };
        let prefix = prefixes.of(node);
        let tensor = declared.tensor(&prefix);
        own.insert(tensor.name, (tensor.shape, Data::Floats(elements)));
        return Ok((Op::Constant(declared), prefix));
    }
    let mut op = node.op.clone();
    let folded = if let Op::Conv(Conv { bias, norm, .. })
    | Op::ConvTranspose(ConvTranspose { bias, norm, .. })
    | Op::Dense(Dense { bias, norm, .. }) = &mut op
    {
        *bias |= norm.is_some();
        norm.take()
    } else {
        None
    };
    if folded.is_none() {
        return Ok((op, node.weights.clone()));
    }
    let prefix = prefixes.of(node);
    if let Some(filters) = Filters::load(prepared, id, weights)? {
        let count = vec![filters.bias.len()];
        own.insert(
            format!("{prefix}.weight"),
            (filters.shape, Data::Floats(filters.weight)),
        );
        own.insert(format!("{prefix}.bias"), (count, Data::Floats(filters.bias)));
    }
    Ok((op, prefix))
}

/// Prefixes of weights: the layer's own where no other layer has the same.
struct Prefixes {
    taken: HashSet<String>,
    shared: HashSet<String>,
}

impl Prefixes {
    fn new(graph: &Graph) -> Prefixes {
        let mut prefixes = Prefixes {
            taken: HashSet::new(),
            shared: HashSet::new(),
        };
        for id in graph.ids() {
            let prefix = graph[id].weights.clone();
            if !prefixes.taken.insert(prefix.clone()) {
                prefixes.shared.insert(prefix);
            }
        }
        prefixes
    }

    /// The prefix of a layer whose tensors are not those that another has, even if it shares the prefix.
    fn of(&mut self, node: &Node) -> String {
        if !self.shared.contains(&node.weights) {
            return node.weights.clone();
        }
        let plain = format!("{}.own", node.name);
        let mut prefix = plain.clone();
        let mut number = 2;
        while self.taken.contains(&prefix) {
            prefix = format!("{plain}{number}");
            number += 1;
        }
        self.taken.insert(prefix.clone());
        prefix
    }
}
