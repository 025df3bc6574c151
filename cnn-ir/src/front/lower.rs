//! Flat declaration → graph: names become edges, keys become operators.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Key, LayerDecl, ValueKind};
use crate::diag::Diagnostic;
use crate::graph::{Graph, Node, NodeId, Place};
use crate::op::{Arity, Dialect, Identity, Input, InputLayout, Op};
use crate::shape::Shape;
use crate::span::{Span, Spanned};

use super::{Flat, FlatLayer, Report, input, names};

/// Cycles that are reported at most.
const MAX_CYCLES: usize = 10;
/// Words that are compared at most to say what unknown names might mean.
const MAX_COMPARED: usize = 1_000_000;

/// A graph and what of it is not known.
pub(super) struct Lowered {
    pub(super) graph: Graph,
    /// Nodes that stand for layers or inputs which could not be read, or whose operands are not known.
    pub(super) unknown: BTreeSet<NodeId>,
}

/// Builds the graph. If there are errors in the report afterwards, the graph is not what was declared.
///
/// `complete` says that no part of the declaration is missing: only then a name can be said to be unknown.
pub(crate) fn lower(flat: &Flat, dialect: Dialect, complete: bool, report: &mut Report) -> Graph {
    lower_what_is_known(flat, dialect, complete, report).graph
}

/// As [`lower`], with the nodes about which nothing can be said.
pub(super) fn lower_what_is_known(flat: &Flat, dialect: Dialect, complete: bool, report: &mut Report) -> Lowered {
    let mut graph = Graph::new(flat.name.as_ref().map_or("", |name| &name.value));
    if complete {
        check_not_empty(flat, report);
    }
    let mut declared = Vec::new();
    let mut unknown = BTreeSet::new();
    for input in &flat.inputs {
        let place = Place {
            layer: input.name.span,
            op: input.name.span,
            keys: places(&input.keys),
            ..Place::default()
        };
        let read = input::read(input, report);
        let node = Node {
            name: input.name.value.clone(),
            op: Op::Input(read.unwrap_or(Input {
                shape: Shape::Flat(1),
                layout: InputLayout::Chw,
            })),
            weights: input.name.value.clone(),
            place,
        };
        let id = graph.add(node, &[]);
        if read.is_none() {
            unknown.insert(id);
        }
        declared.push((&input.name, id));
    }
    for layer in &flat.layers {
        let op = operator(layer, dialect, report);
        let is_unknown = op.is_none();
        let op = op.unwrap_or(Op::Identity(Identity));
        let id = graph.add(node(layer, op, report), &[]);
        if is_unknown {
            unknown.insert(id);
        }
        declared.push((&layer.layer.name, id));
    }
    // Without inputs nobody knows which names were to be theirs.
    let complete = complete && !flat.inputs.is_empty();
    let mut names = Names::new(flat, &declared, complete, report);
    for (i, layer) in flat.layers.iter().enumerate() {
        let (_, id) = declared[flat.inputs.len() + i];
        let operands: Vec<_> = match &layer.layer.from {
            _ if layer.from.is_none() && graph[id].op.arity() == Arity::Exactly(0) => Vec::new(),
            Some(from) => {
                let found = from
                    .iter()
                    .filter_map(|name| names.find(name, "layer or input", report));
                let found: Vec<_> = found.collect();
                if found.len() < from.len() || from.iter().any(|name| names.is_ambiguous(name)) {
                    unknown.insert(id);
                }
                found
            }
            // The layer above; the first input for the first layer.
            None if i > 0 => vec![declared[flat.inputs.len() + i - 1].1],
            None => graph.inputs().first().copied().into_iter().collect(),
        };
        if operands.is_empty() && flat.inputs.is_empty() && !graph[id].op.arity().accepts(0) {
            unknown.insert(id);
        }
        graph.set_operands(id, &operands);
    }
    let mut seen = BTreeMap::new();
    for output in &flat.outputs {
        if let Some(first) = seen.insert(&output.name.value, output.name.span) {
            report.add(names::duplicate(&output.name, first));
        } else if let Some(id) = names.find(&output.of, "layer or input", report) {
            graph.add_output(&output.name.value, id);
        }
    }
    report_cycles(&graph, &declared, report);
    if !report.has_errors() {
        warn_of_unused(&graph, &declared, report);
    }
    Lowered { graph, unknown }
}

