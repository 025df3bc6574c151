//! Operators that are expressed in simpler ones.

use std::collections::BTreeSet;
use std::fmt;

use super::operator::Operator;
use super::{Combine, CombineKind, Constant, Input, InputLayout, Op};
use crate::graph::{Graph, Node, NodeId, Place};
use crate::shape::Shape;

/// An operator that is expressed in simpler ones, which [`Expand`](crate::passes::Expand) puts in its place: no planner
/// and no interpreter knows it.
pub(crate) trait Composed: Operator + Boxed + fmt::Debug + Send + Sync {
    /// Adds all but the last of the simpler operators and returns the last one with its operands.
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>);
}

/// Copies of operators whose type is forgotten.
pub(crate) trait Boxed {
    fn boxed(&self) -> Box<dyn Composed>;
}

impl<T: Composed + Clone + 'static> Boxed for T {
    fn boxed(&self) -> Box<dyn Composed> {
        Box::new(self.clone())
    }
}

/// Any operator that is expressed in simpler ones.
pub struct Composite(Box<dyn Composed>);

impl Composite {
    pub(super) fn operator(&self) -> &dyn Operator {
        &*self.0
    }

    pub(super) fn operator_mut(&mut self) -> &mut dyn Operator {
        &mut *self.0
    }

    /// The simpler operators that it is for operands of these shapes, which must fit it: a graph whose inputs are the
    /// operands, and its result. What stands for a part is named after it, with a dot before.
    pub fn expanded(&self, operands: &[Shape]) -> (Graph, NodeId) {
        let mut graph = Graph::default();
        let mut add = |op, operands: &[NodeId]| {
            let node = Node {
                name: String::new(),
                op,
                weights: String::new(),
                place: Place::default(),
            };
            graph.add(node, operands)
        };
        let input = |&shape: &Shape| {
            let layout = InputLayout::Chw;
            add(Op::Input(Input { shape, layout }), &[])
        };
        let inputs: Vec<_> = operands.iter().map(input).collect();
        let node = add(Op::Composite(self.clone()), &inputs);
        self.expand(&mut graph, node, operands, &mut BTreeSet::new());
        (graph, node)
    }

    /// Puts simpler operators in the place of `node`, which keeps its id, its name and its users. `names` are those of
    /// all nodes. Returns the words for them, in order.
    pub(crate) fn expand(
        &self,
        graph: &mut Graph,
        node: NodeId,
        shapes: &[Shape],
        names: &mut BTreeSet<String>,
    ) -> Vec<&'static str> {
        let operands: Vec<_> = graph.operands(node).into_iter().zip(shapes).collect();
        let operands: Vec<_> = operands.iter().map(|&(node, &shape)| Value { node, shape }).collect();
        let mut to = Expansion {
            graph,
            node,
            names,
            words: Vec::new(),
        };
        let (last, last_operands) = self.0.expand(&operands, &mut to);
        let mut words = to.words;
        words.push(last.name());
        graph[node].op = last;
        let ids: Vec<_> = last_operands.iter().map(|value| value.node).collect();
        graph.set_operands(node, &ids);
        words
    }
}

/// Operators of the core that expansions are made of.
macro_rules! core {
    ($($operator:ident),*) => {$(
        impl From<super::$operator> for Op {
            fn from(op: super::$operator) -> Op {
                Op::$operator(op)
            }
        }
    )*};
}

core!(
    Activation, Combine, Constant, Identity, Reduce, Reshape, Resize, Slice, Tile, Transpose
);

impl From<CombineKind> for Op {
    fn from(kind: CombineKind) -> Op {
        Op::Combine(Combine { kind, activation: None })
    }
}

impl<T: Composed + 'static> From<T> for Op {
    fn from(op: T) -> Op {
        Op::Composite(Composite(Box::new(op)))
    }
}

impl Clone for Composite {
    fn clone(&self) -> Self {
        Composite(self.0.boxed())
    }
}

impl fmt::Debug for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Composite {
    /// The same word with the same keys reads as the same operator.
    fn eq(&self, other: &Self) -> bool {
        let keys = |composite: &Composite| super::keys(composite.0.boxed().as_mut());
        self.0.name() == other.0.name() && keys(self) == keys(other)
    }
}

/// An operand, or what an expansion made so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    node: NodeId,
    /// Its shape.
    pub(crate) shape: Shape,
}

/// The simpler operators that an operator is becoming.
pub(crate) struct Expansion<'a> {
    graph: &'a mut Graph,
    node: NodeId,
    names: &'a mut BTreeSet<String>,
    words: Vec<&'static str>,
}

impl Expansion<'_> {
    /// Adds the weight `role` of the whole, which is stored as `stored`, in another shape of as many elements.
    pub(crate) fn weight(&mut self, role: &'static str, shape: Shape, stored: &[usize]) -> Value {
        let constant = Constant {
            shape,
            role,
            stored: stored.to_vec(),
        };
        let value = self.add(role, constant, &[]);
        self.graph[value.node].weights = self.graph[self.node].weights.clone();
        value
    }

    /// Adds an operator; `part` says what its result is, and becomes part of its name.
    ///
    /// # Panics
    /// If the operator cannot take these operands: a mistake of the expansion, since the whole was validated.
    pub(crate) fn add(&mut self, part: &str, op: impl Into<Op>, operands: &[Value]) -> Value {
        let op = op.into();
        let shapes: Vec<_> = operands.iter().map(|value| value.shape).collect();
        let shape = op
            .shape(&shapes)
            .expect("an expansion is of operators that fit each other");
        let ids: Vec<_> = operands.iter().map(|value| value.node).collect();
        let whole = &self.graph[self.node];
        let mut name = format!("{}.{part}", whole.name);
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        let node = Node {
            weights: name.clone(),
            name,
            op: op.clone(),
            place: whole.place.clone(),
        };
        let node = self.graph.add(node, &ids);
        if let Op::Composite(composite) = op {
            self.words
                .extend(composite.expand(self.graph, node, &shapes, self.names));
        } else {
            self.words.push(op.name());
        }
        Value { node, shape }
    }
}
