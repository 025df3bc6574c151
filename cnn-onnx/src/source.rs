//! A file whose tensors and inputs are read: its nodes, one by one, become layers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cnn_ir::front::sizes::{FreePlace, FreeSize};
use cnn_ir::shape::Shape;
use cnn_ir::span::Span;
use cnn_runtime::weights::MappedFile;

use crate::attributes::Attributes;
use crate::budget::Budget;
use crate::error::{Place, Problem, quoted};
use crate::fold;
use crate::import::{Import, Read};
use crate::inputs::{Declared, Dim};
use crate::lower;
use crate::network::Network;
use crate::node::{Node, Outputs};
use crate::order;
use crate::port::{Batch, Port};
use crate::proto;
use crate::tensor::Tensor;
use crate::uses::Uses;
use crate::value::{Data, Known, Value, frame};
use crate::weights::OnnxWeights;

/// A model whose tensors and inputs are read.
pub(crate) struct Source<'a> {
    pub(crate) graph: &'a proto::Graph,
    pub(crate) opset: i64,
    pub(crate) constants: HashMap<&'a str, Tensor>,
    pub(crate) declared: Vec<Declared>,
    pub(crate) uses: Uses<'a>,
    pub(crate) files: Vec<Arc<MappedFile>>,
    pub(crate) origin: String,
    pub(crate) max_memory: Option<u64>,
}

