//! A model with its weights, compiled for every batch that it meets: what programs in other languages hold.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cnn_ir::diag::nearest;
use cnn_onnx::Batch;

use crate::{CompiledFile, Error, Model, Network, Options, Port, Weights};

/// Networks that a session keeps: those of the batches used last.
const KEPT: usize = 4;

/// An array that a session takes or gives: as the model's file has it, which for an ONNX file may be another shape of the
/// same elements than the network's [`Port`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayInfo {
    /// Its name.
    pub name: String,
    /// Its shape without the batch.
    pub dims: Vec<usize>,
    /// Whether axis 0 of the array is the batch. Otherwise the array is one image as a whole.
    pub batched: bool,
}

impl ArrayInfo {
    /// The shape of an array of so many images.
    pub fn shape(&self, batch: usize) -> Vec<usize> {
        match self.batched {
            true => [&[batch], &*self.dims].concat(),
            false => self.dims.clone(),
        }
    }

    /// Images of an array of this shape; `None` where the array has no batch, `Err` if it does not fit.
    fn images(&self, shape: &[usize]) -> Result<Option<usize>, Error> {
        match (self.batched, shape) {
            (true, [0, dims @ ..]) if *dims == self.dims => {
                Err(self.wrong("expected at least one image, found an empty batch".into()))
            }
            (true, [batch, dims @ ..]) if *dims == self.dims => Ok(Some(*batch)),
            (false, dims) if *dims == self.dims => Ok(None),
            _ => Err(self.misfit(shape)),
        }
    }

    fn misfit(&self, found: &[usize]) -> Error {
        let dims: Vec<_> = self.dims.iter().map(usize::to_string).collect();
        let expected = match self.batched {
            true => format!("[{}] with N images", [&["N".to_owned()], &*dims].concat().join(", ")),
            false => format!("{:?}", self.dims),
        };
        let hint = match self.batched && *found == *self.dims {
            true => format!("; one image is an array of shape {:?}", self.shape(1)),
            false => String::new(),
        };
        self.wrong(format!("expected an array of shape {expected}, found {found:?}{hint}"))
    }

    fn wrong(&self, problem: String) -> Error {
        Error::Input {
            name: self.name.clone(),
            problem,
        }
    }
}

/// A model with its weights, compiled for every batch that it meets; the last few are kept. Threads may share it.
///
/// ```
/// use cnn::{Model, Options, Session};
///
/// let session = Session::new(Model::builtin("lenet5")?, None, Options::default(), None)?;
/// let [image, probabilities] = [&session.inputs()[0], &session.outputs()[0]];
/// assert_eq!((&*image.name, image.shape(3)), ("image", vec![3, 1, 32, 32]));
/// let batch = session.batch(&[&[3, 1, 32, 32]])?;
/// let mut output = vec![0.0; probabilities.shape(batch).iter().product()];
/// session.network(batch)?.run_into(&[&[0.5; 3 * 32 * 32]], &mut [&mut output])?;
/// # Ok::<(), cnn::Error>(())
/// ```
#[derive(Debug)]
pub struct Session {
    model: Model,
    weights: Arc<Weights>,
    /// Whether they are the model's own.
    own_weights: bool,
    options: Options,
    inputs: Vec<ArrayInfo>,
    outputs: Vec<ArrayInfo>,
    /// The only batch it takes, if it was asked to take one only.
    fixed: Option<usize>,
    /// The batch that it was compiled for first.
    first: usize,
    /// The batch used last comes first.
    compiled: Mutex<Vec<Arc<Network>>>,
    /// Held while a network is compiled, so that none is compiled twice.
    compiling: Mutex<()>,
}