fn check_not_empty(flat: &Flat, report: &mut Report) {
    let first = flat.layers.first();
    if flat.inputs.is_empty() {
        let place = first.map_or(Span::NONE, |first| first.layer.name.span);
        report.add(
            Diagnostic::error(place, "the network has no input")
                .label("the first layer has nothing to work on")
                .note(
                    "declare one: `image = [3, 224, 224]` under `[inputs]`, in the macro `input image: [3, 224, 224];`",
                ),
        );
    }
    if first.is_none() {
        let place = flat.inputs.first().map_or(Span::NONE, |input| input.name.span);
        report.add(Diagnostic::error(place, "the network has no layer"));
    } else if flat.outputs.is_empty() {
        report.add(Diagnostic::error(Span::NONE, "the network has no output"));
    }
}

/// What a layer computes; `None` if that cannot be read.
fn operator(flat: &FlatLayer, dialect: Dialect, report: &mut Report) -> Option<Op> {
    let layer = &flat.layer;
    if layer.op.value.is_empty() {
        // Whoever made it so has said why.
        if !report.has_errors() {
            report.add(Diagnostic::error(layer.name.span, "this layer has no `op`"));
        }
        return None;
    }
    let keys = layer.keys.iter().filter(|key| key.name.value != "weights");
    let keys: Vec<Key> = keys.cloned().collect();
    let read = Op::read(&layer.op, &keys, dialect);
    read.map_err(|errors| add(errors, layer, report)).ok()
}

/// The node of a layer, without its operands.
fn node(flat: &FlatLayer, op: Op, report: &mut Report) -> Node {
    let layer = &flat.layer;
    let weights: Vec<_> = layer.keys.iter().filter(|key| key.name.value == "weights").collect();
    let mut prefix = layer.name.value.clone();
    let mut errors = Vec::new();
    if let Some(key) = weights.first() {
        match &key.value.kind {
            ValueKind::Text(text) if !text.is_empty() => prefix.clone_from(text),
            _ => errors.push(Diagnostic::error(
                key.value.span,
                "`weights` must be a prefix of tensor names",
            )),
        }
    }
    if let Some(again) = weights.get(1) {
        errors.push(names::duplicate(&again.name, weights[0].name.span));
    }
    add(errors, layer, report);
    Node {
        name: layer.name.value.clone(),
        op,
        weights: prefix,
        place: Place {
            layer: layer.span,
            op: layer.op.span,
            from: flat.from,
            keys: places(&layer.keys),
            instances: layer.instances.clone(),
        },
    }
}

/// Reports errors of a layer, with the block instances that it came from.
fn add(errors: Vec<Diagnostic>, layer: &LayerDecl, report: &mut Report) {
    for error in errors {
        let places = layer.instances.iter();
        report.add(places.fold(error, |error, place| error.also(*place, "in this block instance")));
    }
}

fn places(keys: &[Key]) -> BTreeMap<String, Span> {
    keys.iter()
        .map(|key| (key.name.value.clone(), key.value.span))
        .collect()
}

/// Everything that `from` and `outputs` can name.
struct Names<'a> {
    known: BTreeMap<&'a str, NodeId>,
    /// Names given twice.
    ambiguous: BTreeSet<&'a str>,
    /// Instances that were not expanded: their inner layers are unknown for no fault of the one who names them.
    closed: BTreeSet<&'a str>,
    complete: bool,
    compared: usize,
}