impl Source<'_> {
    /// The batch that the inputs have in common, if they can have one.
    fn batch(&self) -> Option<Batch> {
        if self.declared.is_empty() || self.declared.iter().any(|input| input.dims.len() < 2) {
            return None;
        }
        let mut sizes = self.declared.iter().filter_map(Declared::batch);
        match sizes.next() {
            None => Some(Batch::Free),
            Some(size) => sizes.all(|other| other == size).then_some(Batch::Fixed(size)),
        }
    }

    /// The network, now that all sizes but the batch are known.
    pub(crate) fn of_known_size(
        &self,
        read: &Arc<Read>,
        free: &[(String, Vec<(usize, usize)>)],
    ) -> Result<Import, Vec<Problem>> {
        let import = |batch: Batch, declared: &[Declared]| self.import(batch, declared, read, free);
        match self.batch() {
            None => import(Batch::None, &self.declared),
            Some(batch) => import(batch, &self.declared).or_else(|problems| {
                // A fixed batch may be no batch at all; of a free one, a single image may do what several cannot: move
                // the axis, or join it with others. If that does not help, the first answer is the better one.
                import(Batch::None, &self.of_one_image()).map_err(|_| problems)
            }),
        }
    }

    /// The inputs with a batch of 1 where it is free.
    fn of_one_image(&self) -> Vec<Declared> {
        let mut declared = self.declared.clone();
        for input in &mut declared {
            if let Some(batch @ Dim::Free(_)) = input.dims.first_mut() {
                *batch = Dim::Size(1);
            }
        }
        declared
    }

    fn problem(&self, node: &proto::Node, message: String) -> Problem {
        let name = match node.name.is_empty() {
            true => node.output.first().cloned().unwrap_or_default(),
            false => node.name.clone(),
        };
        Problem {
            place: Place::Node {
                name,
                operator: node.op_type.clone(),
                opset: self.opset,
            },
            message,
        }
    }

    /// Which nodes have operators that are not known at all.
    pub(crate) fn operators(&self) -> Vec<Problem> {
        let unknown = |node: &proto::Node| {
            lower::find(&node.op_type, &node.domain)
                .err()
                .map(|message| self.problem(node, message))
        };
        self.graph.node.iter().filter_map(unknown).collect()
    }

    /// The whole way, with axis 0 taken as `batch` says.
    fn import(
        &self,
        batch: Batch,
        declared: &[Declared],
        read: &Arc<Read>,
        free: &[(String, Vec<(usize, usize)>)],
    ) -> Result<Import, Vec<Problem>> {
        let mut network = Network::new(batch != Batch::None, Budget::new(self.max_memory));
        let size = match batch {
            Batch::Fixed(size) => size,
            Batch::Free | Batch::None => 1,
        };
        let mut problems = Vec::new();
        let mut known: HashMap<&str, Known> = HashMap::new();
        for (name, tensor) in &self.constants {
            known.insert(name, Known::Constant(tensor.clone()));
        }
        let mut inputs = Vec::new();
        for input in declared {
            match self::input(&mut network, input) {
                Ok((value, port)) => {
                    known.insert(&input.name, Known::Value(value));
                    inputs.push(port);
                }
                Err(message) => {
                    known.insert(&input.name, Known::Lost);
                    problems.push(Problem {
                        place: Place::Value {
                            what: "input",
                            name: input.name.clone(),
                        },
                        message,
                    });
                }
            }
        }
        let (order, faults) = order::order(&self.graph.node, known.keys().copied());
        let fault = |(index, message): (usize, String)| self.problem(&self.graph.node[index], message);
        problems.extend(faults.into_iter().map(fault));
        for index in order {
            let message = &self.graph.node[index];
            let results = self.node(&mut network, &known, message, size);
            let results = results.unwrap_or_else(|told| {
                problems.extend(told.map(|told| self.problem(message, told)));
                vec![Known::Lost; message.output.len()]
            });
            for (name, result) in message.output.iter().zip(results) {
                known.insert(name, result);
            }
        }
        let outputs = self.outputs(&mut network, &known, size).unwrap_or_else(|told| {
            problems.extend(told);
            Vec::new()
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        let results: Vec<Data> = outputs.iter().map(|(_, data)| data.clone()).collect();
        let (net, tensors, renamed) = network.finish(&results);
        let outputs = outputs.into_iter().map(|(port, _)| Port {
            layer: renamed.get(&port.layer).cloned().unwrap_or(port.layer),
            ..port
        });
        Ok(Import {
            net,
            weights: OnnxWeights {
                tensors,
                files: self.files.clone(),
                origin: self.origin.clone(),
            },
            inputs,
            outputs: outputs.collect(),
            batch,
            free: free.iter().map(|free| in_arrays(free, declared, batch)).collect(),
            read: Arc::clone(read),
        })
    }

    /// What a node gives. An error without a message is one whose reason was told elsewhere.
    fn node(
        &self,
        network: &mut Network,
        known: &HashMap<&str, Known>,
        message: &proto::Node,
        batch: usize,
    ) -> Result<Vec<Known>, Option<String>> {
        lower::find(&message.op_type, &message.domain)?;
        let mut inputs = Vec::new();
        for name in &message.input {
            inputs.push(match known.get(&**name) {
                _ if name.is_empty() => None,
                Some(Known::Lost) => return Err(None),
                Some(known) => Some(known.clone()),
                None => return Err(Some(format!("its input {} is nowhere in the file", quoted(name)))),
            });
        }
        let mut node = Node {
            message,
            attributes: Attributes::new(message),
            opset: self.opset,
            inputs,
            batch,
            uses: &self.uses,
            network,
        };
        let constants = fold::fold(&mut node).or_else(|| fold::evaluated(&mut node));
        let results: Outputs = match constants {
            Some(tensors) => tensors.map(|tensors| tensors.into_iter().map(Known::Constant).collect()),
            None => lower::lower(&mut node),
        };
        let results = results?;
        if (results.len()..message.output.len()).any(|output| node.gives(output)) {
            return Err(Some(format!(
                "has {} outputs, of which {} are known",
                message.output.len(),
                results.len()
            )));
        }
        Ok(results)
    }

    /// The layers that are the model's outputs, each in its own form.
    fn outputs(
        &self,
        network: &mut Network,
        known: &HashMap<&str, Known>,
        batch: usize,
    ) -> Result<Vec<(Port, Data)>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut outputs: Vec<(Port, Data)> = Vec::new();
        let mut used: HashSet<String> = network
            .net
            .inputs
            .iter()
            .map(|input| input.name.value.clone())
            .collect();
        for output in &self.graph.output {
            let result = match known.get(&*output.name) {
                Some(Known::Lost) => continue,
                Some(known) => self.output(network, &output.name, known, batch, &used),
                None => Err("no node gives it".to_owned()),
            };
            match result {
                Ok((port, data)) => {
                    used.insert(data.layer.clone());
                    outputs.push((port, data));
                }
                Err(message) => problems.push(Problem {
                    place: Place::Value {
                        what: "output",
                        name: output.name.clone(),
                    },
                    message,
                }),
            }
        }
        if self.graph.output.is_empty() {
            problems.push(Problem {
                place: Place::Value {
                    what: "graph",
                    name: String::new(),
                },
                message: "has no outputs".to_owned(),
            });
        }
        match problems.is_empty() {
            true => Ok(outputs),
            false => Err(problems),
        }
    }

    fn output(
        &self,
        network: &mut Network,
        name: &str,
        known: &Known,
        batch: usize,
        used: &HashSet<String>,
    ) -> Result<(Port, Data), String> {
        // Layers that bring it into its form are called after it.
        let message = proto::Node {
            name: name.to_owned(),
            op_type: "Output".to_owned(),
            ..proto::Node::default()
        };
        let mut node = Node {
            message: &message,
            attributes: Attributes::new(&message),
            opset: self.opset,
            inputs: Vec::new(),
            batch,
            uses: &self.uses,
            network,
        };
        let value = match known {
            Known::Value(value) => value.clone(),
            Known::Constant(tensor) => {
                let dims = match (node.network.batched, &*tensor.dims) {
                    (true, [first, image @ ..]) if *first == batch && batch == 1 => image.to_vec(),
                    (true, dims) => return Err(format!("is a constant of dimensions {dims:?} without a batch")),
                    (false, dims) => dims.to_vec(),
                };
                let frame = frame(&dims).ok_or("is a constant with too many axes")?;
                let data = node.constant_layer(tensor, frame.shape)?;
                Value::plain(data, dims)
            }
            Known::Lost => return Err("is not known".to_owned()),
        };
        let standard = node.standard(&value)?;
        let mut data = match frame(&standard.dims) {
            Some(frame) => node.shaped(&standard.data, frame.shape)?,
            // Its elements are in order, however they are arranged.
            None => standard.data,
        };
        if used.contains(&data.layer) {
            data = node.layer("identity", Vec::new(), &[&data], Vec::new())?;
        }
        let port = Port {
            name: name.to_owned(),
            layer: data.layer.clone(),
            dims: value.dims,
        };
        Ok((port, data))
    }
}

