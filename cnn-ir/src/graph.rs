//! The graph: the one IR, over petgraph. This is the only module that knows petgraph.
//!
//! A node is a layer and its result. An edge runs from operand to user and carries the operand's position,
//! because petgraph's order of neighbours is not the order of operands. Ids survive the removal of other nodes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use petgraph::visit::EdgeRef;

use crate::op::{Input, Op};
use crate::span::Span;

/// Names a node of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(NodeIndex);

impl NodeId {
    /// A small number, unique in the graph: an index for side tables.
    pub fn index(self) -> usize {
        self.0.index()
    }
}

/// Where a node's words stand in the source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// The whole layer.
    pub layer: Span,
    /// The operator's name.
    pub op: Span,
    /// The operands, if they were named.
    pub from: Option<Span>,
    /// The value of each key that was written.
    pub keys: BTreeMap<String, Span>,
    /// The block instances it was expanded from, innermost first.
    pub instances: Vec<Span>,
}

impl Place {
    /// The place of a key's value (or `from`); of the operator if the key was not written.
    pub fn key(&self, key: &str) -> Span {
        match key {
            "from" => self.from.unwrap_or(self.op),
            _ => self.keys.get(key).copied().unwrap_or(self.op),
        }
    }
}

/// A layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The layer's name, unique in the graph.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// The prefix of its weights' names: the layer's name unless a `weights` key says otherwise.
    pub weights: String,
    /// Where it stands in the source.
    pub place: Place,
}

/// An output: its name for the user, and the node that computes it (which a pass may change).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The name the network was declared with.
    pub name: String,
    /// Who computes it.
    pub node: NodeId,
}

