//! Weights for a network: from a file, from bytes, from arrays, or made up.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use cnn_runtime::weights::{
    MapSource, Prefixed, Safetensors, SafetensorsFile, Synthetic, WeightError, WeightSource, prefix,
};

/// Named tensors. Which ones a network needs is checked when it is compiled, or, declared with `cnn!`, loaded.
///
/// ```
/// use cnn::Weights;
///
/// let made_up = Weights::random(7);
/// let mut own = Weights::empty();
/// own.insert_elements("f6.bias", &[3], vec![0.1, 0.2, 0.3])?;
/// assert_eq!(own.names(), ["f6.bias"]);
/// let error = Weights::from_file("nothing.safetensors").unwrap_err();
/// assert!(error.to_string().contains("does not exist"));
/// # Ok::<(), cnn::weights::WeightError>(())
/// ```
pub struct Weights(Source);

enum Source {
    Map(MapSource),
    /// A compiled network's, as its code reads them; the name of its file.
    #[cfg_attr(
        not(feature = "jit"),
        expect(dead_code, reason = "compiled networks are read with the compiler's feature")
    )]
    Packed(Packed),
    Other(Box<dyn WeightSource + Send>),
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weights({})", self.describe())
    }
}

impl Weights {
    /// The safetensors file at `path`, mapped into memory: only what is asked for is read from disk.
    ///
    /// No program may shorten the file as long as these weights exist (a compiled network does not need them any more, but
    /// a `Session` keeps them): the operating system would end this process with SIGBUS when the missing part is read.
    /// Whoever must reckon with that reads the file himself and uses [`from_bytes`](Self::from_bytes). A file that is
    /// renamed over it does no harm.
    ///
    /// # Errors
    /// If the file is missing, not a file, of another kind, or damaged.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Weights, WeightError> {
        Ok(Weights::from_source(SafetensorsFile::open(path)?))
    }

    /// A safetensors file's bytes; `origin` names them in messages.
    ///
    /// # Errors
    /// If they are of another kind, or damaged.
    pub fn from_bytes(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        origin: impl Into<String>,
    ) -> Result<Weights, WeightError> {
        Ok(Weights::from_source(Safetensors::parse(bytes, origin)?))
    }

    /// Weights of whatever shape a network asks for, the same everywhere for the same seed: for measuring and
    /// for comparing programs.
    pub fn random(seed: u64) -> Weights {
        Weights::from_source(Synthetic { seed })
    }

    /// No tensors yet; see [`insert_elements`](Self::insert_elements).
    pub fn empty() -> Weights {
        Weights(Source::Map(MapSource::new()))
    }

    /// Adds a tensor of row-major elements to weights made by [`empty`](Self::empty), replacing one of that name.
    ///
    /// # Errors
    /// [`WeightError::Count`] if the elements do not fill the shape, [`WeightError::Fixed`] for weights of another origin.
    pub fn insert_elements(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        elements: Vec<f32>,
    ) -> Result<(), WeightError> {
        match &mut self.0 {
            Source::Map(map) => map.insert(name, shape, elements),
            Source::Packed(_) | Source::Other(_) => Err(WeightError::Fixed {
                origin: self.describe(),
            }),
        }
    }

    /// These weights without what stands before all their names (`module.`, `model.`, `state_dict.` …), if more of the
    /// `wanted` tensors are found so; and what that is.
    pub fn without_prefix(self, wanted: &HashSet<String>) -> (Weights, Option<String>) {
        match prefix(&self.names(), wanted) {
            Some(prefix) => (Weights::from_source(Prefixed::new(self, prefix.clone())), Some(prefix)),
            None => (self, None),
        }
    }

    /// Those of a compiled network, which are in its file.
    #[cfg(feature = "jit")]
    pub(crate) fn packed(file: String) -> Weights {
        Weights(Source::Packed(Packed(file)))
    }

    /// Whether they are a compiled network's.
    #[cfg(feature = "jit")]
    pub(crate) fn is_packed(&self) -> bool {
        matches!(self.0, Source::Packed(_))
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
            Source::Packed(packed) => packed,
            Source::Other(source) => &**source,
        }
    }
}

/// Weights that cannot be asked for one by one.
struct Packed(String);

impl WeightSource for Packed {
    fn slice(&self, _: &str, _: &[usize], _: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        Err(WeightError::Packed {
            origin: self.describe(),
        })
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn describe(&self) -> String {
        format!("`{}`, a compiled network,", self.0)
    }
}

#[cfg(feature = "jit")]
impl Weights {
    /// The trained weights of a built-in model.
    ///
    /// # Errors
    /// [`Error::Option`](crate::Error::Option) if there is no such model, or it comes without weights.
    pub fn builtin(name: &str) -> Result<Weights, crate::Error> {
        use crate::{Error, builtin};
        let model = builtin::find(name).ok_or_else(|| Error::Option(builtin::unknown(name)))?;
        match model.weights {
            Some(bytes) => Ok(Weights::from_bytes(bytes, format!("the built-in weights of {name}"))?),
            None => Err(Error::Option(format!(
                "the built-in model `{name}` has no weights of its own"
            ))),
        }
    }

    /// Adds a tensor as [`insert_elements`](Self::insert_elements) does.
    ///
    /// # Errors
    /// [`WeightError::Fixed`] for weights of another origin.
    pub fn insert<S, D>(&mut self, name: impl Into<String>, array: &ndarray::ArrayBase<S, D>) -> Result<(), WeightError>
    where
        S: ndarray::Data<Elem = f32>,
        D: ndarray::Dimension,
    {
        self.insert_elements(name, array.shape(), array.iter().copied().collect())
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
