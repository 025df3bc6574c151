//! A network with its weights, its image and its compiled form: all that a page is made of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cnn_codegen::jit;
use cnn_explain::{self as explain, Compiled, Explained, Machine, Origin, Subject};
use ndarray::{ArrayD, IxDyn};

use crate::{Error, Model, Network, Options, Port, Roofs, Session, Weights};

/// Runs that are measured step by step, at least and at most, and for how long.
const RUNS: (usize, usize) = (3, 200);
const BUDGET: Duration = Duration::from_millis(200);
/// Built-in models whose tables the course shows.
const FAMOUS: [&str; 6] = ["lenet5", "alexnet", "vgg16", "resnet18", "inception_naive", "googlenet"];

/// A network and what it is shown with.
#[derive(Debug)]
pub struct Lesson {
    /// The network.
    pub model: Model,
    weights: Arc<Weights>,
    weight_origin: Origin,
    /// An array for each input, of one image.
    pub arrays: Vec<ArrayD<f32>>,
    /// Where the images are from.
    pub input_origin: Origin,
    labels: Vec<String>,
    beside: Option<Model>,
    famous: Vec<Model>,
    /// The network, compiled.
    pub network: Network,
    machine: Machine,
    max_memory: Option<u64>,
}

impl Lesson {
    /// Compiles a model, and measures it on one image for each input. The images are asked for only then: what the network
    /// takes in memory has been counted.
    ///
    /// # Errors
    /// As [`Model::compile`] and [`Network::profile`], and as `images`.
    pub fn new<E: From<Error>>(
        model: Model,
        (weights, weight_origin): (impl Into<Arc<Weights>>, Origin),
        images: impl FnOnce(&Model) -> Result<(Vec<ArrayD<f32>>, Origin), E>,
        options: &Options,
    ) -> Result<Lesson, E> {
        let weights = weights.into();
        let network = model.compile(&weights, options)?;
        let (arrays, input_origin) = images(&model)?;
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
            max_memory: options.max_memory,
        };
        lesson.machine.times = lesson.measured()?;
        Ok(lesson)
    }

    /// With the classes' names, another network beside it, the machine's roofs and the course.
    ///
    /// # Errors
    /// As [`Roofs::measure`].
    pub fn with(mut self, labels: Vec<String>, beside: Option<Model>) -> Result<Lesson, Error> {
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
    pub fn succeeded_by(&mut self, mut next: Lesson) {
        next.machine.roofs = self.machine.roofs;
        next.beside = self.beside.take();
        let classes = next.model.outputs().first().map(|port| port.shape[0]);
        if classes == Some(self.labels.len()) {
            next.labels = std::mem::take(&mut self.labels);
        }
        *self = next;
    }

    /// Its weights, and where they are from.
    pub fn weights(&self) -> (Arc<Weights>, Origin) {
        (Arc::clone(&self.weights), self.weight_origin.clone())
    }

    /// The elements of each input's image.
    fn inputs(&self) -> Vec<&[f32]> {
        self.arrays.iter().filter_map(|array| array.as_slice()).collect()
    }

    /// Room for the elements of each output.
    pub fn outputs(&self) -> Vec<Vec<f32>> {
        let elements = |port: &Port| port.shape.iter().product();
        self.network
            .outputs()
            .iter()
            .map(|port| vec![0.0; elements(port)])
            .collect()
    }

    /// All that the page shows; what a live page has already can be left out.
    ///
    /// # Errors
    /// [`Error::Limit`] if there is not enough memory for all values, [`Error::Weights`] as [`Model::compile`].
    pub fn explained(&self, compiler: bool, course: bool) -> Result<Explained, Error> {
        let model = &self.model;
        let ((text, name), graph) = (model.text(), model.placed()?);
        let plan = self.network.plan().filter(|_| compiler);
        let listing = plan.map(jit::listing).transpose()?.unwrap_or_default();
        let compiled = plan.map(|plan| Compiled {
            plan,
            listing: &listing,
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
            max_memory: self.max_memory,
        };
        explain::explain(&subject, self.weights.source()).map_err(Error::from)
    }

    /// The page.
    ///
    /// # Errors
    /// As [`explained`](Self::explained).
    pub fn page(&self) -> Result<String, Error> {
        explain::page::fill(&self.explained(true, true)?).map_err(Error::from)
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

/// The extent of the picture that is drawn for an input, if it takes grey or coloured images of some size.
fn picture(port: &Port) -> Option<[usize; 3]> {
    port.map()
        .filter(|&[channels, rows, columns]| matches!(channels, 1 | 3) && rows.min(columns) >= 8)
}

/// The picture that is drawn for an input that takes grey or coloured images of some size.
pub fn drawn(port: &Port) -> Option<ArrayD<f32>> {
    let extent = picture(port)?;
    let planar = ArrayD::from_shape_vec(IxDyn(&extent), explain::card::picture(extent)).ok()?;
    Some(match port.hwc {
        true => planar
            .permuted_axes(IxDyn(&[1, 2, 0]))
            .as_standard_layout()
            .into_owned(),
        false => planar,
    })
}

/// Elements as an input's array of one image.
///
/// # Errors
/// [`Error::Input`] if they are not as many.
pub fn fitted(port: &Port, elements: Vec<f32>) -> Result<ArrayD<f32>, Error> {
    let found = elements.len();
    ArrayD::from_shape_vec(IxDyn(&port.batched(1)), elements).map_err(|_| Error::Input {
        name: port.name.clone(),
        problem: format!("expected {:?}, found {found} elements", port.shape),
    })
}

/// What every input is shown if nobody gives images: the drawn picture, or made-up numbers.
///
/// # Errors
/// As [`fitted`].
pub fn stand_ins(ports: &[Port]) -> Result<Vec<ArrayD<f32>>, Error> {
    let stand_in = |port: &Port| {
        let elements = match drawn(port) {
            Some(card) => card.into_iter().collect(),
            None => crate::random_input(&port.name, port.shape.iter().product(), 0),
        };
        fitted(port, elements)
    };
    ports.iter().map(stand_in).collect()
}

impl Session {
    /// The page that shows the network at work on one image: the elements of each input, or nothing for a drawn picture
    /// or made-up numbers.
    ///
    /// # Errors
    /// As [`Lesson::new`] and [`Lesson::page`]; [`Error::Input`] if elements do not fit.
    pub fn explain(&self, image: &[&[f32]]) -> Result<String, Error> {
        let model = self.model();
        let ports = model.inputs();
        let arrays = match image {
            [] => stand_ins(&ports)?,
            given => {
                let pairs = ports.iter().zip(given);
                let arrays = pairs.map(|(port, elements)| fitted(port, elements.to_vec()));
                arrays.collect::<Result<_, _>>()?
            }
        };
        let input_origin = match image {
            [] if ports.iter().any(|port| picture(port).is_some()) => Origin::new("card", ""),
            [] => Origin::new("random", "random:0"),
            _ => Origin::new("file", "array"),
        };
        let weights = self.weights();
        let kind = match () {
            () if model.weights().is_empty() => "none",
            () if self.has_own_weights() => "own",
            // Only made-up tensors have no names.
            () if weights.names().is_empty() => "random",
            () => "file",
        };
        let weight_origin = Origin::new(kind, &weights.describe());
        let options = Options {
            batch: 1,
            ..self.options().clone()
        };
        Lesson::new(
            model.clone(),
            (Arc::clone(weights), weight_origin),
            |_| Ok::<_, Error>((arrays, input_origin)),
            &options,
        )?
        .with(Vec::new(), None)?
        .page()
    }
}