impl Session {
    /// Compiles a model for its first batch: `batch` if it is given, which is then the only one, else what an ONNX file
    /// says, else 1. Without `weights` it uses the model's own.
    ///
    /// # Errors
    /// As [`Model::compile`]; [`Error::Option`] if the model needs weights and there are none.
    pub fn new(
        model: Model,
        weights: Option<Weights>,
        options: Options,
        batch: Option<usize>,
    ) -> Result<Session, Error> {
        let own_weights = weights.is_none();
        let weights = match weights {
            Some(weights) => weights,
            None => model
                .own_weights()?
                .ok_or_else(|| Error::Option(model.weights_missing()))?,
        };
        let (inputs, outputs, first) = interface(&model);
        // Its code is for one batch only.
        let batch = batch.or(model.compiled().map(CompiledFile::batch));
        let session = Session {
            weights: Arc::new(weights),
            own_weights,
            options,
            inputs,
            outputs,
            fixed: batch,
            first: batch.unwrap_or(first),
            compiled: Mutex::default(),
            compiling: Mutex::default(),
            model,
        };
        session.network(session.first)?;
        Ok(session)
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The weights.
    pub fn weights(&self) -> &Arc<Weights> {
        &self.weights
    }

    /// Whether the weights are the model's own.
    pub fn has_own_weights(&self) -> bool {
        self.own_weights
    }

    /// The options that all its networks are compiled with; their batch counts for none.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What it takes, in the order of the model's file.
    pub fn inputs(&self) -> &[ArrayInfo] {
        &self.inputs
    }

    /// What it gives, in the order of the model's file.
    pub fn outputs(&self) -> &[ArrayInfo] {
        &self.outputs
    }

    /// The only batch it takes, `None` if it takes any.
    pub fn fixed_batch(&self) -> Option<usize> {
        self.fixed
    }

    /// The batch that it was compiled for first.
    pub fn first_batch(&self) -> usize {
        self.first
    }

    /// Which input is called so.
    ///
    /// # Errors
    /// [`Error::Option`] with the names there are.
    pub fn input(&self, name: &str) -> Result<usize, Error> {
        position(&self.inputs, "input", name)
    }

    /// Which output is called so.
    ///
    /// # Errors
    /// [`Error::Option`] with the names there are.
    pub fn output(&self, name: &str) -> Result<usize, Error> {
        position(&self.outputs, "output", name)
    }

    /// Images of a run on arrays of these shapes, one for each input.
    ///
    /// # Errors
    /// [`Error::Input`] with the shape that would fit.
    pub fn batch(&self, shapes: &[&[usize]]) -> Result<usize, Error> {
        let mut batch = self.fixed.map(|batch| (batch, "the network"));
        if shapes.len() != self.inputs.len() {
            let names: Vec<_> = self.inputs.iter().map(|input| format!("`{}`", input.name)).collect();
            return Err(Error::Option(format!(
                "expected an array for each of {}, {} given",
                names.join(", "),
                shapes.len()
            )));
        }
        for (input, shape) in self.inputs.iter().zip(shapes) {
            let Some(found) = input.images(shape)? else { continue };
            match batch {
                Some((expected, who)) if expected != found => {
                    return Err(input.wrong(format!("expected a batch of {expected} as {who} has it, found {found}")));
                }
                _ => batch = Some((found, &input.name)),
            }
        }
        Ok(batch.map_or(1, |(batch, _)| batch))
    }

    /// The network for a batch of that size, compiled now unless it is one of the last few.
    ///
    /// # Errors
    /// As [`Model::compile`].
    pub fn network(&self, batch: usize) -> Result<Arc<Network>, Error> {
        if let Some(network) = self.kept(batch) {
            return Ok(network);
        }
        let _alone = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have compiled it meanwhile.
        if let Some(network) = self.kept(batch) {
            return Ok(network);
        }
        let options = Options {
            batch,
            ..self.options.clone()
        };
        let network = Arc::new(self.model.compile(&self.weights, &options)?);
        let mut compiled = self.lock();
        compiled.insert(0, Arc::clone(&network));
        compiled.truncate(KEPT);
        Ok(network)
    }

    /// The network that was compiled or asked for last.
    ///
    /// # Errors
    /// As [`network`](Self::network).
    pub fn latest(&self) -> Result<Arc<Network>, Error> {
        let last = self.lock().first().cloned();
        last.map_or_else(|| self.network(self.first), Ok)
    }

    /// The network for a batch of that size if it is one of the last few: does not wait for one that is being compiled.
    pub fn kept(&self, batch: usize) -> Option<Arc<Network>> {
        let mut compiled = self.lock();
        let place = compiled.iter().position(|network| network.batch() == batch)?;
        compiled[..=place].rotate_right(1);
        Some(Arc::clone(&compiled[0]))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Network>>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model {
    /// What people give as a model, as [`Source::open`](crate::Source::open) understands it.
    ///
    /// # Errors
    /// As [`Source::open`](crate::Source::open) and [`new`](Self::new).
    pub fn open(name: &str, options: &cnn_onnx::ImportOptions) -> Result<Model, Error> {
        Model::new(crate::Source::open(name, options)?)
    }
}

/// What a model takes and gives, and the batch that it is made for.
fn interface(model: &Model) -> (Vec<ArrayInfo>, Vec<ArrayInfo>, usize) {
    let Some(arrays) = model.file_arrays() else {
        let info = |port: Port| ArrayInfo {
            name: port.name,
            dims: port.shape,
            batched: true,
        };
        let [inputs, outputs] = [model.inputs(), model.outputs()].map(|ports| ports.into_iter().map(info).collect());
        return (inputs, outputs, 1);
    };
    let info = |port: &cnn_onnx::Port| ArrayInfo {
        name: port.name.clone(),
        dims: port.dims.clone(),
        batched: arrays.batch != Batch::None,
    };
    let [inputs, outputs] = [&arrays.inputs, &arrays.outputs].map(|ports| ports.iter().map(info).collect());
    let first = match arrays.batch {
        Batch::Fixed(batch) => batch,
        Batch::Free | Batch::None => 1,
    };
    (inputs, outputs, first)
}

fn position(infos: &[ArrayInfo], what: &str, name: &str) -> Result<usize, Error> {
    let found = infos.iter().position(|info| info.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = infos.iter().map(|info| format!("`{}`", info.name)).collect();
        let near = nearest(name, infos.iter().map(|info| &*info.name)).filter(|_| infos.len() > 1);
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        Error::Option(format!(
            "the network has no {what} `{name}`; it has {}{near}",
            names.join(", ")
        ))
    })
}
