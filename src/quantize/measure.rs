//! How far layers of integers are from those of floats, on the calibration data.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use cnn_codegen::compile::{self, Executable};
use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::{Dequantize, Op, Quantize};
use cnn_ir::validate::{Shapes, validate};
use cnn_runtime::weights::{WeightError, WeightSource};
use ndarray::ArrayD;

use super::Calibration;
use super::choose::{Choice, Kind, kind};
use super::filters::Filters;
use super::prepare::{Names, Prepared};
use super::rewrite::{New, add, insert_integers, of_integers};
use super::tensors::{Data, Tensors};
use crate::accuracy::{results, with_all_results};
use crate::{Error, Options, Weights};

/// A graph compiled so that it gives the results that are wanted, each an output.
struct Compiled {
    code: Executable,
    graph: Graph,
    shapes: Shapes,
    batch: usize,
}

impl Compiled {
    fn new(graph: Graph, source: &dyn WeightSource, options: &Options) -> Result<Compiled, Error> {
        let options = Options {
            // Layers whose results somebody else wants would stay as they are; here all are somebody's.
            optimise: false,
            ..options.clone()
        };
        let (code, _) = compile::compile(&graph, source, &options)?;
        let shapes = validate(&graph).map_err(|_| Error::Internal("quantising: an invalid graph".into()))?;
        Ok(Compiled {
            code,
            graph,
            shapes,
            batch: options.batch,
        })
    }

    /// The outputs' elements for so many images.
    fn run(&self, arrays: &[ArrayD<f32>], images: usize) -> Result<Vec<Vec<f32>>, Error> {
        let inputs: Vec<&[f32]> = arrays.iter().filter_map(|array| array.as_slice()).collect();
        let mut results = results(&self.code, &self.graph, &self.shapes, &inputs, self.batch)?;
        for (output, result) in self.graph.outputs().iter().zip(&mut results) {
            result.truncate(images * self.shapes[output.node].elements());
        }
        Ok(results)
    }
}

/// The network of floats, with the results of all its layers.
pub(super) struct Floats {
    compiled: Compiled,
    nodes: Vec<NodeId>,
}

impl Floats {
    pub(super) fn compile(prepared: &Prepared, weights: &Weights, options: &Options) -> Result<Floats, Error> {
        let all = with_all_results(&prepared.graph)?;
        let nodes = all.outputs().iter().map(|output| output.node).collect();
        Ok(Floats {
            compiled: Compiled::new(all, weights.source(), options)?,
            nodes,
        })
    }

    /// Every value's elements, those of inputs too.
    pub(super) fn values(&self, arrays: &[ArrayD<f32>], images: usize) -> Result<Vec<(NodeId, Vec<f32>)>, Error> {
        let inputs = self.compiled.graph.inputs().iter().zip(arrays);
        let inputs = inputs.map(|(&id, array)| {
            let elements = images * self.compiled.shapes[id].elements();
            (id, array.iter().take(elements).copied().collect())
        });
        let results = self.compiled.run(arrays, images)?;
        Ok(inputs.chain(self.nodes.iter().copied().zip(results)).collect())
    }
}

/// Sums of squares of a signal and of what differs from it.
#[derive(Clone, Copy, Debug, Default)]
struct Noise {
    signal: f64,
    noise: f64,
}

impl Noise {
    fn add(&mut self, floats: &[f32], integers: &[f32]) {
        for (&signal, &other) in floats.iter().zip(integers) {
            self.signal += f64::from(signal) * f64::from(signal);
            let noise = f64::from(signal) - f64::from(other);
            self.noise += noise * noise;
        }
    }

    /// The root mean square of the noise as a share of the signal's.
    fn share(self) -> f64 {
        match self.noise == 0.0 {
            true => 0.0,
            false => (self.noise / self.signal).sqrt(),
        }
    }
}

