//! A model: a network that was read and found valid, not yet compiled.

mod onnx;
mod sizes;
mod source;

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cnn_codegen::compile::{self, Optimised};
use cnn_codegen::jit::{self, Listed};
use cnn_codegen::plan::Plan;
use cnn_ir::cost;
use cnn_ir::diag::{Diagnostic, Severity};
use cnn_ir::graph::{Graph, Node};
use cnn_ir::op::{Input, InputLayout, WeightDecl};
use cnn_ir::validate::Shapes;
use cnn_onnx::{Import, ImportOptions};
use cnn_runtime::weights::{MOST_PROBLEMS, WeightError, WeightSource};

use crate::error::Error;
use crate::{Builtin, CompiledFile, FileArrays, Network, Options, Weights};

pub use sizes::{FreeSize, PossibleSizes, Sizes};
use source::Declaration;
pub use source::Source;

/// A network that was read and found valid.
///
/// ```
/// use cnn::{Model, Options, Weights};
///
/// let model = Model::builtin("lenet5")?; // or `Model::from_toml_file("net.toml")?`, or of a text as here:
/// let wrong = Model::from_toml("[inputs]\nimage = [1, 32, 32]\n[[layer]]\nname = \"r\"\nop = \"relo\"\n");
/// assert!(wrong.unwrap_err().to_string().contains("did you mean `relu`?"));
///
/// assert_eq!(model.inputs()[0].batched(8), [8, 1, 32, 32]);
/// assert_eq!(model.parameters(), 61_706);
/// let network = model.compile(&Weights::builtin("lenet5")?, &Options::default())?;
/// # Ok::<(), cnn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    source: Source,
    graph: Graph,
    shapes: Shapes,
    warnings: Vec<Diagnostic>,
}

/// An input or output of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The shape of its arrays, without the batch.
    pub shape: Vec<usize>,
    /// Whether its maps are `[height, width, channels]` instead of `[channels, height, width]`.
    pub hwc: bool,
}

impl Port {
    /// The shape of its arrays with the batch before it.
    pub fn batched(&self, batch: usize) -> Vec<usize> {
        [&[batch], &*self.shape].concat()
    }

    /// Channels, height and width of a map, `None` for a vector.
    pub fn map(&self) -> Option<[usize; 3]> {
        match *self.shape {
            [h, w, c] if self.hwc => Some([c, h, w]),
            [c, h, w] => Some([c, h, w]),
            _ => None,
        }
    }
}

/// How weights fit a model.
#[derive(Debug, Default)]
pub struct WeightReport {
    /// Tensors that are missing or wrong.
    pub problems: Vec<WeightError>,
    /// Tensors that no layer uses.
    pub unused: Vec<String>,
}

