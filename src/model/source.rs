//! Where a model comes from: its text, and the name to call it by in messages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use cnn_ir::diag::{Diagnostic, nearest};
use cnn_ir::front::sizes::{self, FreeSize, Sizes};
use cnn_ir::front::{self, write};
use cnn_ir::graph::Graph;
use cnn_ir::render;
use cnn_ir::validate::{Shapes, validate};
use cnn_onnx::{Import, ImportOptions};

use crate::error::{Error, ModelError};
use crate::{CompiledFile, builtin, io};

/// The longest model file read. ResNet-152 written out takes a hundredth of it.
const MAX_MODEL_BYTES: u64 = 16 << 20;

/// A model's declaration, not yet understood.
#[derive(Clone, Debug)]
pub struct Source {
    pub(super) declaration: Declaration,
    /// What messages call it.
    pub(super) origin: String,
    /// What the network is called if the text does not say.
    pub(super) default_name: String,
    pub(super) builtin: Option<&'static builtin::Builtin>,
    /// The text before numbers were filled in for the sizes that it leaves free.
    pub(super) template: Option<Template>,
    /// Shapes that the inputs are to have where the declaration leaves sizes free.
    pub(super) shapes: BTreeMap<String, Vec<usize>>,
}

/// A text that leaves sizes free.
#[derive(Clone, Debug)]
pub(super) struct Template {
    text: String,
    free: Vec<FreeSize>,
}

/// What a model is declared in.
#[derive(Clone, Debug)]
pub(super) enum Declaration {
    /// The text of a model file.
    Text(String),
    /// What was read of an ONNX file.
    Import(Box<Import>),
    /// A compiled network, which says what it was compiled from.
    Compiled(CompiledFile),
}

