//! What is to be explained, and its explanation: the pipeline asked for everything, in order.

use std::time::Duration;

use cnn_codegen::jit::Listed;
use cnn_codegen::plan::Plan;
use cnn_ir::ast::ValueKind;
use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::WeightDecl;
use cnn_ir::validate::{Shapes, validate};
use cnn_runtime::weights::WeightSource;

use crate::ExplainError;
use crate::arithmetic::{Arithmetic, Integers};
use crate::course;
use crate::data::{Compiler, Cost, Data, Layer, Output, Source, Tensor};
use crate::excerpt::{Cells, needs, rows, states};
use crate::layers::{self, LineStarts};
use crate::planned;
use crate::steps;
use crate::store::{Explained, PictureLimit, Region, Store, Stored};
use crate::values::{self, Computed};

pub use crate::data::Origin;

/// Numbers of at most so many bytes are kept whole.
const WHOLE: u64 = 4 << 20;
/// Values of at most so many elements are kept whole in any case.
const SMALL: usize = 2048;
/// What is kept of the numbers of larger networks: the first that comes to at most [`BUDGET`] bytes, else the last.
const LEVELS: [(Cells, PictureLimit); 4] = [
    (Cells { channels: 12, side: 4 }, PictureLimit { channels: 32, side: 56 }),
    (Cells { channels: 8, side: 3 }, PictureLimit { channels: 32, side: 32 }),
    (Cells { channels: 4, side: 2 }, PictureLimit { channels: 24, side: 28 }),
    (Cells { channels: 2, side: 1 }, PictureLimit { channels: 16, side: 24 }),
];
const BUDGET: usize = 6_500_000;

/// A network to be explained, with all that its explanation needs from outside.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The network as declared.
    pub graph: &'a Graph,
    /// Its shapes.
    pub shapes: &'a Shapes,
    /// Its text.
    pub text: &'a str,
    /// What messages call the text.
    pub text_name: String,
    /// What it is, in a line; may be empty.
    pub about: String,
    /// The classes' names; may be empty.
    pub labels: Vec<String>,
    /// One image for each input, in the layout that the network declares.
    pub inputs: Vec<&'a [f32]>,
    /// Where the inputs come from.
    pub input_origin: Origin,
    /// Where the weights come from.
    pub weight_origin: Origin,
    /// How it is compiled; `None` where nothing compiles it.
    pub compiled: Option<Compiled<'a>>,
    /// Another network to hold it against.
    pub beside: Option<(&'a Graph, &'a Shapes)>,
    /// Networks whose tables the course shows; `None` leaves the course out.
    pub famous: Option<Vec<(&'a Graph, &'a Shapes)>>,
    /// Bytes that all values may take; `None` for what the system has.
    pub max_memory: Option<u64>,
}

/// A network, compiled.
#[derive(Debug)]
pub struct Compiled<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The code as text.
    pub listing: &'a [Listed],
    /// The machine it was measured on.
    pub machine: Machine,
}

/// A machine and what a network took on it.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// What it is, in words.
    pub target: String,
    /// How long each step of the plan took; empty if nobody measured.
    pub times: Vec<Duration>,
    /// Floating-point operations a second and bytes a second that it can do at most.
    pub roofs: Option<[f64; 2]>,
}

