//! Tuning: measures the kernels that a model's convolutions may use, once a machine, and remembers.

mod cache;
mod machine;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cnn_codegen::compile;
use cnn_codegen::plan::{self, Measurements};
use cnn_codegen::tune::{Effort, measure};
use cnn_runtime::memory::available_memory;

use crate::error::Error;
use crate::{Backend, Model, Options};

pub use cache::default_file;

/// The most bytes that are read between two runs of a layer: more than most last-level caches hold.
const BETWEEN: usize = 64 << 20;

/// How to tune. The default takes at most about five seconds and remembers under the user's cache directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuner {
    /// How long to measure, about; layers that were not reached keep their predictions. Zero measures nothing.
    pub budget: Duration,
    /// Where times are remembered; nowhere if `None`.
    pub file: Option<PathBuf>,
}

impl Default for Tuner {
    fn default() -> Tuner {
        Tuner {
            budget: Duration::from_secs(5),
            file: default_file(),
        }
    }
}

/// What tuning gave.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    /// The times: for [`Options::measured`].
    pub measured: Measurements,
    /// Kinds of convolutions that were measured now.
    pub new: usize,
    /// Kinds whose times were remembered.
    pub remembered: usize,
    /// Kinds that keep their predictions: the budget was spent, or see `warnings`.
    pub left: usize,
    /// What went wrong, but hurts nobody: a damaged file, no memory to measure a layer.
    pub warnings: Vec<String>,
}

impl Model {
    /// Measures the algorithms of each kind of convolution that `options` leave a choice for, except where the times
    /// are remembered from before. A network compiled with them has, for each, the fastest.
    ///
    /// ```
    /// use cnn::{Model, Options, Tuner, Weights};
    ///
    /// let model = Model::builtin("lenet5")?;
    /// let options = Options::default();
    /// let tuning = model.tune(&options, &Tuner { file: None, ..Tuner::default() })?;
    /// let options = Options { measured: tuning.measured, ..options };
    /// let network = model.compile(&Weights::random(0), &options)?;
    /// # Ok::<(), cnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`plan`](Model::plan).
    pub fn tune(&self, options: &Options, tuner: &Tuner) -> Result<Tuning, Error> {
        match options.backend {
            Backend::Jit => tune(self, options, tuner),
            Backend::Interp => Ok(Tuning::default()),
        }
    }
}

fn tune(model: &Model, asked: &Options, tuner: &Tuner) -> Result<Tuning, Error> {
    let start = Instant::now();
    let mut tuning = Tuning::default();
    let options = asked.for_plan();
    // Whatever is too large to run is too large to tune.
    let plan = model.plan(asked)?;
    let choices = match asked.optimise {
        true => {
            let compile::Optimised { graph, shapes, .. } = model.optimised()?;
            plan::choices(&graph, &shapes, &options)
        }
        false => plan::choices(model.graph(), model.shapes(), &options),
    };
    if choices.is_empty() {
        return Ok(tuning);
    }
    let machine = machine::describe();
    let mut cache = tuner.file.as_deref().map_or_else(cache::Cache::default, |file| {
        cache::Cache::read(file).unwrap_or_else(|warning| {
            tuning.warnings.push(warning);
            cache::Cache::default()
        })
    });
    let (known, unknown): (Vec<_>, Vec<_>) = choices
        .into_iter()
        .map(|choice| {
            let times = cache.times(&machine, &choice);
            (choice, times)
        })
        .partition(|(_, times)| times.is_some());
    tuning.remembered = known.len();
    let mut measured: Vec<_> = known
        .into_iter()
        .filter_map(|(choice, times)| Some((choice.signature, times?)))
        .collect();
    let between = plan.constant_bytes.saturating_add(plan.arena_bytes).min(BETWEEN);
    drop(plan);
    let count = unknown.len();
    let (mut unreached, mut failed) = (0, 0);
    for (index, (choice, _)) in unknown.into_iter().enumerate() {
        let left = tuner.budget.saturating_sub(start.elapsed());
        if left.is_zero() {
            unreached = count - index;
            break;
        }
        let effort = Effort {
            // What one leaves over is the others'.
            time: left / u32::try_from(count - index).unwrap_or(u32::MAX),
            between,
            memory: asked.max_memory.unwrap_or_else(available_memory),
        };
        match measure(&choice, &options, &effort) {
            Ok(times) => {
                cache.insert(&machine, &choice, &times);
                measured.push((choice.signature, times));
                tuning.new += 1;
            }
            Err(error) => {
                failed += 1;
                let layer = choice.layer.escape_debug();
                tuning.warnings.push(format!("layer `{layer}` was not tuned: {error}"));
            }
        }
    }
    tuning.left = unreached + failed;
    if let Some(file) = &tuner.file
        && tuning.new > 0
        && let Err(warning) = cache.write(file)
    {
        tuning.warnings.push(warning);
    }
    tuning.measured = measured.into_iter().collect();
    Ok(tuning)
}
