//! From arguments to a model, its weights and a compiled network, with warnings on the way.

use std::io::Write;

use cnn::{Error, Model, Network, Options, Source, Tuner, Weights};

use super::args::{Compilation, ModelArgument, Origin};
use super::progress::Progress;
use super::{Failure, warn};

/// Reads and checks a model: a file or a built-in name.
pub(super) fn open(model: &ModelArgument) -> Result<Model, Failure> {
    understood(model.source()?)
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
            let weights = Weights::from_file(path)?;
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

/// Warns of tensors that no layer uses.
pub(super) fn warn_unused(model: &Model, weights: &Weights) {
    if let Some(warning) = model.unused_warning(weights) {
        warn(warning);
    }
}

/// The library's options, for so many images, with the times of kernels if they are asked for.
pub(super) fn options(model: &Model, compilation: &Compilation, batch: usize) -> Result<Options, Error> {
    let options = compilation.options(batch);
    let Some(budget) = compilation.tune else {
        return Ok(options);
    };
    let progress = Progress::new(format!("tuning {}", model.name()));
    let tuner = Tuner {
        budget: budget.0,
        ..Tuner::default()
    };
    let tuning = model.tune(&options, &tuner)?;
    drop(progress);
    tuning.warnings.iter().for_each(warn);
    let kinds = tuning.new + tuning.remembered + tuning.left;
    if kinds == 0 {
        warn("nothing to tune: no convolution has a choice of algorithms");
    } else if tuning.left > 0 && !budget.0.is_zero() {
        let left = tuning.left;
        warn(format_args!(
            "{left} of {kinds} kinds of convolutions keep their predictions; tuning again goes on with them"
        ));
    }
    Ok(Options {
        measured: tuning.measured,
        ..options
    })
}

/// Compiles, with a sign of life if that takes long.
pub(super) fn compile(
    model: &Model,
    weights: &Weights,
    compilation: &Compilation,
    batch: usize,
) -> Result<Network, Error> {
    let options = options(model, compilation, batch)?;
    let _progress = Progress::new(format!("compiling {}", model.name()));
    model.compile(weights, &options)
}

/// What to say when weights are needed and none were given.
pub(super) fn weights_missing(model: &Model) -> Failure {
    let tensors = model.weights().len();
    Failure::Usage(format!(
        "`{}` needs {tensors} tensors of weights: give --weights FILE.safetensors, or --weights random to try it",
        model.name()
    ))
}