impl Source {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] if it cannot be read as text of at most 16 MiB.
    pub fn file(path: impl AsRef<Path>) -> Result<Source, Error> {
        let path = path.as_ref();
        let stem = path.file_stem().map_or("network".into(), |stem| stem.to_string_lossy());
        Ok(Source {
            declaration: Declaration::Text(io::read_text(path, MAX_MODEL_BYTES)?),
            origin: path.display().to_string(),
            default_name: stem.into_owned(),
            builtin: None,
            template: None,
            shapes: BTreeMap::new(),
        })
    }

    /// A model that comes with the program.
    ///
    /// # Errors
    /// [`Error::Option`] if there is none of that name.
    pub fn builtin(name: &str) -> Result<Source, Error> {
        let model = builtin::find(name).ok_or_else(|| Error::Option(builtin::unknown(name)))?;
        Ok(Source {
            declaration: Declaration::Text(model.toml.to_owned()),
            origin: format!("{name}.toml"),
            default_name: name.to_owned(),
            builtin: Some(model),
            template: None,
            shapes: BTreeMap::new(),
        })
    }

    /// A text; `origin` is what messages call it.
    pub fn text(text: impl Into<String>, origin: impl Into<String>) -> Source {
        Source {
            declaration: Declaration::Text(text.into()),
            origin: origin.into(),
            default_name: "network".to_owned(),
            builtin: None,
            template: None,
            shapes: BTreeMap::new(),
        }
    }

    /// A network that was compiled into a file, which is trusted code: see [`CompiledFile`].
    ///
    /// # Errors
    /// As [`CompiledFile::open`].
    pub fn compiled(path: impl AsRef<Path>) -> Result<Source, Error> {
        let file = CompiledFile::open(path)?;
        Ok(Source {
            origin: file.stored().origin.clone(),
            default_name: file.stored().name.clone(),
            declaration: Declaration::Compiled(file),
            builtin: None,
            template: None,
            shapes: BTreeMap::new(),
        })
    }

    /// What people give as a model: a built-in model's name or the path of a `.toml`, `.onnx` or compiled file. `options`
    /// say how to read an ONNX file; their shapes are also those of a model file's inputs that leave sizes free.
    ///
    /// # Errors
    /// As [`file`](Self::file), [`onnx`](Self::onnx), [`compiled`](Self::compiled) and [`builtin`](Self::builtin); a name that is none of these says what
    /// would be.
    pub fn open(name: &str, options: &ImportOptions) -> Result<Source, Error> {
        let shaped = |source: Source| match source.declaration {
            // Its importer has done what the shapes say.
            Declaration::Import(_) => source,
            Declaration::Text(_) | Declaration::Compiled(_) => Source {
                shapes: options.shapes.clone(),
                ..source
            },
        };
        if builtin::find(name).is_some() {
            return Source::builtin(name).map(shaped);
        }
        let path = Path::new(name);
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        let read = || match extension {
            _ if extension.eq_ignore_ascii_case("onnx") => Source::onnx(path, options),
            _ if extension.eq_ignore_ascii_case("cnnc") || CompiledFile::is_one(path) => Source::compiled(path),
            _ => Source::file(path),
        };
        let source = match path.metadata() {
            Ok(data) if data.is_dir() => Err(wrong(path, directory(path))),
            Ok(_) => read(),
            Err(_) if extension.is_empty() => Err(Error::Option(format!(
                "there is no such file, and {}",
                builtin::unknown(name)
            ))),
            Err(source) => match similar(path) {
                Some(near) => Err(wrong(path, format!("{source}; there is `{near}` beside it"))),
                None => read(),
            },
        };
        source.map(shaped)
    }

    /// The source as one that numbers can be filled into, if its text leaves sizes free.
    pub(super) fn as_template(&self) -> Option<Source> {
        let Declaration::Text(text) = &self.declaration else {
            return None;
        };
        let free = sizes::free(&front::toml::parse(text).net);
        let template = (!free.is_empty()).then(|| Template {
            text: text.clone(),
            free,
        });
        template.is_some().then(|| Source {
            template,
            ..self.clone()
        })
    }

    /// The heights and widths that the declaration leaves free, whatever they were filled with.
    pub(super) fn free_sizes(&self) -> &[FreeSize] {
        match (&self.declaration, &self.template) {
            (Declaration::Import(import), _) => &import.free,
            (Declaration::Text(_) | Declaration::Compiled(_), Some(template)) => &template.free,
            (Declaration::Text(_) | Declaration::Compiled(_), None) => &[],
        }
    }

    /// The declaration with numbers for its free sizes, instead of those that it was filled with.
    ///
    /// # Errors
    /// [`Error::Onnx`] if an ONNX file cannot be read at these sizes.
    pub(super) fn with_sizes(&self, wanted: &Sizes) -> Result<Source, Error> {
        let mut source = self.clone();
        match (&mut source.declaration, &self.template) {
            (Declaration::Text(text), Some(template)) => *text = sizes::fill(&template.text, &template.free, wanted),
            (Declaration::Import(import), _) => {
                let name = import.net.name.take();
                **import = import.with_sizes(wanted)?;
                import.net.name = name;
            }
            (Declaration::Text(_) | Declaration::Compiled(_), _) => {}
        }
        Ok(source)
    }

    /// The graph as declared and what is odd about it.
    ///
    /// # Errors
    /// [`Error::Model`] with everything that is wrong with it, unless it is only that shapes do not fit: whoever asks
    /// for those is told.
    pub fn graph(&self) -> Result<(Graph, Vec<Diagnostic>), Error> {
        let found = match &self.declaration {
            Declaration::Text(text) => front::graph_from_toml(text),
            Declaration::Compiled(file) => front::graph_from_toml(&file.stored().toml),
            // Whatever there is to say is said about its text, which has places for it.
            Declaration::Import(import) => match front::graph_from_declaration(&import.net) {
                Ok((graph, warnings)) if warnings.is_empty() => Ok((graph, warnings)),
                _ => front::graph_from_toml(&self.toml()),
            },
        };
        let (mut graph, warnings) = found.map_err(|faults| self.error(faults))?;
        if graph.name.is_empty() {
            graph.name.clone_from(&self.default_name);
        }
        Ok((graph, warnings))
    }

    /// The graph as its text declares it, with the places of its words there.
    pub(super) fn placed(&self) -> Result<Graph, Error> {
        let (graph, _) = front::graph_from_toml(&self.toml()).map_err(|faults| self.error(faults))?;
        Ok(graph)
    }

    /// The shapes of a graph that [`graph`](Self::graph) made.
    ///
    /// # Errors
    /// [`Error::Model`] with every shape that does not fit.
    pub(super) fn shapes(&self, graph: &Graph) -> Result<Shapes, Error> {
        validate(graph).map_err(|faults| {
            let placed = match &self.declaration {
                Declaration::Text(_) | Declaration::Compiled(_) => None,
                Declaration::Import(_) => self.placed().ok().and_then(|graph| validate(&graph).err()),
            };
            self.error(placed.unwrap_or(faults))
        })
    }

    /// The model as TOML text: the file's own, or an imported network written as one.
    pub fn toml(&self) -> Cow<'_, str> {
        match &self.declaration {
            Declaration::Text(text) => Cow::Borrowed(text),
            Declaration::Compiled(file) => Cow::Borrowed(&file.stored().toml),
            Declaration::Import(import) => Cow::Owned(write::toml(&import.net)),
        }
    }

    /// Diagnostics as text beside the source.
    pub(super) fn render(&self, diagnostics: &[Diagnostic], color: bool) -> String {
        match diagnostics.is_empty() {
            true => String::new(),
            false => render::render(diagnostics, &self.origin, &self.toml(), color),
        }
    }

    fn error(&self, diagnostics: Vec<Diagnostic>) -> Error {
        ModelError {
            rendered: self.render(&diagnostics, false).trim_end().to_owned(),
            diagnostics,
            origin: self.origin.clone(),
            source_text: self.toml().into_owned(),
        }
        .into()
    }
}

fn wrong(path: &Path, problem: String) -> Error {
    Error::File {
        path: path.into(),
        problem,
    }
}

/// What to say about a directory: which model files are in it.
fn directory(path: &Path) -> String {
    let mut models = model_files(path);
    models.truncate(5);
    match models.is_empty() {
        true => "expected a .toml or .onnx file, found a directory".to_owned(),
        false => format!(
            "expected a .toml or .onnx file, found a directory; in it are {}",
            models.join(", ")
        ),
    }
}

/// The model file beside `path` whose name is nearest.
fn similar(path: &Path) -> Option<String> {
    let folder = io::folder_of(path);
    let files = model_files(folder);
    nearest(path.file_name()?.to_str()?, files.iter().map(String::as_str)).map(str::to_owned)
}

fn model_files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names
        .filter(|name| [".toml", ".onnx", ".cnnc"].iter().any(|ending| name.ends_with(ending)))
        .collect();
    names.sort_unstable();
    names
}
