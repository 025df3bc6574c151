//! The live page's network: another text is compiled, another image is run, and the page is told what became of it.

use std::sync::Arc;

use cnn::explain::serve::{Desk, Refusal};
use cnn::explain::{self, Explained, Origin};
use cnn::lesson::{Lesson, fitted, stand_ins};
use cnn::{Error, Model, Options, Port, Source, Weights};
use ndarray::ArrayD;

/// A network on the desk.
pub(super) struct LiveDesk {
    lesson: Lesson,
    /// What the model it began with was called.
    name: String,
    /// The weights it began with: they are used as long as they fit.
    weights: (Arc<Weights>, Origin),
    options: Options,
}

impl LiveDesk {
    pub(super) fn new(lesson: Lesson, options: Options) -> LiveDesk {
        LiveDesk {
            name: lesson.model.text().1.to_owned(),
            weights: lesson.weights(),
            options,
            lesson,
        }
    }

    /// Another network in place of the one on the desk.
    fn take(&mut self, text: &str) -> Result<(), Error> {
        let model = Model::new(Source::text(text, &self.name))?;
        let weights = self.weights(&model);
        let next = Lesson::new(model, weights, |model| self.arrays(model), &self.options)?;
        self.lesson.succeeded_by(next);
        Ok(())
    }

    /// The first network's weights if they fit, else made-up ones.
    fn weights(&self, model: &Model) -> (Arc<Weights>, Origin) {
        let (first, origin) = &self.weights;
        if model.check_weights(first).problems.is_empty() {
            return (Arc::clone(first), origin.clone());
        }
        let weights = Weights::random(0);
        let origin = Origin::new("random", &weights.describe());
        (Arc::new(weights), origin)
    }

    /// The images on the desk if they fit, else drawn or made-up ones.
    fn arrays(&self, model: &Model) -> Result<(Vec<ArrayD<f32>>, Origin), Error> {
        let ports = model.inputs();
        let shapes = |ports: &[Port]| ports.iter().map(|port| port.batched(1)).collect::<Vec<_>>();
        if shapes(&ports) == shapes(&self.lesson.model.inputs()) {
            return Ok((self.lesson.arrays.clone(), self.lesson.input_origin.clone()));
        }
        let arrays = stand_ins(&ports)?;
        Ok((arrays, Origin::new("card", "")))
    }
}

fn packed(explained: &Result<Explained, Error>) -> Result<Vec<u8>, Refusal> {
    let explained = explained.as_ref().map_err(refusal)?;
    explain::page::pack(explained).map_err(|problem| Refusal::message(Error::from(problem)))
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::Model(model) => Refusal::diagnostics(&model.diagnostics),
        other => Refusal::message(other),
    }
}

impl Desk for LiveDesk {
    fn now(&mut self) -> Result<Vec<u8>, Refusal> {
        packed(&self.lesson.explained(true, true))
    }

    fn image(&self) -> Vec<f32> {
        self.lesson
            .arrays
            .first()
            .map_or(Vec::new(), |array| array.iter().copied().collect())
    }

    fn rewrite(&mut self, text: &str) -> Result<Vec<u8>, Refusal> {
        self.take(text).map_err(|error| refusal(&error))?;
        packed(&self.lesson.explained(true, false))
    }

    fn show(&mut self, image: Vec<f32>) -> Result<Vec<u8>, Refusal> {
        let port = self.lesson.network.inputs()[0].clone();
        let array = fitted(&port, image).map_err(|error| refusal(&error))?;
        self.lesson.arrays[0] = array;
        self.lesson.input_origin = Origin::new("drawn", "");
        packed(&self.lesson.explained(false, false))
    }

    fn answer(&mut self, image: &[f32]) -> Result<Vec<Vec<f32>>, Refusal> {
        let mut results = self.lesson.outputs();
        let mut outputs: Vec<_> = results.iter_mut().map(Vec::as_mut_slice).collect();
        let others = self.lesson.arrays.iter().skip(1).filter_map(|array| array.as_slice());
        let inputs: Vec<&[f32]> = [image].into_iter().chain(others).collect();
        let run = self.lesson.network.run_into(&inputs, &mut outputs);
        run.map_err(|error| refusal(&error))?;
        Ok(results)
    }
}
