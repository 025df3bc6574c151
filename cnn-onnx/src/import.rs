//! From an ONNX file to a declaration and weights, step by step.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cnn_ir::ast::NetDecl;
use cnn_ir::front::sizes::{FreeSize, Sizes, USUAL};
use cnn_runtime::weights::MappedFile;

use crate::error::{ImportError, Place, Problem};
use crate::file::{self, External};
use crate::inputs::{self, Dim};
use crate::patterns;
use crate::port::{Batch, Port};
use crate::proto;
use crate::source::Source;
use crate::tensor::Tensor;
use crate::uses::Uses;
use crate::weights::OnnxWeights;

/// How to read a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Dimensions of inputs whose file leaves them open, by the input's name, with the batch.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Heights and widths that the file leaves free, by their names in [`Import::free`]. The first of
    /// [`USUAL`](cnn_ir::front::sizes::USUAL) that fits is taken for those that are not given.
    pub sizes: Sizes,
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
    /// The heights and widths that the file leaves free, and where they stand in the arrays of [`inputs`](Self::inputs).
    pub free: Vec<FreeSize>,
    /// What was read, to be read at other sizes.
    pub(crate) read: Arc<Read>,
}

/// A file and how it was read.
#[derive(Debug)]
pub(crate) struct Read {
    bytes: Bytes,
    file: Option<Arc<MappedFile>>,
    path: PathBuf,
    options: ImportOptions,
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
        Import::read(Arc::new(Read {
            bytes: file::bytes(&file),
            file: Some(file),
            path: path.into(),
            options: options.clone(),
        }))
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
        Import::read(Arc::new(Read {
            bytes: Bytes::from_owner(bytes),
            file: None,
            path: path.as_ref().into(),
            options: options.clone(),
        }))
    }

    /// The same file at other sizes of its inputs.
    ///
    /// # Errors
    /// [`ImportError::Unsupported`] if its layers do not fit them.
    pub fn with_sizes(&self, sizes: &Sizes) -> Result<Import, ImportError> {
        let Read {
            bytes,
            file,
            path,
            options,
        } = &*self.read;
        Import::read(Arc::new(Read {
            bytes: bytes.clone(),
            file: file.clone(),
            path: path.clone(),
            options: ImportOptions {
                sizes: sizes.clone(),
                ..options.clone()
            },
        }))
    }

    fn read(read: Arc<Read>) -> Result<Import, ImportError> {
        let Read {
            bytes,
            file,
            path,
            options,
        } = &*read;
        let wrong = |problem: String| ImportError::File {
            path: path.clone(),
            problem,
        };
        let mut model = file::decode(bytes).map_err(wrong)?;
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
        let (mut declared, more) = inputs::read(graph, &options.shapes);
        problems.extend(more);
        let free = inputs::free(&mut declared);
        let mut source = Source {
            graph,
            opset,
            constants,
            declared,
            uses: Uses::of(graph),
            files: file.iter().cloned().chain(external.files).collect(),
            origin: format!("`{}`", path.display()),
            max_memory: options.max_memory,
        };
        let unsupported = |problems| ImportError::Unsupported {
            path: path.clone(),
            problems,
        };
        if !problems.is_empty() {
            // What can be said without inputs is said too.
            problems.extend(source.operators());
            return Err(unsupported(problems));
        }
        let declared = source.declared.clone();
        let given = |name: &str| options.sizes.get(name).copied();
        let is_known = free.iter().all(|(name, _)| given(name).is_some()) || !source.operators().is_empty();
        let mut refused = None;
        for size in &USUAL[..if is_known { 1 } else { USUAL.len() }] {
            source.declared.clone_from(&declared);
            for (name, places) in &free {
                for &(input, axis) in places {
                    source.declared[input].dims[axis] = Dim::Size(given(name).unwrap_or(*size));
                }
            }
            match source.of_known_size(&read, &free) {
                Ok(import) => return Ok(import),
                Err(problems) => refused = refused.or(Some(problems)),
            }
        }
        let mut problems = refused.unwrap_or_default();
        if let (Some((name, places)), false) = (free.first(), is_known) {
            problems.push(declared[places[0].0].unfit(name));
        }
        Err(unsupported(problems))
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