/// What each layer that computes with integers loses by itself: beside the network of floats stands each of these layers, with
/// the rounded operands of floats.
pub(super) fn alone(
    prepared: &Prepared,
    choice: &Choice,
    weights: &Weights,
    options: &Options,
    data: &Calibration<'_>,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<HashMap<NodeId, f64>, Error> {
    let mut graph = prepared.graph.clone();
    let mut names = Names::new(&graph);
    graph.clear_outputs();
    let mut own: BTreeMap<String, (Vec<usize>, Data)> = BTreeMap::new();
    let mut rounded: HashMap<NodeId, NodeId> = HashMap::new();
    let mut layers = Vec::new();
    for &id in &prepared.order {
        if !choice.is_integers(id) || !matches!(kind(prepared, id), Ok(Kind::Computes)) {
            continue;
        }
        let node = &prepared.graph[id];
        let operands = prepared.graph.operands(id);
        let integers: Vec<NodeId> = operands
            .iter()
            .map(|&operand| {
                *rounded.entry(operand).or_insert_with(|| {
                    let to = choice.to[operand.index()];
                    let name = names.fresh(&prepared.graph[operand].name, "rounded");
                    add(&mut graph, name, Op::Quantize(Quantize { to }), None, &[operand])
                })
            })
            .collect();
        let prefix = format!("{OWN}{}", node.name);
        if let Some(filters) = Filters::load(prepared, id, weights)? {
            insert_integers(&filters, choice.to[operands[0].index()], &node.name, &mut own);
        }
        let op = of_integers(&node.op, choice.to[id.index()]);
        let layer = add(
            &mut graph,
            names.fresh(&node.name, "alone"),
            op,
            Some(prefix),
            &integers,
        );
        let name = names.fresh(&node.name, "back");
        let back = add(&mut graph, name.clone(), Op::Dequantize(Dequantize), None, &[layer]);
        graph.add_output(node.name.clone(), id);
        graph.add_output(name, back);
        layers.push(id);
    }
    if layers.is_empty() {
        return Ok(HashMap::new());
    }
    let both = Both {
        own: own.into(),
        others: weights,
    };
    let compiled = Compiled::new(graph, &both, options)?;
    let mut noise = vec![Noise::default(); layers.len()];
    for run in 0..data.runs {
        progress("errors of layers", run, data.runs);
        let (arrays, images) = (data.arrays)(run)?;
        let results = compiled.run(&arrays, images)?;
        for (noise, pair) in noise.iter_mut().zip(results.chunks_exact(2)) {
            noise.add(&pair[0], &pair[1]);
        }
    }
    Ok(layers.into_iter().zip(noise.into_iter().map(Noise::share)).collect())
}

/// What each layer of the new network loses, with all before it.
pub(super) fn in_network(
    prepared: &Prepared,
    floats: &Floats,
    new: &New,
    options: &Options,
    data: &Calibration<'_>,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<Vec<(NodeId, f64)>, Error> {
    let mut graph = new.graph.clone();
    let shapes = validate(&graph).map_err(|_| Error::Internal("quantising: an invalid graph".into()))?;
    let mut names = Names::new(&graph);
    graph.clear_outputs();
    let mut layers = Vec::new();
    for &(id, layer) in &new.layers {
        if matches!(prepared.graph[id].op, Op::Input(_)) {
            continue;
        }
        let name = prepared.graph[id].name.clone();
        let result = match shapes.value(layer).element.quantisation() {
            None => layer,
            Some(_) => {
                let part = names.fresh(&name, "back");
                add(&mut graph, part, Op::Dequantize(Dequantize), None, &[layer])
            }
        };
        graph.add_output(name, result);
        layers.push(id);
    }
    let compiled = Compiled::new(graph, &new.tensors, options)?;
    let mut noise = vec![Noise::default(); layers.len()];
    for run in 0..data.runs {
        progress("errors of the network", run, data.runs);
        let (arrays, images) = (data.arrays)(run)?;
        let expected: HashMap<NodeId, Vec<f32>> = floats.values(&arrays, images)?.into_iter().collect();
        let found = compiled.run(&arrays, images)?;
        for ((id, noise), found) in layers.iter().zip(&mut noise).zip(&found) {
            if let Some(expected) = expected.get(id) {
                noise.add(expected, found);
            }
        }
    }
    Ok(layers.into_iter().zip(noise.into_iter().map(Noise::share)).collect())
}

/// What stands before the names of tensors of integers. No file has it, and no model.
const OWN: &str = "\u{0}";

/// Tensors of integers, and all others.
struct Both<'a> {
    own: Tensors,
    others: &'a Weights,
}

impl WeightSource for Both<'_> {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        match name.strip_prefix(OWN) {
            Some(name) => self.own.slice(name, shape, range),
            None => self.others.slice(name, shape, range),
        }
    }

    fn names(&self) -> Vec<String> {
        self.others.names()
    }

    fn describe(&self) -> String {
        self.others.describe()
    }
}
