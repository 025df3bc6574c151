//! From an ONNX file to a declaration and weights, step by step.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use cnn_ir::ast::NetDecl;
use cnn_ir::shape::Shape;
use cnn_runtime::weights::MappedFile;

use crate::attributes::Attributes;
use crate::budget::Budget;
use crate::error::{ImportError, Place, Problem, quoted};
use crate::file::{self, External};
use crate::fold;
use crate::inputs::{self, Declared, Dim};
use crate::lower;
use crate::network::Network;
use crate::node::{Node, Outputs};
use crate::order;
use crate::patterns;
use crate::port::{Batch, Port};
use crate::proto;
use crate::tensor::Tensor;
use crate::uses::Uses;
use crate::value::{Data, Known, Value, frame};
use crate::weights::OnnxWeights;

/// How to read a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Dimensions of inputs whose file leaves them open, by the input's name, with the batch.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Bytes that constants computed while importing may take; what the machine has available if `None`.
    pub max_memory: Option<u64>,
}

/// A model that was read.
#[derive(Clone, Debug)]
pub struct Import {
    /// The network as a declaration.
    pub net: NetDecl,
    /// Its weights, which stay in the file until they are asked for.
    pub weights: OnnxWeights,
    /// The model's inputs in the order of the file, which is that of the network.
    pub inputs: Vec<Port>,
    /// The model's outputs in the order of the file, which is that of the network.
    pub outputs: Vec<Port>,
    /// What axis 0 of the model's arrays is.
    pub batch: Batch,
}

impl Import {
    /// Reads a model. Its file, and files beside it that hold its tensors, stay mapped as long as the weights are kept.
    /// They must not be shortened meanwhile.
    ///
    /// # Errors
    /// [`ImportError::Io`], [`ImportError::File`] if it is damaged, [`ImportError::Unsupported`] with everything that
    /// cannot be imported.
    pub fn open(path: impl AsRef<Path>, options: &ImportOptions) -> Result<Import, ImportError> {
        let path = path.as_ref();
        let file = file::map(path)?;
        Import::read(file::bytes(&file), Some(file), path, options)
    }

    /// Reads a model's bytes as if they were the file at `path`, which messages name and beside which other files are.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(
        bytes: impl AsRef<[u8]> + Send + 'static,
        path: impl AsRef<Path>,
        options: &ImportOptions,
    ) -> Result<Import, ImportError> {
        Import::read(Bytes::from_owner(bytes), None, path.as_ref(), options)
    }

    fn read(
        bytes: Bytes,
        file: Option<Arc<MappedFile>>,
        path: &Path,
        options: &ImportOptions,
    ) -> Result<Import, ImportError> {
        let wrong = |problem: String| ImportError::File {
            path: path.into(),
            problem,
        };
        let mut model = file::decode(&bytes).map_err(wrong)?;
        let mut graph = model
            .graph
            .take()
            .ok_or_else(|| wrong("holds no graph; it is no ONNX model".into()))?;
        patterns::simplify(&mut graph);
        let graph = &graph;
        let opset = model
            .opset_import
            .iter()
            .find(|set| matches!(&*set.domain, "" | "ai.onnx"));
        let opset = match opset.map(|set| set.version) {
            Some(version) if version >= 1 => version,
            // Files of IR version 1 and 2 do not say it.
            None if (1..3).contains(&model.ir_version) => 1,
            _ => return Err(wrong("does not say which version of ONNX's operators it uses".into())),
        };
        let mut external = External::beside(path);
        let (constants, mut problems) = constants(graph, &mut external);
        let (declared, more) = inputs::read(graph, &options.shapes);
        problems.extend(more);
        let source = Source {
            graph,
            opset,
            constants,
            declared,
            uses: Uses::of(graph),
            files: file.into_iter().chain(external.files).collect(),
            origin: format!("`{}`", path.display()),
            max_memory: options.max_memory,
        };
        let unsupported = |problems| ImportError::Unsupported {
            path: path.into(),
            problems,
        };
        if !problems.is_empty() {
            // What can be said without inputs is said too.
            problems.extend(source.operators());
            return Err(unsupported(problems));
        }
        match source.batch() {
            None => source.import(Batch::None, &source.declared).map_err(unsupported),
            Some(batch) => source.import(batch, &source.declared).or_else(|problems| {
                // A fixed batch may be no batch at all; of a free one, a single image may do what several cannot: move
                // the axis, or join it with others. If that does not help, the first answer is the better one.
                let whole = source.import(Batch::None, &source.of_one_image());
                whole.map_err(|_| unsupported(problems))
            }),
        }
    }
}

/// The graph's initialisers, and what is wrong with them.
fn constants<'a>(graph: &'a proto::Graph, external: &mut External) -> (HashMap<&'a str, Tensor>, Vec<Problem>) {
    let mut constants = HashMap::new();
    let mut problems = Vec::new();
    let mut wrong = |name: &str, message: String| {
        problems.push(Problem {
            place: Place::Value {
                what: "initializer",
                name: name.to_owned(),
            },
            message,
        });
    };
    for message in &graph.initializer {
        match Tensor::read(message, |entries| external.read(entries)) {
            Ok(tensor) => {
                if constants.insert(&*message.name, tensor).is_some() {
                    wrong(&message.name, "is there twice".to_owned());
                }
            }
            Err(problem) => wrong(&message.name, problem),
        }
    }
    for sparse in &graph.sparse_initializer {
        let name = sparse.values.as_ref().map_or("", |values| &values.name);
        wrong(name, "is sparse; dense tensors can be imported".to_owned());
    }
    (constants, problems)
}

/// A model whose tensors and inputs are read.
struct Source<'a> {
    graph: &'a proto::Graph,
    opset: i64,
    constants: HashMap<&'a str, Tensor>,
    declared: Vec<Declared>,
    uses: Uses<'a>,
    files: Vec<Arc<MappedFile>>,
    origin: String,
    max_memory: Option<u64>,
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
    fn operators(&self) -> Vec<Problem> {
        let unknown = |node: &proto::Node| {
            lower::find(&node.op_type, &node.domain)
                .err()
                .map(|message| self.problem(node, message))
        };
        self.graph.node.iter().filter_map(unknown).collect()
    }

    /// The whole way, with axis 0 taken as `batch` says.
    fn import(&self, batch: Batch, declared: &[Declared]) -> Result<Import, Vec<Problem>> {
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
