//! From arguments to a model, its weights and a compiled network, with warnings on the way.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;

use cnn::{Error, Model, Network, Source, Weights};

use super::args::{Compilation, ModelArgument, Origin};
use super::format::counted;
use super::inputs::{self, Inputs, Sized};
use super::progress::Progress;
use super::{Failure, note, warn};

/// Reads and checks a model: a file or a built-in name. Of one that leaves sizes free and was given none, it says which are
/// taken.
pub(super) fn open(argument: &ModelArgument) -> Result<Model, Failure> {
    let model = open_of_any_size(argument)?;
    if !argument.is_shaped() {
        say_sizes(&model);
    }
    Ok(model)
}

/// Reads and checks a model as [`open`] does; where it leaves sizes free, it is of the size of what it is given.
pub(super) fn open_for(argument: &ModelArgument, inputs: &Inputs) -> Result<Model, Failure> {
    let model = open_of_any_size(argument)?;
    if argument.is_shaped() {
        return Ok(model);
    }
    let all = inputs::at_their_sizes(model, inputs, argument.limit())?;
    let sizes = all.len();
    let Some(Sized { model, names, .. }) = all.into_iter().next().filter(|_| sizes == 1) else {
        let problem = format!("the images have {sizes} sizes one after another: give images of one size, or --shape");
        return Err(Error::Option(problem).into());
    };
    if names.is_empty() {
        say_sizes(&model);
    }
    Ok(model)
}

/// Reads and checks a model as [`open`] does, for whoever has something to say of free sizes.
pub(super) fn open_of_any_size(argument: &ModelArgument) -> Result<Model, Failure> {
    understood(argument.source()?)
}

/// Says which sizes are taken for those that a model leaves free, if it does.
pub(super) fn say_sizes(model: &Model) {
    let free = model.free_sizes();
    let Some((input, _)) = free.first().and_then(|free| free.places.first()) else {
        return;
    };
    let sizes: Vec<_> = free
        .iter()
        .map(|free| format!("{} = {}", free.name, free.size))
        .collect();
    let input = &model.input_arrays()[*input];
    let shape: Vec<_> = input.shape(1).iter().map(usize::to_string).collect();
    note(format_args!(
        "{} leaves sizes free: {}; others with --shape {}={}",
        model.name(),
        sizes.join(", "),
        input.name,
        shape.join(",")
    ));
}

/// Checks a model that was read, with warnings.
pub(super) fn understood(source: Source) -> Result<Model, Failure> {
    let model = Model::new(source)?;
    let warnings = model.warnings(true);
    if !warnings.is_empty() {
        let _ = write!(anstream::stderr(), "{warnings}");
    }
    Ok(model)
}

/// The weights asked for; without any, the model's own. `None` if it has none of its own, but needs some.
pub(super) fn weights(model: &Model, argument: Option<&Origin>) -> Result<Option<Weights>, Error> {
    let weights = match argument {
        Some(Origin::Random(seed)) => Weights::random(*seed),
        Some(Origin::File(path)) => {
            let weights = from_file(model, path)?;
            warn_unused(model, &weights);
            weights
        }
        None => match model.own_weights()? {
            Some(weights) => weights,
            None => return Ok(None),
        },
    };
    Ok(Some(weights))
}

/// A file's weights, called as the model calls them: what a wrapper put before all names is said, and left out.
pub(super) fn from_file(model: &Model, path: &Path) -> Result<Weights, Error> {
    let wanted = model.weights().into_iter().map(|tensor| tensor.name).collect();
    let (weights, prefix) = Weights::from_file(path)?.without_prefix(&wanted);
    if let Some(prefix) = prefix {
        let prefix = prefix.escape_debug();
        let _ = writeln!(
            anstream::stderr(),
            "the names in {} begin with `{prefix}`, which is left out",
            weights.describe()
        );
    }
    Ok(weights)
}

/// Warns of tensors that no layer uses.
pub(super) fn warn_unused(model: &Model, weights: &Weights) {
    if let Some(warning) = model.unused_warning(weights) {
        warn(warning);
    }
}

/// Compiles, with a sign of life if that takes long.
pub(super) fn compile(
    model: &Model,
    weights: &Weights,
    compilation: &Compilation,
    max_memory: Option<u64>,
    batch: usize,
) -> Result<Network, Error> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut compilation = compilation.clone();
    if let Some(asked) = compilation.threads
        && asked.get() > cores
    {
        warn(format_args!(
            "--threads {asked}: this machine has {}, and as many threads are used",
            counted(cores, "core")
        ));
        compilation.threads = NonZeroUsize::new(cores);
    }
    let _progress = Progress::new(format!("compiling {}", model.name()));
    model.compile(weights, &compilation.options(batch, max_memory))
}

/// What to say when weights are needed and none were given.
pub(super) fn weights_missing(model: &Model) -> Failure {
    let tensors = model.weights().len();
    Failure::Usage(format!(
        "`{}` needs {tensors} tensors of weights: give --weights FILE.safetensors, or --weights random to try it",
        model.name()
    ))
}
