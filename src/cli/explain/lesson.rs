//! A network with its weights, its image and its compiled form: all that a page is made of.

use std::time::{Duration, Instant};

use cnn::explain::{self, Compiled, ExplainError, Explained, Machine, Origin, Subject};
use cnn::jit::Listed;
use cnn::plan::Plan;
use cnn::{Error, Model, Network, Options, Roofs, Weights};
use ndarray::ArrayD;

/// Runs that are measured step by step, at least and at most, and for how long.
const RUNS: (usize, usize) = (3, 200);
const BUDGET: Duration = Duration::from_millis(200);
/// Built-in models whose tables the course shows.
const FAMOUS: [&str; 6] = ["lenet5", "alexnet", "vgg16", "resnet18", "inception_naive", "googlenet"];

/// A network and what it is shown with.
pub(super) struct Lesson {
    pub(super) model: Model,
    pub(super) weights: Weights,
    weight_origin: Origin,
    pub(super) arrays: Vec<ArrayD<f32>>,
    pub(super) input_origin: Origin,
    labels: Vec<String>,
    beside: Option<Model>,
    famous: Vec<Model>,
    pub(super) network: Network,
    plan: Plan,
    listing: Vec<Listed>,
    machine: Machine,
}

impl Lesson {
    /// Compiles a model and measures it on its image.
    pub(super) fn new(
        model: Model,
        weights: Weights,
        weight_origin: Origin,
        arrays: Vec<ArrayD<f32>>,
        input_origin: Origin,
    ) -> Result<Lesson, Error> {
        let options = Options::default();
        let network = model.compile(&weights, &options)?;
        let (plan, listing) = (model.plan(&options)?, model.listing(&options)?);
        let mut lesson = Lesson {
            model,
            weights,
            weight_origin,
            arrays,
            input_origin,
            labels: Vec::new(),
            beside: None,
            famous: Vec::new(),
            machine: Machine {
                target: network.target(),
                ..Machine::default()
            },
            network,
            plan,
            listing,
        };
        lesson.machine.times = lesson.measured()?;
        Ok(lesson)
    }

    /// With the classes' names, another network beside it, the machine's roofs and the course.
    pub(super) fn with(mut self, labels: Vec<String>, beside: Option<Model>) -> Result<Lesson, Error> {
        let roofs = Roofs::measure(self.network.threads())?;
        self.machine.roofs = roofs.operations.map(|operations| [operations, roofs.bytes]);
        self.famous = FAMOUS
            .iter()
            .map(|name| Model::builtin(name))
            .collect::<Result<_, _>>()?;
        self.labels = labels;
        self.beside = beside;
        Ok(self)
    }

    /// Another model in its place, with what does not depend on it: the machine's roofs, what stands beside it.
    pub(super) fn succeeded_by(&mut self, mut next: Lesson) {
        next.machine.roofs = self.machine.roofs;
        next.beside = self.beside.take();
        let classes = next.model.outputs().first().map(|port| port.shape[0]);
        if classes == Some(self.labels.len()) {
            next.labels = std::mem::take(&mut self.labels);
        }
        *self = next;
    }

    /// The elements of each input's image.
    fn inputs(&self) -> Vec<&[f32]> {
        self.arrays.iter().filter_map(|array| array.as_slice()).collect()
    }

    /// Room for the elements of each output.
    pub(super) fn outputs(&self) -> Vec<Vec<f32>> {
        let elements = |port: &cnn::Port| port.shape.iter().product();
        self.network
            .outputs()
            .iter()
            .map(|port| vec![0.0; elements(port)])
            .collect()
    }

    /// All that the page shows; what a live page has already can be left out.
    pub(super) fn explained(&self, compiler: bool, course: bool) -> Result<Explained, Error> {
        let model = &self.model;
        let ((text, name), graph) = (model.text(), model.placed()?);
        let compiled = compiler.then(|| Compiled {
            plan: &self.plan,
            listing: &self.listing,
            machine: self.machine.clone(),
        });
        let tables = self.famous.iter().map(|model| (model.graph(), model.shapes()));
        let subject = Subject {
            graph: &graph,
            shapes: model.shapes(),
            text: &text,
            text_name: name.to_owned(),
            about: model
                .as_builtin()
                .map_or(String::new(), |builtin| builtin.about.to_owned()),
            labels: self.labels.clone(),
            inputs: self.inputs(),
            input_origin: self.input_origin.clone(),
            weight_origin: self.weight_origin.clone(),
            compiled,
            beside: self.beside.as_ref().map(|model| (model.graph(), model.shapes())),
            famous: course.then(|| tables.collect()),
        };
        explain::explain(&subject, self.weights.source()).map_err(error)
    }

    /// The median time of each step.
    fn measured(&self) -> Result<Vec<Duration>, Error> {
        let inputs = self.inputs();
        let mut outputs = self.outputs();
        let mut outputs: Vec<_> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let begin = Instant::now();
        let mut runs = Vec::new();
        while runs.len() < RUNS.0 || (runs.len() < RUNS.1 && begin.elapsed() < BUDGET) {
            let steps = self.network.profile(&inputs, &mut outputs)?;
            runs.push(steps.into_iter().map(|step| step.time).collect::<Vec<_>>());
        }
        let median = |step: usize| {
            let mut times: Vec<_> = runs.iter().map(|run| run[step]).collect();
            times.sort_unstable();
            times[times.len() / 2]
        };
        Ok((0..runs[0].len()).map(median).collect())
    }
}

/// The library's error for one of the page.
pub(super) fn error(error: ExplainError) -> Error {
    match error {
        ExplainError::Weights(error) => error.into(),
        ExplainError::Interpreter(_) | ExplainError::Memory { .. } | ExplainError::Serve { .. } => {
            Error::Limit(error.to_string())
        }
        ExplainError::Pass(_) | ExplainError::Plan(_) | ExplainError::Internal(_) => Error::Internal(error.to_string()),
    }
}