/// A network's graph.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The network's name.
    pub name: String,
    nodes: StableDiGraph<Node, usize>,
    inputs: Vec<NodeId>,
    outputs: Vec<Output>,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Graph {
        Graph {
            name: name.into(),
            ..Graph::default()
        }
    }

    /// Adds a node with its operands in order. An [`Op::Input`] also becomes the graph's next input.
    pub fn add(&mut self, node: Node, operands: &[NodeId]) -> NodeId {
        let is_input = matches!(node.op, Op::Input(_));
        let id = NodeId(self.nodes.add_node(node));
        self.set_operands(id, operands);
        if is_input {
            self.inputs.push(id);
        }
        id
    }

    /// Makes a node's result the graph's next output.
    pub fn add_output(&mut self, name: impl Into<String>, node: NodeId) {
        self.outputs.push(Output {
            name: name.into(),
            node,
        });
    }

    /// Leaves no output.
    pub fn clear_outputs(&mut self) {
        self.outputs.clear();
    }

    /// The inputs in the order of declaration.
    pub fn inputs(&self) -> &[NodeId] {
        &self.inputs
    }

    /// The inputs in the order of declaration, each with what is declared of it.
    pub fn declared_inputs(&self) -> impl Iterator<Item = (&Node, &Input)> {
        self.inputs.iter().filter_map(|&id| match &self[id] {
            node @ Node {
                op: Op::Input(input), ..
            } => Some((node, input)),
            _ => None,
        })
    }

    /// The outputs in the order of declaration.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// How many nodes there are, inputs included.
    pub fn len(&self) -> usize {
        self.nodes.node_count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.node_count() == 0
    }

    /// All nodes in the order they were added.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.node_indices().map(NodeId)
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.ids().find(|&id| self[id].name == name)
    }

    /// The operands in order.
    pub fn operands(&self, id: NodeId) -> Vec<NodeId> {
        let mut operands: Vec<_> = self
            .nodes
            .edges_directed(id.0, Direction::Incoming)
            .map(|edge| (*edge.weight(), NodeId(edge.source())))
            .collect();
        operands.sort_unstable();
        operands.into_iter().map(|(_, operand)| operand).collect()
    }

    /// The uses of a node's result: user and operand position, sorted. Outputs of the graph are not among them.
    pub fn users(&self, id: NodeId) -> Vec<(NodeId, usize)> {
        let mut users: Vec<_> = self
            .nodes
            .edges_directed(id.0, Direction::Outgoing)
            .map(|edge| (NodeId(edge.target()), *edge.weight()))
            .collect();
        users.sort_unstable();
        users
    }

    /// Whether the graph outputs this node's result.
    pub fn is_output(&self, id: NodeId) -> bool {
        self.outputs.iter().any(|output| output.node == id)
    }

    /// The only use of a node's result: `None` when there are more, or the graph outputs it.
    pub fn only_user(&self, id: NodeId) -> Option<(NodeId, usize)> {
        match *self.users(id) {
            [user] if !self.is_output(id) => Some(user),
            _ => None,
        }
    }

    /// Replaces a node's operands.
    pub fn set_operands(&mut self, id: NodeId, operands: &[NodeId]) {
        let old: Vec<_> = self
            .nodes
            .edges_directed(id.0, Direction::Incoming)
            .map(|edge| edge.id())
            .collect();
        for edge in old {
            self.nodes.remove_edge(edge);
        }
        for (position, operand) in operands.iter().enumerate() {
            self.nodes.add_edge(operand.0, id.0, position);
        }
    }

    /// Makes every user of `old`, and every output that is `old`, use `new` instead.
    pub fn replace_uses(&mut self, old: NodeId, new: NodeId) {
        for (user, position) in self.users(old) {
            let mut operands = self.operands(user);
            operands[position] = new;
            self.set_operands(user, &operands);
        }
        for output in self.outputs.iter_mut().filter(|output| output.node == old) {
            output.node = new;
        }
    }

    /// Removes a node that nobody uses.
    ///
    /// # Panics
    /// If it is used, output, or an input of the graph: a mistake of the pass.
    pub fn remove(&mut self, id: NodeId) {
        assert!(
            self.users(id).is_empty() && !self.is_output(id),
            "{} is still used",
            self[id].name
        );
        assert!(!self.inputs.contains(&id), "an input cannot be removed");
        self.nodes.remove_node(id.0);
    }

    /// All nodes, operands before users, otherwise in the order they were added. `Err` holds the nodes that are
    /// on a cycle or behind one.
    pub fn order(&self) -> Result<Vec<NodeId>, Vec<NodeId>> {
        let mut missing: BTreeMap<NodeId, usize> = self
            .ids()
            .map(|id| (id, self.nodes.edges_directed(id.0, Direction::Incoming).count()))
            .collect();
        let mut ready: BinaryHeap<_> = missing
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(id, _)| Reverse(*id))
            .collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(Reverse(id)) = ready.pop() {
            order.push(id);
            missing.remove(&id);
            for (user, _) in self.users(id) {
                if let Some(count) = missing.get_mut(&user) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(Reverse(user));
                    }
                }
            }
        }
        if missing.is_empty() {
            Ok(order)
        } else {
            Err(missing.into_keys().collect())
        }
    }

    /// One cycle, each node an operand of the next; empty if there is none.
    pub fn cycle(&self) -> Vec<NodeId> {
        let Err(suspects) = self.order() else { return Vec::new() };
        // Every suspect has an operand among the suspects: walking backwards must meet itself.
        let mut path = vec![suspects[0]];
        loop {
            let last = path[path.len() - 1];
            let Some(next) = self
                .operands(last)
                .into_iter()
                .find(|operand| suspects.contains(operand))
            else {
                return Vec::new();
            };
            if let Some(start) = path.iter().position(|&id| id == next) {
                let mut cycle = path.split_off(start);
                cycle.reverse();
                return cycle;
            }
            path.push(next);
        }
    }
}

impl std::ops::Index<NodeId> for Graph {
    type Output = Node;
    fn index(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }
}

impl std::ops::IndexMut<NodeId> for Graph {
    fn index_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0]
    }
}