/// Asks the pipeline for everything the page shows.
///
/// # Errors
/// [`ExplainError`]: missing weights, too little memory, or a fault of the compiler.
pub fn explain(subject: &Subject<'_>, weights: &dyn WeightSource) -> Result<Explained, ExplainError> {
    let (graph, shapes) = (subject.graph, subject.shapes);
    let order = graph
        .order()
        .map_err(|_| ExplainError::Internal("the layers form a cycle".into()))?;
    let values = values::values(graph, shapes, &order, weights, &subject.inputs, subject.max_memory)?;
    let costs = layers::costs(graph, shapes, &order);
    let arithmetic: Vec<_> = order
        .iter()
        .map(|&id| {
            let operands: Vec<_> = graph
                .operands(id)
                .into_iter()
                .map(|operand| shapes.value(operand))
                .collect();
            Arithmetic::new(&graph[id].op, &operands, shapes.value(id))
        })
        .collect();
    let numbers = Numbers {
        graph,
        shapes,
        order: &order,
        costs: &costs,
        arithmetic: &arithmetic,
        values: &values,
        weights,
    };
    let (kept, mut store, reduced) = numbers.keep()?;
    let compiler = subject
        .compiled
        .as_ref()
        .map(|compiled| compiler(compiled, graph, &order))
        .transpose()?;
    let (paths, lines) = (layers::paths(graph, &order), LineStarts::new(subject.text));
    let parts = order.iter().zip(costs).zip(arithmetic).zip(paths).zip(kept);
    let layers = parts.map(|((((&id, cost), arithmetic), path), kept)| {
        let node = &graph[id];
        let text = |kind: &ValueKind| kind.to_string();
        Layer {
            cost,
            word: node.op.name(),
            keys: node
                .op
                .keys()
                .iter()
                .map(|(key, kind)| ((*key).to_owned(), text(kind)))
                .collect(),
            path,
            lines: lines.lines(node.place.layer),
            arithmetic,
            integers: Integers::of(shapes.value(id)),
            weights: kept.weights,
            value: kept.value,
            memory: kept.memory,
        }
    });
    let position = |node: NodeId| order.iter().position(|&id| id == node).unwrap_or(0);
    let outputs = graph.outputs().iter().map(|output| Output {
        name: output.name.clone(),
        layer: position(output.node),
    });
    let beside = subject.beside.map(|(graph, shapes)| {
        let order = graph.order().unwrap_or_default();
        Box::new(layers::outline(graph, shapes, &order))
    });
    let famous = subject.famous.as_ref();
    let course = famous
        .map(|famous| course::course(famous, &mut store.bytes))
        .transpose()?;
    let data = Data {
        generator: concat!("cnn ", env!("CARGO_PKG_VERSION")).to_owned(),
        name: graph.name.clone(),
        about: subject.about.clone(),
        source: Source {
            name: subject.text_name.clone(),
            text: subject.text.to_owned(),
        },
        weights: subject.weight_origin.clone(),
        input: subject.input_origin.clone(),
        labels: subject.labels.clone(),
        layers: layers.collect(),
        outputs: outputs.collect(),
        totals: layers::totals(graph, shapes),
        reduced,
        compiler,
        beside,
        course,
    };
    Ok(Explained {
        data,
        numbers: store.bytes,
    })
}

fn compiler(compiled: &Compiled<'_>, graph: &Graph, order: &[NodeId]) -> Result<Compiler, ExplainError> {
    let (steps, optimised) = steps::steps(graph)?;
    let shapes = validate(&optimised).map_err(|faults| ExplainError::Internal(format!("{faults:?}")))?;
    Ok(Compiler {
        steps,
        fused: steps::fused(&optimised, &shapes, graph, order),
        planned: planned::planned(compiled.plan, compiled.listing, &compiled.machine)?,
    })
}

/// All numbers of a network, and what of them is kept.
struct Numbers<'a> {
    graph: &'a Graph,
    shapes: &'a Shapes,
    order: &'a [NodeId],
    costs: &'a [Cost],
    arithmetic: &'a [Arithmetic],
    values: &'a [Computed],
    weights: &'a dyn WeightSource,
}

/// What is kept of a layer.
struct Kept {
    value: Stored,
    memory: Option<Stored>,
    weights: Vec<Tensor>,
}

