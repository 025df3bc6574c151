//! A compiled network: what runs.

use std::time::{Duration, Instant};

use cnn_codegen::interp::{Interpreter, InterpreterError};
use ndarray::{ArrayD, ArrayView, Dimension, IxDyn};

use crate::error::Error;
use crate::memory::Need;
use crate::{Backend, Model, Options, Port, Weights};

/// A network compiled for one batch size. Running it changes nothing: several threads may share it.
#[derive(Debug)]
pub struct Network {
    name: String,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    batch: usize,
    backend: Backend,
    threads: usize,
    need: Need,
    compile_time: Duration,
    executable: Executable,
}

/// Who carries it out.
#[derive(Debug)]
enum Executable {
    Interp(Interpreter),
}

impl Network {
    pub(crate) fn compile(
        model: &Model,
        weights: &Weights,
        options: &Options,
        start: Instant,
    ) -> Result<Network, Error> {
        let threads = match options.threads {
            Some(threads) => threads,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        if options.batch == 0 || threads == 0 {
            return Err(Error::Option(
                "the batch and the number of threads must be at least 1".into(),
            ));
        }
        let limit = options.max_memory.unwrap_or_else(cnn_runtime::memory::available_memory);
        let optimised;
        let (graph, shapes) = if options.optimise {
            optimised = model.optimised()?;
            (&optimised.graph, &optimised.shapes)
        } else {
            (model.graph(), model.shapes())
        };
        let arrays = Need::arrays(model, options.batch);
        let (need, executable) = match options.backend {
            Backend::Interp => {
                let need = arrays.interpreted(graph, shapes);
                need.check(limit, options.batch)?;
                let interpreter = Interpreter::new(graph, shapes, weights.source()).map_err(interpreter_error)?;
                (need, Executable::Interp(interpreter))
            }
        };
        Ok(Network {
            name: model.name().to_owned(),
            inputs: model.inputs(),
            outputs: model.outputs(),
            batch: options.batch,
            backend: options.backend,
            threads,
            need,
            compile_time: start.elapsed(),
            executable,
        })
    }

    /// Runs the network on one array for each input, in the order of declaration, each
    /// `[batch, channels, height, width]` (or `[batch, height, width, channels]`, `[batch, n]`) as
    /// [`inputs`](Self::inputs) says. Gives an array for each output, also with the batch first.
    ///
    /// # Errors
    /// [`Error::Input`] if an array does not fit, [`Error::Option`] for too many or too few.
    pub fn run<D: Dimension>(&self, inputs: &[ArrayView<'_, f32, D>]) -> Result<Vec<ArrayD<f32>>, Error> {
        if inputs.len() != self.inputs.len() {
            let names: Vec<_> = self.inputs.iter().map(|port| format!("`{}`", port.name)).collect();
            return Err(Error::Option(format!(
                "the network takes {} input{} ({}), {} given",
                names.len(),
                if names.len() == 1 { "" } else { "s" },
                names.join(", "),
                inputs.len()
            )));
        }
        for (port, array) in self.inputs.iter().zip(inputs) {
            let expected = port.batched(self.batch);
            if array.shape() != expected {
                return Err(Error::Input {
                    name: port.name.clone(),
                    problem: format!("expected an array of shape {expected:?}, found {:?}", array.shape()),
                });
            }
        }
        let standard: Vec<_> = inputs.iter().map(|array| array.as_standard_layout()).collect();
        let slices: Vec<&[f32]> = standard.iter().filter_map(|array| array.as_slice()).collect();
        let outputs = self.execute(&slices)?;
        let shaped = self.outputs.iter().zip(outputs).map(|(port, elements)| {
            ArrayD::from_shape_vec(IxDyn(&port.batched(self.batch)), elements)
                .map_err(|error| Error::Internal(format!("output `{}`: {error}", port.name)))
        });
        shaped.collect()
    }

    fn execute(&self, inputs: &[&[f32]]) -> Result<Vec<Vec<f32>>, Error> {
        match &self.executable {
            Executable::Interp(interpreter) => interpreter.run(inputs, self.batch).map_err(interpreter_error),
        }
    }

    /// The network's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The inputs in the order of declaration.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// The outputs in the order of declaration.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Images of one run.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Who carries it out.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Threads that share a run.
    pub fn threads(&self) -> usize {
        match self.backend {
            Backend::Interp => 1,
        }
        .min(self.threads)
    }

    /// How long compiling took: passes, weights and code.
    pub fn compile_time(&self) -> Duration {
        self.compile_time
    }

    /// Bytes of weights as the compiled network holds them.
    pub fn weight_bytes(&self) -> u64 {
        u64::try_from(self.need.weights).unwrap_or(u64::MAX)
    }

    /// Bytes of the values between layers during a run.
    pub fn arena_bytes(&self) -> u64 {
        u64::try_from(self.need.activations).unwrap_or(u64::MAX)
    }

    /// What it was compiled for, in words.
    pub fn target(&self) -> String {
        match &self.executable {
            Executable::Interp(_) => "the interpreter".to_owned(),
        }
    }
}

fn interpreter_error(error: InterpreterError) -> Error {
    match error {
        InterpreterError::Weights(error) => error.into(),
        InterpreterError::OutOfMemory { .. } => Error::Option(error.to_string()),
        other => Error::Internal(other.to_string()),
    }
}
