//! A compiled network: what runs.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cnn_codegen::compile::{self, Executable, Need};
use cnn_codegen::plan::{InstructionSet, Plan};
use ndarray::{ArrayD, ArrayView, Dimension, IxDyn};

use crate::error::Error;
use crate::executable::{self, StepTime};
use crate::{Backend, CompiledFile, Model, Options, Port, Weights};

/// A network compiled for one batch size. Running it changes nothing: several threads may share it.
///
/// ```
/// use cnn::{Model, Options, Weights};
/// use ndarray::Array4;
///
/// let model = Model::builtin("lenet5")?;
/// let options = Options { batch: 2, ..Options::default() };
/// let network = model.compile(&Weights::builtin("lenet5")?, &options)?;
/// let images = Array4::<f32>::zeros((2, 1, 32, 32));
/// let outputs = std::thread::scope(|scope| {
///     let run = || network.run(&[images.view()]);
///     let runs = [scope.spawn(run), scope.spawn(run)];
///     runs.map(|run| run.join().expect("a run does not panic"))
/// });
/// let [first, second] = outputs;
/// assert_eq!(first?[0], second?[0]);
/// # Ok::<(), cnn::Error>(())
/// ```
#[derive(Debug)]
pub struct Network {
    name: String,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    batch: usize,
    backend: Backend,
    need: Need,
    compile_time: Duration,
    executable: Executable,
}

impl Network {
    pub(crate) fn compile(
        others: &[Arc<Network>],
        model: &Model,
        weights: &Weights,
        options: &Options,
        start: Instant,
    ) -> Result<Network, Error> {
        let others: Vec<_> = others.iter().map(|network| &network.executable).collect();
        let (executable, need) = compile::compile_beside(&others, model.graph(), weights.source(), options)?;
        Ok(Network {
            name: model.name().to_owned(),
            inputs: model.inputs(),
            outputs: model.outputs(),
            batch: options.batch,
            backend: options.backend,
            need,
            compile_time: start.elapsed(),
            executable,
        })
    }

    /// Loads a compiled network from a file, for the best of its instruction sets that this machine has. `options` say how
    /// many threads share a run and how much memory it may take; the batch is the file's.
    ///
    /// The file is trusted code: see [`CompiledFile`].
    ///
    /// # Errors
    /// [`Error::File`] if it is damaged, cut off, of another kind or version, or for other machines; [`Error::Option`] if
    /// it has no code for this machine, or what is asked for is not what was compiled; [`Error::Memory`], [`Error::Io`].
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Network, Error> {
        let start = Instant::now();
        let file = CompiledFile::open(path)?;
        let options = Options {
            batch: file.batch(),
            ..options.clone()
        };
        Network::load(&file, &options, start)
    }