impl Numbers<'_> {
    /// What is kept of each layer, and whether that is not all.
    fn keep(&self) -> Result<(Vec<Kept>, Store, bool), ExplainError> {
        let tensors = self.order.iter().flat_map(|&id| self.tensors(id));
        let weights = tensors.map(|tensor| tensor.bytes());
        let values = self.order.iter().map(|&id| self.shapes.value(id).bytes());
        if weights.chain(values).fold(0, u64::saturating_add) <= WHOLE {
            let (kept, store) = self.at(None)?;
            return Ok((kept, store, false));
        }
        let mut last = None;
        for level in LEVELS {
            let (kept, store) = self.at(Some(level))?;
            let fits = store.bytes.len() <= BUDGET;
            last = Some((kept, store, true));
            if fits {
                break;
            }
        }
        last.ok_or_else(|| ExplainError::Internal("no level".into()))
    }

    fn tensors(&self, id: NodeId) -> Vec<WeightDecl> {
        let node = &self.graph[id];
        node.op.weights(&node.weights, &self.shapes.operands(self.graph, id))
    }

    /// Everything, or what a level keeps of it.
    fn at(&self, level: Option<(Cells, PictureLimit)>) -> Result<(Vec<Kept>, Store), ExplainError> {
        let mut store = Store::default();
        let regions = level.map(|(cells, _)| self.regions(cells));
        let mut kept = Vec::with_capacity(self.order.len());
        for (index, &id) in self.order.iter().enumerate() {
            let (extent, Computed { result, memory }) = (self.shapes[id].extent(), &self.values[index]);
            let mut numbers = |elements: &[f32], pictures: bool| match (&regions, level) {
                (Some(regions), Some((_, limit))) if elements.len() > SMALL => {
                    let mut value = store.parts(extent, elements, &regions[index]);
                    let picture = pictures && extent[1] * extent[2] > 1;
                    value.picture = picture.then(|| store.picture(extent, elements, limit));
                    value
                }
                _ => store.whole(extent, elements),
            };
            let value = numbers(result, true);
            let memory = memory.as_ref().map(|memory| numbers(memory, false));
            let mut weights = Vec::new();
            for tensor in self.tensors(id) {
                weights.push(self.tensor(&tensor, index, level, &mut store)?);
            }
            kept.push(Kept { value, memory, weights });
        }
        Ok((kept, store))
    }

    /// The boxes of each value that its own cells and those of the layers after it need.
    fn regions(&self, cells: Cells) -> Vec<Vec<Region>> {
        let mut regions: Vec<Vec<Region>> = vec![Vec::new(); self.order.len()];
        let extent = |index: usize| self.shapes[self.order[index]].extent();
        let mut add = |index: usize, region: Region| {
            let all: &mut Vec<Region> = &mut regions[index];
            if !all.iter().any(|one| one.covers(&region)) {
                all.retain(|one| !region.covers(one));
                all.push(region);
            }
        };
        for (index, cost) in self.costs.iter().enumerate() {
            let operands: Vec<_> = cost.operands.iter().map(|&operand| extent(operand)).collect();
            for cell in cells.of(extent(index)) {
                add(index, cell);
                if matches!(self.arithmetic[index], Arithmetic::Recurrent { .. })
                    && let Some(states) = states(cell, extent(index))
                {
                    add(index, states);
                }
                let needed = needs(&self.arithmetic[index], cell, extent(index), &operands);
                for (&operand, region) in cost.operands.iter().zip(needed) {
                    region.into_iter().for_each(|region| add(operand, region));
                }
            }
        }
        regions
    }

    /// A layer's tensor: all of it, or the rows of the cells that are kept.
    fn tensor(
        &self,
        tensor: &WeightDecl,
        layer: usize,
        level: Option<(Cells, PictureLimit)>,
        store: &mut Store,
    ) -> Result<Tensor, ExplainError> {
        let shape = &tensor.shape;
        let extent = [
            shape.first().copied().unwrap_or(1),
            shape.get(1).copied().unwrap_or(1),
            shape.iter().skip(2).product(),
        ];
        let elements = self.weights.tensor(&tensor.name, shape)?;
        let value = match level {
            Some((cells, _)) if elements.len() > SMALL => {
                let result = self.shapes[self.order[layer]].extent();
                let rows = rows(&self.arithmetic[layer], tensor.role(), extent, cells, result);
                store.parts(extent, &elements, &rows)
            }
            _ => store.whole(extent, &elements),
        };
        Ok(Tensor {
            role: tensor.role().to_owned(),
            name: tensor.name.clone(),
            shape: shape.clone(),
            value,
        })
    }
}