/// A free size by its places in the arrays of one image.
fn in_arrays((name, places): &(String, Vec<(usize, usize)>), declared: &[Declared], batch: Batch) -> FreeSize {
    let place = |&(input, axis): &(usize, usize)| FreePlace {
        input: declared[input].name.clone(),
        axis: axis - usize::from(batch != Batch::None),
        span: Span::NONE,
    };
    FreeSize {
        name: name.clone(),
        places: places.iter().map(place).collect(),
    }
}

/// Declares an input of the network.
fn input(network: &mut Network, input: &Declared) -> Result<(Value, Port), String> {
    let dims = input.sizes(usize::from(network.batched))?;
    crate::tensor::count(&dims)?;
    let hwc = input.channels_last && dims.len() == 3;
    // Of more than three axes the outer ones are one: the elements stay in order.
    let shape = frame(&dims).map_or_else(
        || {
            let (outer, inner) = dims.split_at(dims.len() - 2);
            Shape::map(outer.iter().product(), inner[0], inner[1])
        },
        |frame| frame.shape,
    );
    let array = if hwc { dims.clone() } else { shape.dims() };
    let data = network.input(&input.name, &array, hwc)?;
    let port = Port {
        name: input.name.clone(),
        layer: data.layer.clone(),
        dims: dims.clone(),
    };
    let mut value = Value::plain(data, dims);
    if hwc {
        value.order = vec![2, 0, 1];
    }
    Ok((value, port))
}
