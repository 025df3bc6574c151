//! What each pass changed, as a difference of the graph's text before and after; which declared layers became which.

use std::collections::{HashMap, HashSet};

use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::passes::{self, InvalidGraph, Note, PASSES};
use cnn_ir::text;
use cnn_ir::validate::{Shapes, validate};
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Lines around a change that did not change.
const CONTEXT: usize = 1;

/// What a pass did.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The pass's name.
    pub pass: &'static str,
    /// What a student should know about it.
    pub lesson: &'static str,
    /// What it did and refused.
    pub notes: Vec<PassNote>,
    /// Groups of changed lines with what stands around them.
    pub hunks: Vec<Vec<Line>>,
    /// Layers before and after it.
    pub layers: [usize; 2],
}

/// One thing that a pass did or refused.
#[derive(Clone, Debug, Serialize)]
pub struct PassNote {
    /// The layer.
    pub layer: String,
    /// What was done, or the reason why not.
    pub text: String,
    /// Whether it was refused.
    pub refused: bool,
}

/// A line of a difference.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// `+`, `-` or a space.
    pub sign: char,
    /// The line.
    pub text: String,
}

/// A layer of the graph after all passes.
#[derive(Clone, Debug, Serialize)]
pub struct FusedNode {
    /// Its name: that of the last declared layer it computes.
    pub name: String,
    /// It as text.
    pub text: String,
    /// The word of its operator.
    pub op: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The positions of its operands.
    pub operands: Vec<usize>,
    /// The positions of the declared layers it computes.
    pub covers: Vec<usize>,
}

/// Runs all passes and says what each changed. The second is the graph after them.
///
/// # Errors
/// [`InvalidGraph`]: a mistake of a pass.
pub fn steps(graph: &Graph) -> Result<(Vec<Step>, Graph), InvalidGraph> {
    let mut optimised = graph.clone();
    let shapes = validate(graph).map_err(|diagnostics| InvalidGraph {
        after: None,
        diagnostics,
    })?;
    let mut before = (text::print(graph, Some(&shapes)), graph.len());
    let mut steps = Vec::new();
    passes::optimise_with(&mut optimised, PASSES, |report, graph, shapes| {
        let after = (text::print(graph, Some(shapes)), graph.len());
        let lesson = PASSES.iter().find(|pass| pass.name() == report.pass);
        steps.push(Step {
            pass: report.pass,
            lesson: lesson.map_or("", |pass| pass.lesson()),
            notes: report.notes.iter().map(PassNote::new).collect(),
            hunks: hunks(&before.0, &after.0),
            layers: [before.1, after.1],
        });
        before = after;
    })?;
    Ok((steps, optimised))
}

impl PassNote {
    fn new(note: &Note) -> PassNote {
        let (layer, text, refused) = match note {
            Note::Applied { node, what } => (node, what, false),
            Note::Refused { node, why } => (node, why, true),
        };
        PassNote {
            layer: layer.clone(),
            text: text.clone(),
            refused,
        }
    }
}

fn hunks(before: &str, after: &str) -> Vec<Vec<Line>> {
    let diff = TextDiff::from_lines(before, after);
    let line = |change: similar::Change<&str>| Line {
        sign: match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        },
        text: change.value().trim_end().to_owned(),
    };
    let groups = diff.grouped_ops(CONTEXT).into_iter();
    let hunk = |group: Vec<similar::DiffOp>| group.iter().flat_map(|op| diff.iter_changes(op)).map(line).collect();
    groups.map(hunk).collect()
}

/// The layers of the graph after the passes. `declared` are the layers before, in the order of their positions.
pub(crate) fn fused(graph: &Graph, shapes: &Shapes, before: &Graph, declared: &[NodeId]) -> Vec<FusedNode> {
    let order = graph.order().unwrap_or_default();
    let positions: HashMap<NodeId, usize> = order.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    let remaining: HashSet<&str> = order.iter().map(|&id| graph[id].name.as_str()).collect();
    let by_id: HashMap<NodeId, usize> = declared.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    let by_name: HashMap<&str, NodeId> = declared.iter().map(|&id| (before[id].name.as_str(), id)).collect();
    let text = text::print(graph, Some(shapes));
    let definitions = text.lines().map(str::trim);
    let definitions = definitions.filter_map(|line| Some((line.strip_prefix('%')?.split_once(" = ")?.0, line)));
    let definitions: HashMap<&str, &str> = definitions.collect();
    // A fused layer bears the name of the last one it computes; it computes what leads there from other layers that remain.
    let covers = |name: &str| {
        let mut covers = Vec::new();
        let mut waiting: Vec<NodeId> = by_name.get(name).copied().into_iter().collect();
        while let Some(id) = waiting.pop() {
            if covers.contains(&by_id[&id]) {
                continue;
            }
            covers.push(by_id[&id]);
            let operands = before.operands(id).into_iter();
            waiting.extend(operands.filter(|&operand| !remaining.contains(before[operand].name.as_str())));
        }
        covers.sort_unstable();
        covers
    };
    let node = |&id: &NodeId| {
        let name = &graph[id].name;
        FusedNode {
            name: name.clone(),
            text: definitions.get(name.as_str()).copied().unwrap_or_default().to_owned(),
            op: graph[id].op.name(),
            shape: shapes[id].dims(),
            operands: graph.operands(id).iter().map(|operand| positions[operand]).collect(),
            covers: covers(name),
        }
    };
    let mut nodes: Vec<FusedNode> = order.iter().map(node).collect();
    // An expansion's own layers, whose names nobody declared, compute part of what the layers after them stand for.
    for index in (0..nodes.len()).rev() {
        if nodes[index].covers.is_empty() {
            let user = nodes.iter().find(|node| node.operands.contains(&index));
            nodes[index].covers = user.map(|node| node.covers.clone()).unwrap_or_default();
        }
    }
    nodes
}