impl Model {
    /// Reads and checks a model file.
    ///
    /// # Errors
    /// [`Error::Model`] with everything that is wrong with it; [`Error::Io`] or [`Error::File`] if it cannot be read
    /// as text.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Model, Error> {
        Model::new(Source::file(path)?)
    }

    /// Reads and checks a model file's text.
    ///
    /// # Errors
    /// [`Error::Model`] with everything that is wrong with it.
    ///
    /// ```
    /// let error = cnn::Model::from_toml("[inputs]\nimage = [1, 4, 4]\n\n[[layer]]\nname = 'c'\nop = 'convv'\n").unwrap_err();
    /// assert!(error.to_string().contains("model.toml:6:6"), "{error}");
    /// ```
    pub fn from_toml(text: impl Into<String>) -> Result<Model, Error> {
        Model::new(Source::text(text, "model.toml"))
    }

    /// Reads and checks an ONNX file; [`own_weights`](Self::own_weights) gives its weights.
    ///
    /// # Errors
    /// [`Error::Onnx`] with everything that cannot be imported.
    pub fn from_onnx_file(path: impl AsRef<Path>, options: &ImportOptions) -> Result<Model, Error> {
        Model::new(Source::onnx(path, options)?)
    }

    /// A model that comes with the program; [`builtin::MODELS`](crate::builtin::MODELS) lists them.
    ///
    /// # Errors
    /// [`Error::Option`] if there is none of that name.
    pub fn builtin(name: &str) -> Result<Model, Error> {
        Model::new(Source::builtin(name)?)
    }

    /// Understands and checks a model. Where its inputs leave sizes free ([`free_sizes`](Self::free_sizes)), it is one of
    /// the shapes that the source was opened with, or of a usual size that fits.
    ///
    /// # Errors
    /// [`Error::Model`] with everything that is wrong with it; [`Error::Option`], [`Error::Input`] for shapes that do not
    /// fit.
    pub fn new(source: Source) -> Result<Model, Error> {
        let shapes = source.shapes.clone();
        let template = source.clone();
        let model = Model::of_one_size(source).or_else(|error| match template.as_template() {
            Some(template) => Model::of_some_size(&template),
            None => Err(error),
        })?;
        match shapes.is_empty() {
            true => Ok(model),
            false => model.with_shapes(&shapes),
        }
    }

    /// A model of which no size is free any more.
    fn of_one_size(source: Source) -> Result<Model, Error> {
        let (graph, warnings) = source.graph()?;
        let shapes = source.shapes(&graph)?;
        Ok(Model {
            source,
            graph,
            shapes,
            warnings,
        })
    }

    /// The network's name.
    pub fn name(&self) -> &str {
        &self.graph.name
    }

    /// The built-in model that this is, with its weights and its sample.
    pub fn as_builtin(&self) -> Option<&'static Builtin> {
        self.source.builtin
    }

    /// What was read of the ONNX file that this model is from.
    pub fn import(&self) -> Option<&Import> {
        self.source.import()
    }

    /// The file that this model was compiled into and is read from.
    pub fn compiled(&self) -> Option<&CompiledFile> {
        match &self.source.declaration {
            Declaration::Compiled(file) => Some(file),
            Declaration::Text(_) | Declaration::Import(_) => None,
        }
    }

    /// What the ONNX file that this model is from calls its arrays; `None` if it is from none.
    pub fn file_arrays(&self) -> Option<FileArrays> {
        match &self.source.declaration {
            Declaration::Import(import) => Some(FileArrays {
                inputs: import.inputs.clone(),
                outputs: import.outputs.clone(),
                batch: import.batch,
            }),
            Declaration::Compiled(file) => file.stored().arrays(),
            Declaration::Text(_) => None,
        }
    }

    /// The weights that come with the model: those of the ONNX file, those of the built-in model if it has some, or
    /// none where none are needed.
    ///
    /// # Errors
    /// [`Error::Weights`] if the program's own are damaged.
    pub fn own_weights(&self) -> Result<Option<Weights>, Error> {
        if let Some(file) = self.compiled() {
            return Ok(Some(Weights::packed(file.name())));
        }
        match (self.import(), self.as_builtin()) {
            (Some(import), _) => Ok(Some(Weights::from_source(import.weights.clone()))),
            (None, Some(builtin)) if builtin.weights.is_some() => Weights::builtin(builtin.name).map(Some),
            _ if self.weights().is_empty() => Ok(Some(Weights::empty())),
            _ => Ok(None),
        }
    }

    /// Whether the weights that come with this model are those of another that is the same network at other sizes.
    pub(crate) fn shares_weights(&self, other: &Model) -> bool {
        match (self.import(), other.import()) {
            // An importer may compute weights from sizes.
            (Some(one), Some(other)) => one.weights.is_the_same_as(&other.weights),
            _ => true,
        }
    }

    /// What to say when weights are needed and there are none.
    pub fn weights_missing(&self) -> String {
        format!(
            "`{}` needs {} tensors of weights: give a .safetensors file, or `random` to try it",
            self.name(),
            self.weights().len()
        )
    }

    /// What is odd about the model file, as text beside the source; empty if nothing is. `color` adds ANSI escapes.
    pub fn warnings(&self, color: bool) -> String {
        let warnings: Vec<_> = self
            .warnings
            .iter()
            .filter(|one| one.severity == Severity::Warning)
            .cloned()
            .collect();
        self.source.render(&warnings, color)
    }

    /// The inputs in the order of declaration.
    pub fn inputs(&self) -> Vec<Port> {
        let port = |(node, input): (&Node, &Input)| Port {
            name: node.name.clone(),
            shape: input.array_dims(),
            hwc: input.layout == InputLayout::Hwc,
        };
        self.graph.declared_inputs().map(port).collect()
    }

    /// The outputs in the order of declaration.
    pub fn outputs(&self) -> Vec<Port> {
        let port = |output: &cnn_ir::graph::Output| Port {
            name: output.name.clone(),
            shape: self.shapes[output.node].dims(),
            hwc: false,
        };
        self.graph.outputs().iter().map(port).collect()
    }

    /// All tensors of weights the network needs, sorted by name. A tensor that several layers share is here once.
    pub fn weights(&self) -> Vec<WeightDecl> {
        cost::weights(&self.graph, &self.shapes)
    }

    /// How many numbers training learns. Running statistics of batch norms are not among them, as in PyTorch's
    /// counts.
    pub fn parameters(&self) -> u64 {
        cost::parameters(&self.graph, &self.shapes)
    }

    /// Multiplications for one image, each with its addition a MAC: those of convolutions and dense layers.
    pub fn macs(&self) -> u64 {
        cost::multiplications(&self.graph, &self.shapes)
    }

    /// The network's text as TOML, and what messages call it. The spans of [`placed`](Self::placed)'s nodes are ranges of
    /// it.
    pub fn text(&self) -> (Cow<'_, str>, &str) {
        (self.source.toml(), &self.source.origin)
    }

    /// The graph as declared, with the places of its words in [`text`](Self::text), which an imported network's
    /// [`graph`](Self::graph) has not.
    ///
    /// # Errors
    /// [`Error::Model`] if the text does not read back: a fault of the importer.
    pub fn placed(&self) -> Result<Cow<'_, Graph>, Error> {
        match self.import() {
            None => Ok(Cow::Borrowed(&self.graph)),
            Some(_) => Ok(Cow::Owned(self.source.placed()?)),
        }
    }

    /// The graph as declared.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The shapes of the graph's values.
    pub fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// The graph after all passes.
    ///
    /// # Errors
    /// [`Error::Internal`]: a pass made an invalid graph.
    pub fn optimised(&self) -> Result<Optimised, Error> {
        compile::optimise(&self.graph).map_err(|fault| Error::Internal(format!("{}: {fault}", self.name())))
    }

    /// Asks `weights` for every tensor the network needs; after [`MOST_PROBLEMS`] problems no more.
    pub fn check_weights(&self, weights: &Weights) -> WeightReport {
        let declared = self.weights();
        WeightReport {
            problems: declared
                .iter()
                .filter_map(|one| weights.tensor(&one.name, &one.shape).err())
                .take(MOST_PROBLEMS)
                .collect(),
            unused: self.unused_weights(weights),
        }
    }

    /// The tensors of `weights` that no layer uses.
    pub fn unused_weights(&self, weights: &Weights) -> Vec<String> {
        let used: HashSet<_> = self.weights().into_iter().map(|tensor| tensor.name).collect();
        weights.unused(&used)
    }

    /// What to say of tensors that no layer uses; `None` if there are none.
    pub fn unused_warning(&self, weights: &Weights) -> Option<String> {
        /// Tensors that are listed by name.
        const NAMED: usize = 8;
        let unused = self.unused_weights(weights);
        if unused.is_empty() {
            return None;
        }
        let names = unused.iter().take(NAMED);
        let mut names: Vec<_> = names.map(|name| format!("`{}`", name.escape_debug())).collect();
        if unused.len() > NAMED {
            names.push(format!("… {} more", unused.len() - NAMED));
        }
        let (tensors, are) = match unused.len() {
            1 => ("tensor", "is"),
            _ => ("tensors", "are"),
        };
        Some(format!(
            "{} {tensors} of {} {are} used by no layer: {}",
            unused.len(),
            weights.describe(),
            names.join(", ")
        ))
    }

    /// What is decided about running the network as machine code: kernels, memory, order.
    ///
    /// # Errors
    /// As [`compile`](Self::compile), but for weights, which a plan does not look at.
    pub fn plan(&self, options: &Options) -> Result<Plan, Error> {
        if let Some(file) = self.compiled() {
            return file.plan(options);
        }
        Ok(compile::plan(&self.graph, options)?.0)
    }

    /// The machine code of the network as text: a name, Cranelift's IR and assembly for each function.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn listing(&self, options: &Options) -> Result<Vec<Listed>, Error> {
        Ok(jit::listing(&self.plan(options)?)?)
    }

    /// Compiles the network for these weights. Where sizes of the inputs are free, the network is for those that the model
    /// has at hand ([`with_sizes`](Self::with_sizes)); a [`Session`](crate::Session) takes images of any size.
    ///
    /// # Errors
    /// [`Error::Memory`] before anything large is allocated; [`Error::Weights`] with every tensor that is missing or
    /// wrong; [`Error::Option`] for a batch or number of threads of 0.
    pub fn compile(&self, weights: &Weights, options: &Options) -> Result<Network, Error> {
        self.compile_beside(&[], weights, options)
    }

    /// Compiles the network beside others of the same weights, whose constants it shares if it needs the same.
    pub(crate) fn compile_beside(
        &self,
        others: &[Arc<Network>],
        weights: &Weights,
        options: &Options,
    ) -> Result<Network, Error> {
        let start = Instant::now();
        if let Some(file) = self.compiled() {
            return match weights.is_packed() {
                true => Network::load(file, options, start),
                false => Err(Error::Option(format!(
                    "`{}` is compiled, with its weights in it: it takes no others",
                    file.name()
                ))),
            };
        }
        let network = Network::compile(others, self, weights, options, start);
        network.map_err(|error| self.all_weight_errors(weights, error))
    }

    /// The compiler tells the first problem of each constant: this tells all.
    pub(crate) fn all_weight_errors(&self, weights: &Weights, error: Error) -> Error {
        match error {
            Error::Weights(first) => {
                let all = self.check_weights(weights).problems;
                Error::Weights(if all.is_empty() { first } else { all })
            }
            other => other,
        }
    }
}