impl<'a> Names<'a> {
    fn new(flat: &'a Flat, declared: &[(&'a Spanned<String>, NodeId)], complete: bool, report: &mut Report) -> Self {
        let mut known = BTreeMap::new();
        let mut ambiguous = BTreeSet::new();
        let mut places: BTreeMap<&str, Span> = BTreeMap::new();
        let mut add = |name: &'a Spanned<String>, id| match places.get(name.value.as_str()) {
            Some(first) => {
                ambiguous.insert(name.value.as_str());
                report.add(names::duplicate(name, *first));
            }
            None => {
                places.insert(&name.value, name.span);
                known.insert(name.value.as_str(), id);
            }
        };
        declared.iter().for_each(|(name, id)| add(name, *id));
        let nodes: BTreeMap<&str, NodeId> = declared.iter().map(|(name, id)| (name.value.as_str(), *id)).collect();
        for (alias, layer) in &flat.aliases {
            if let Some(id) = nodes.get(layer.as_str()) {
                add(alias, *id);
            }
        }
        let closed = flat.layers.iter().filter(|flat| flat.layer.op.value.is_empty());
        Names {
            known,
            ambiguous,
            closed: closed.map(|flat| flat.layer.name.value.as_str()).collect(),
            complete,
            compared: 0,
        }
    }

    fn is_ambiguous(&self, name: &Spanned<String>) -> bool {
        self.ambiguous.contains(name.value.as_str())
    }

    fn find(&mut self, name: &Spanned<String>, what: &str, report: &mut Report) -> Option<NodeId> {
        let found = self.known.get(name.value.as_str()).copied();
        let mut dots = name.value.match_indices('.');
        if found.is_none() && self.complete && !dots.any(|(dot, _)| self.closed.contains(&name.value[..dot])) {
            self.compared += self.known.len();
            report.add(match self.compared {
                0..MAX_COMPARED => names::unknown(name, what, self.known.keys().copied()),
                _ => Diagnostic::error(name.span, format!("unknown {what} `{}`", name.value)),
            });
        }
        found
    }
}

fn report_cycles(graph: &Graph, declared: &[(&Spanned<String>, NodeId)], report: &mut Report) {
    let names: BTreeMap<NodeId, Span> = declared.iter().map(|(name, id)| (*id, name.span)).collect();
    let mut open = graph.clone();
    for _ in 0..MAX_CYCLES {
        let cycle = open.cycle();
        let Some(&first) = cycle.iter().min() else { return };
        let start = cycle.iter().position(|id| *id == first).unwrap_or(0);
        let path: Vec<_> = cycle
            .iter()
            .cycle()
            .skip(start)
            .take(cycle.len() + 1)
            .copied()
            .collect();
        let named: Vec<_> = path.iter().map(|id| format!("`{}`", graph[*id].name)).collect();
        let text = match named.as_slice() {
            [name, _] => format!("the layer {name} works on its own result: a cycle"),
            long if long.len() > 12 => {
                format!(
                    "layers work on each other's results in a cycle of {}: {} → …",
                    cycle.len(),
                    long[..8].join(" → ")
                )
            }
            all => format!("layers work on each other's results in a cycle: {}", all.join(" → ")),
        };
        let mut error = Diagnostic::error(graph[first].place.key("from"), text);
        for id in path[1..path.len() - 1].iter().take(6) {
            error = error.also(names.get(id).copied().unwrap_or_default(), "part of the cycle");
        }
        report.add(error);
        open.set_operands(first, &[]);
    }
}

/// Warns of layers whose result no output needs, at the end of each chain of them.
fn warn_of_unused(graph: &Graph, declared: &[(&Spanned<String>, NodeId)], report: &mut Report) {
    let mut needed: BTreeSet<NodeId> = BTreeSet::new();
    let mut open: Vec<NodeId> = graph.outputs().iter().map(|output| output.node).collect();
    while let Some(id) = open.pop() {
        if needed.insert(id) {
            open.extend(graph.operands(id));
        }
    }
    for (name, id) in declared
        .iter()
        .filter(|(_, id)| !needed.contains(id) && graph.users(*id).is_empty())
    {
        let what = if matches!(graph[*id].op, Op::Input(_)) {
            "input"
        } else {
            "layer"
        };
        report.add(
            Diagnostic::warning(name.span, format!("no output needs the {what} `{}`", name.value))
                .note("name it in `outputs` or in a layer's `from`, or leave it out"),
        );
    }
}
