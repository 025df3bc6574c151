//! Weights for a network: from a file, from bytes, from arrays, or made up.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use cnn_runtime::weights::{MapSource, Safetensors, SafetensorsFile, Synthetic, WeightError, WeightSource};
use ndarray::{ArrayBase, Data, Dimension};

use crate::{Error, builtin};

/// Named tensors. Which ones a network needs is checked when it is compiled.
///
/// ```
/// use cnn::Weights;
/// use ndarray::{Array1, arr1};
///
/// let made_up = Weights::random(7);
/// let trained = Weights::builtin("lenet5")?;
/// assert_eq!(trained.names()[0], "c1.bias");
/// let mut own = Weights::empty();
/// own.insert("f6.bias", &arr1(&[0.1, 0.2, 0.3]))?;
/// # Ok::<(), cnn::Error>(())
/// ```
pub struct Weights(Source);

enum Source {
    Map(MapSource),
    Other(Box<dyn WeightSource + Send>),
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weights({})", self.describe())
    }
}

impl Weights {
    /// The safetensors file at `path`, mapped into memory. It must not be shortened while it is in use.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file is missing, not a file, or damaged.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Weights, Error> {
        Ok(Weights::from_source(SafetensorsFile::open(path)?))
    }

    /// A safetensors file's bytes; `origin` names them in messages.
    ///
    /// # Errors
    /// [`Error::Weights`] if they are damaged.
    pub fn from_bytes(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        origin: impl Into<String>,
    ) -> Result<Weights, Error> {
        Ok(Weights::from_source(Safetensors::parse(bytes, origin)?))
    }

    /// Weights of whatever shape a network asks for, the same everywhere for the same seed: for measuring and
    /// for comparing programs.
    pub fn random(seed: u64) -> Weights {
        Weights::from_source(Synthetic { seed })
    }

    /// The trained weights of a built-in model.
    ///
    /// # Errors
    /// [`Error::Option`] if there is no such model, or it comes without weights.
    pub fn builtin(name: &str) -> Result<Weights, Error> {
        let model = builtin::find(name).ok_or_else(|| Error::Option(builtin::unknown(name)))?;
        match model.weights {
            Some(bytes) => Weights::from_bytes(bytes, format!("the built-in weights of {name}")),
            None => Err(Error::Option(format!(
                "the built-in model `{name}` has no weights of its own"
            ))),
        }
    }

    /// No tensors yet; see [`insert`](Self::insert).
    pub fn empty() -> Weights {
        Weights(Source::Map(MapSource::new()))
    }

    /// Adds a tensor to weights made by [`empty`](Self::empty), replacing one of that name.
    ///
    /// # Errors
    /// [`Error::Option`] for weights of another origin.
    pub fn insert<S, D>(&mut self, name: impl Into<String>, array: &ArrayBase<S, D>) -> Result<(), Error>
    where
        S: Data<Elem = f32>,
        D: Dimension,
    {
        match &mut self.0 {
            Source::Map(map) => Ok(map.insert(name, array.shape(), array.iter().copied().collect())?),
            Source::Other(source) => Err(Error::Option(format!(
                "tensors can be added to weights that began empty, not to {}",
                source.describe()
            ))),
        }
    }

    pub(crate) fn from_source(source: impl WeightSource + Send + 'static) -> Weights {
        Weights(Source::Other(Box::new(source)))
    }

    /// The names of all tensors, sorted; none for made-up weights.
    pub fn names(&self) -> Vec<String> {
        self.source().names()
    }

    /// What they are, for messages: a file's path, `random:7` …
    pub fn describe(&self) -> String {
        self.source().describe()
    }

    /// The source for the other crates.
    pub fn source(&self) -> &dyn WeightSource {
        match &self.0 {
            Source::Map(map) => map,
            Source::Other(source) => &**source,
        }
    }
}

impl WeightSource for Weights {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        self.source().slice(name, shape, range)
    }

    fn release(&self, name: &str, range: Range<usize>) {
        self.source().release(name, range);
    }

    fn names(&self) -> Vec<String> {
        self.source().names()
    }

    fn describe(&self) -> String {
        self.source().describe()
    }

    fn unused(&self, used: &HashSet<String>) -> Vec<String> {
        self.source().unused(used)
    }
}