    /// Loads a compiled network.
    pub(crate) fn load(file: &CompiledFile, options: &Options, start: Instant) -> Result<Network, Error> {
        let (executable, need) = file.load(options)?;
        let ports = |ports: &[cnn_codegen::plan::Port]| {
            let port = |port: &cnn_codegen::plan::Port| Port {
                name: port.name.clone(),
                shape: port.dims(),
                hwc: port.hwc,
            };
            ports.iter().map(port).collect()
        };
        let (inputs, outputs) = match executable.code() {
            Some(code) => (ports(&code.plan().inputs), ports(&code.plan().outputs)),
            None => (Vec::new(), Vec::new()),
        };
        Ok(Network {
            name: file.stored().name.clone(),
            inputs,
            outputs,
            batch: options.batch,
            backend: options.backend,
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
        self.check_count(inputs.len())?;
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
        let mut outputs: Vec<_> = self
            .outputs
            .iter()
            .map(|port| ArrayD::zeros(IxDyn(&port.batched(self.batch))))
            .collect();
        let mut elements: Vec<&mut [f32]> = outputs.iter_mut().filter_map(ArrayD::as_slice_mut).collect();
        executable::run(&self.executable, &slices, &mut elements, self.batch)?;
        Ok(outputs)
    }

    /// Runs the network as [`run`](Self::run) does, on elements in row-major order, and writes the outputs into what
    /// is given. Compiled code allocates nothing here, unless more runs are under way at once than ever before.
    ///
    /// # Errors
    /// [`Error::Input`] if a slice is too long or too short, [`Error::Option`] for too many or too few.
    pub fn run_into(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) -> Result<(), Error> {
        self.check_slices(inputs, outputs)?;
        executable::run(&self.executable, inputs, outputs, self.batch)
    }

    /// Runs the network as [`run_into`](Self::run_into) does and measures each step of the compiled code.
    ///
    /// # Errors
    /// As [`run_into`](Self::run_into); [`Error::Option`] for the interpreter.
    pub fn profile(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) -> Result<Vec<StepTime>, Error> {
        self.check_slices(inputs, outputs)?;
        executable::profile(&self.executable, inputs, outputs)
    }

    /// Runs the network so often and gives the median time of each step.
    ///
    /// # Errors
    /// As [`profile`](Self::profile); [`Error::Option`] for no runs.
    pub fn profile_runs(
        &self,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        runs: usize,
    ) -> Result<Vec<StepTime>, Error> {
        let runs: Result<Vec<_>, Error> = (0..runs).map(|_| self.profile(inputs, outputs)).collect();
        let runs = runs?;
        let mut steps = runs
            .first()
            .cloned()
            .ok_or_else(|| Error::Option("a profile needs at least one run".into()))?;
        for (index, step) in steps.iter_mut().enumerate() {
            let mut times: Vec<_> = runs.iter().map(|run| run[index].time).collect();
            times.sort_unstable();
            step.time = times[times.len() / 2];
        }
        Ok(steps)
    }

    fn check_count(&self, given: usize) -> Result<(), Error> {
        if given == self.inputs.len() {
            return Ok(());
        }
        let names: Vec<_> = self.inputs.iter().map(|port| format!("`{}`", port.name)).collect();
        Err(Error::Option(format!(
            "expected an array for each of {}, {given} given",
            names.join(", ")
        )))
    }

    fn check_slices(&self, inputs: &[&[f32]], outputs: &[&mut [f32]]) -> Result<(), Error> {
        self.check_count(inputs.len())?;
        if outputs.len() != self.outputs.len() {
            let expected = self.outputs.len();
            return Err(Error::Option(format!(
                "expected a slice for each of {expected} outputs, {} given",
                outputs.len()
            )));
        }
        let lengths = inputs
            .iter()
            .map(|slice| slice.len())
            .chain(outputs.iter().map(|slice| slice.len()));
        for (port, found) in self.inputs.iter().chain(&self.outputs).zip(lengths) {
            // No overflow: the memory was counted when the network was compiled.
            let expected = port.batched(self.batch).iter().product::<usize>();
            if found != expected {
                return Err(Error::Input {
                    name: port.name.clone(),
                    problem: format!("expected {expected} elements, found {found}"),
                });
            }
        }
        Ok(())
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
        self.executable.code().map_or(1, |code| code.threads())
    }

    /// How long compiling took: passes, weights and code.
    pub fn compile_time(&self) -> Duration {
        self.compile_time
    }

    /// Bytes of weights as the compiled network holds them.
    pub fn weight_bytes(&self) -> u64 {
        u64::try_from(self.need.weights).unwrap_or(u64::MAX)
    }

    /// Bytes that a run needs: the values between layers, and what each thread's kernels need for themselves.
    pub fn arena_bytes(&self) -> u64 {
        u64::try_from(self.need.activations).unwrap_or(u64::MAX)
    }

    /// The instruction set of its kernels; the interpreter has none.
    pub fn isa(&self) -> Option<InstructionSet> {
        self.plan().map(|plan| plan.isa)
    }

    /// The plan that its code carries out; the interpreter has none.
    pub fn plan(&self) -> Option<&Plan> {
        self.executable.code().map(|code| code.plan())
    }

    /// What it was compiled for, in words.
    pub fn target(&self) -> String {
        match self.isa() {
            Some(isa) => format!("{} with {}", std::env::consts::ARCH, isa.description()),
            None => "the interpreter".to_owned(),
        }
    }
}
