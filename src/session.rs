//! A model with its weights, compiled for every batch and size that it meets: what programs in other languages hold.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cnn_ir::diag::nearest;

use crate::arrays::Interface;
use crate::{ArrayInfo, CompiledFile, Error, Model, Network, Options, Sizes, Weights};

/// Networks that a session keeps: those of the batches used last.
const KEPT: usize = 4;

/// Sessions for other sizes of image that a session keeps: those used last.
const KEPT_SIZES: usize = 4;

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
    /// All networks of these weights, of whatever batch and size, that are still there: they share constants.
    family: Arc<Mutex<Vec<Weak<Network>>>>,
    /// The same at other sizes of image; those used last come first.
    sizes: Mutex<Vec<(Sizes, Arc<Session>)>>,
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
        let are_own = weights.is_none();
        let weights = match weights {
            Some(weights) => weights,
            None => own_weights(&model)?,
        };
        let session = Session::of(model, Arc::new(weights), are_own, options, batch);
        session.network(session.first)?;
        Ok(session)
    }

    /// A session that has compiled nothing yet.
    fn of(model: Model, weights: Arc<Weights>, own_weights: bool, options: Options, batch: Option<usize>) -> Session {
        let interface = Interface::of(&model);
        // Compiled code is for one batch only.
        let batch = batch.or(model.compiled().map(CompiledFile::batch));
        Session {
            weights,
            own_weights,
            options,
            inputs: interface.inputs,
            outputs: interface.outputs,
            fixed: batch,
            first: batch.unwrap_or(interface.batch),
            compiled: Mutex::default(),
            compiling: Mutex::default(),
            family: Arc::default(),
            sizes: Mutex::default(),
            model,
        }
    }

    /// The session for images of the sizes that arrays of these shapes have, one for each input: `None` if they are this
    /// one's. Those of the last few sizes are kept.
    ///
    /// # Errors
    /// [`Error::Input`] for shapes that differ in more than the sizes that the model leaves free;
    /// [`Error::Model`], [`Error::Onnx`] if its layers do not fit images of these sizes.
    ///
    /// ```
    /// use cnn::{Model, Options, Session};
    ///
    /// let text = "[inputs]\nimage = [3, 'H', 'W']\n[[layer]]\nname = 'half'\nop = 'max_pool'\nsize = 2\n";
    /// let session = Session::new(Model::from_toml(text)?, None, Options::default(), None)?;
    /// let other = session.of_sizes(&[&[1, 3, 480, 640]])?.expect("other sizes");
    /// assert_eq!(other.outputs()[0].shape(1), [1, 3, 240, 320]);
    /// let mut output = vec![0.0; 3 * 240 * 320];
    /// other.network(1)?.run_into(&[&[0.5; 3 * 480 * 640]], &mut [&mut output])?;
    /// # Ok::<(), cnn::Error>(())
    /// ```
    pub fn of_sizes(&self, shapes: &[&[usize]]) -> Result<Option<Arc<Session>>, Error> {
        let are_free = self.inputs.iter().any(|input| !input.free.is_empty());
        // Anything wrong with their number is told where the batch is asked for.
        if !are_free || shapes.len() != self.inputs.len() {
            return Ok(None);
        }
        let (mut own, mut wanted) = (Sizes::new(), Sizes::new());
        for (input, shape) in self.inputs.iter().zip(shapes) {
            input.add_sizes(&input.shape(1), &mut own)?;
            input.add_sizes(shape, &mut wanted)?;
        }
        if own == wanted {
            return Ok(None);
        }
        if let Some(session) = self.kept_sizes(&wanted) {
            return Ok(Some(session));
        }
        let model = self.model.with_sizes(&wanted)?;
        let are_same = !self.own_weights || model.shares_weights(&self.model);
        let weights = match are_same {
            true => Arc::clone(&self.weights),
            false => Arc::new(own_weights(&model)?),
        };
        let mut session = Session::of(model, weights, self.own_weights, self.options.clone(), self.fixed);
        if are_same {
            session.family = Arc::clone(&self.family);
        }
        // Another thread may have made it meanwhile.
        if let Some(session) = self.kept_sizes(&wanted) {
            return Ok(Some(session));
        }
        let session = Arc::new(session);
        let mut sizes = locked(&self.sizes);
        sizes.insert(0, (wanted, Arc::clone(&session)));
        sizes.truncate(KEPT_SIZES);
        Ok(Some(session))
    }

    /// The session for these sizes if it is one of the last few.
    fn kept_sizes(&self, wanted: &Sizes) -> Option<Arc<Session>> {
        let mut sizes = locked(&self.sizes);
        let place = sizes.iter().position(|(sizes, _)| sizes == wanted)?;
        sizes[..=place].rotate_right(1);
        Some(Arc::clone(&sizes[0].1))
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
        let _alone = locked(&self.compiling);
        // Another thread may have compiled it meanwhile.
        if let Some(network) = self.kept(batch) {
            return Ok(network);
        }
        let options = Options {
            batch,
            ..self.options.clone()
        };
        let mut family: Vec<_> = locked(&self.family).iter().filter_map(Weak::upgrade).collect();
        let network = Arc::new(self.model.compile_beside(&family, &self.weights, &options)?);
        family.push(Arc::clone(&network));
        *locked(&self.family) = family.iter().map(Arc::downgrade).collect();
        let mut compiled = locked(&self.compiled);
        compiled.insert(0, Arc::clone(&network));
        compiled.truncate(KEPT);
        Ok(network)
    }

    /// The network that was compiled or asked for last.
    ///
    /// # Errors
    /// As [`network`](Self::network).
    pub fn latest(&self) -> Result<Arc<Network>, Error> {
        let last = locked(&self.compiled).first().cloned();
        last.map_or_else(|| self.network(self.first), Ok)
    }

    /// The network for a batch of that size if it is one of the last few: does not wait for one that is being compiled.
    pub fn kept(&self, batch: usize) -> Option<Arc<Network>> {
        let mut compiled = locked(&self.compiled);
        let place = compiled.iter().position(|network| network.batch() == batch)?;
        compiled[..=place].rotate_right(1);
        Some(Arc::clone(&compiled[0]))
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

/// A panic elsewhere leaves what is here whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn own_weights(model: &Model) -> Result<Weights, Error> {
    let own = model.own_weights()?;
    own.ok_or_else(|| Error::Option(model.weights_missing()))
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
