//! The class `Network`: a loaded network, to be called.

use std::path::PathBuf;
use std::sync::Arc;

use cnn::text::{Format, Stage};
use cnn::{Error, Session};
use numpy::{PyArrayDescr, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::arrays::{self, overlap};
use crate::errors::{attached, detached, exception, misfit};

/// A network, compiled. Call it with an array for each input, or a dict of arrays by name.
///
/// Any number of threads may call one network at once. The GIL is released meanwhile.
#[pyclass(frozen, module = "cnn")]
pub(crate) struct Network {
    pub(crate) session: Session,
    /// What `cnn.load` was given, so that a pickle can repeat it.
    pub(crate) source: Py<PyAny>,
    pub(crate) options: Py<PyDict>,
}

/// An array that a network takes or gives.
#[pyclass(frozen, module = "cnn", get_all)]
pub(crate) struct ArrayInfo {
    /// Its name.
    name: String,
    /// Its shape; `batch` of them first.
    shape: Py<PyTuple>,
    /// The type of its elements.
    dtype: Py<PyArrayDescr>,
    /// Whether axis 0 is the batch and may have any size.
    any_batch: bool,
    /// Names of the sizes that the model's file leaves free, by axis: an array may have other sizes there than `shape`.
    free: Py<PyDict>,
}

#[pymethods]
impl ArrayInfo {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let any = if self.any_batch { ", any_batch=True" } else { "" };
        let free = match self.free.bind(py) {
            free if free.is_empty() => String::new(),
            free => format!(", free={}", free.repr()?),
        };
        Ok(format!(
            "ArrayInfo(name={:?}, shape={}, dtype={}{any}{free})",
            self.name,
            self.shape.bind(py).repr()?,
            self.dtype.bind(py).str()?
        ))
    }
}

/// A step of the compiled code and how long it took.
#[pyclass(frozen, module = "cnn", get_all)]
pub(crate) struct StepTime {
    /// The layer it computes, or a part of it.
    layer: String,
    /// The layer's operator.
    op: &'static str,
    /// The kernel that computes it.
    kernel: String,
    /// Milliseconds for the whole batch: the median of the runs.
    ms: f64,
    /// Multiplications for one image; 0 where they are another step's.
    multiplications: u64,
    /// Bytes of its weights, operands and result, for the whole batch.
    bytes: u64,
}

#[pymethods]
impl StepTime {
    fn __repr__(&self) -> String {
        let StepTime {
            layer, op, kernel, ms, ..
        } = self;
        format!("StepTime(layer={layer:?}, op={op:?}, kernel={kernel:?}, ms={ms:.4})")
    }
}

#[pymethods]
impl Network {
    /// Runs the network on an array for each input, or a dict of arrays by name.
    ///
    /// Gives an array; a dict of arrays by name if there are several outputs or the inputs came as a dict. `out` is an
    /// array, or a dict of arrays, that results are written into.
    #[pyo3(signature = (*inputs, out=None))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyTuple>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let named = is_dict(inputs);
        let (arrays, batch, other) = self.arrays(py, inputs)?;
        let session = other.as_deref().unwrap_or(&self.session);
        let mut outputs = outputs_for(py, session, batch, out)?;

        let inputs: Vec<&[f32]> = arrays.iter().filter_map(|array| array.as_slice().ok()).collect();
        let mut slices: Vec<&mut [f32]> = outputs
            .iter_mut()
            .filter_map(|array| array.as_slice_mut().ok())
            .collect();
        for (index, output) in slices.iter().enumerate() {
            let others = slices[..index]
                .iter()
                .map(|other| &**other)
                .chain(inputs.iter().copied());
            if others.into_iter().any(|other| overlap(output, other)) {
                let problem = "`out` shares memory with an input or another output";
                return Err(misfit(py, &session.outputs()[index].name, problem.into()));
            }
        }
        let kept = session.kept(batch);
        detached(py, || {
            let network = kept.map_or_else(|| session.network(batch), Ok)?;
            network.run_into(&inputs, &mut slices)
        })?;

        let outputs = outputs.iter().map(|array| {
            let array: &Bound<'py, PyArrayDyn<f32>> = array;
            array.as_any().clone()
        });
        if !named && outputs.len() == 1 {
            return outputs.last().ok_or_else(|| PyTypeError::new_err("no output"));
        }
        let result = PyDict::new(py);
        for (info, array) in session.outputs().iter().zip(outputs) {
            result.set_item(&info.name, array)?;
        }
        Ok(result.into_any())
    }

    /// The network's name.
    #[getter]
    fn name(&self) -> &str {
        self.session.model().name()
    }

    /// The arrays it takes, in the order of the model's file.
    #[getter]
    fn inputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.infos(py, self.session.inputs())
    }

    /// The arrays it gives, in the order of the model's file.
    #[getter]
    fn outputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.infos(py, self.session.outputs())
    }

    /// Threads that share a run.
    #[getter]
    fn threads(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.latest(py)?.threads())
    }

    /// Bytes of weights as the network compiled last holds them.
    #[getter]
    fn weight_bytes(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.latest(py)?.weight_bytes())
    }

    /// Bytes that a run of the network compiled last needs for values between layers.
    #[getter]
    fn arena_bytes(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.latest(py)?.arena_bytes())
    }

    /// What it is compiled for, in words.
    #[getter]
    fn target(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.latest(py)?.target())
    }

    /// How many numbers training learns.
    #[getter]
    fn parameters(&self) -> u64 {
        self.session.model().parameters()
    }

    /// The network layer by layer as a table: shapes with their arithmetic, parameters, multiplications, memory.
    #[pyo3(signature = (width=120))]
    fn summary(&self, py: Python<'_>, width: u16) -> PyResult<String> {
        attached(py, || Ok(self.session.model().summary(width)))
    }

    /// The network at a stage on its way to machine code: `parsed`, `shaped`, `fused`, `planned`, `clif`, `asm` or `rust`;
    /// as `text`, `dot` or `json`.
    #[pyo3(signature = (stage="shaped", format="text"))]
    fn dump(&self, py: Python<'_>, stage: &str, format: &str) -> PyResult<String> {
        detached(py, || {
            let (stage, format): (Stage, Format) = (stage.parse()?, format.parse()?);
            let session = &self.session;
            let options = cnn::Options {
                batch: session.first_batch(),
                ..session.options().clone()
            };
            session.model().dump(stage, format, &options)
        })
    }

    /// Writes a page that shows the network at work on an image: the arrays of a call, or a drawn picture. One file that opens
    /// in any browser.
    #[pyo3(signature = (path, *inputs))]
    fn explain<'py>(&self, py: Python<'py>, path: PathBuf, inputs: &Bound<'py, PyTuple>) -> PyResult<()> {
        let (arrays, batch, other) = match inputs.is_empty() {
            true => (Vec::new(), 1, None),
            false => self.arrays(py, inputs)?,
        };
        let session = other.as_deref().unwrap_or(&self.session);
        if batch != 1 {
            let problem = format!("a page shows one image, and the inputs hold {batch}");
            return Err(exception(py, &Error::Option(problem)));
        }
        let slices: Vec<&[f32]> = arrays.iter().filter_map(|array| array.as_slice().ok()).collect();
        detached(py, || {
            let page = session.explain(&slices)?;
            cnn::io::atomic::write(&path, |file| file.write_all(page.as_bytes()))
        })
    }

    /// Measures each step of the compiled code over several runs: on these inputs (as in a call), or on made-up numbers.
    #[pyo3(signature = (*inputs, runs=10))]
    fn profile<'py>(&self, py: Python<'py>, inputs: &Bound<'py, PyTuple>, runs: usize) -> PyResult<Vec<StepTime>> {
        if runs == 0 {
            return Err(exception(py, &Error::Option("`runs` must be at least 1".into())));
        }
        let (arrays, batch, other) = match inputs.is_empty() {
            true => (Vec::new(), self.session.first_batch(), None),
            false => self.arrays(py, inputs)?,
        };
        let session = other.as_deref().unwrap_or(&self.session);
        let slices: Vec<&[f32]> = arrays.iter().filter_map(|array| array.as_slice().ok()).collect();
        let steps = detached(py, || {
            let elements = |info: &cnn::ArrayInfo| info.shape(batch).iter().product::<usize>();
            let made_up = session
                .inputs()
                .iter()
                .map(|info| cnn::random_input(&info.name, elements(info), 0));
            let made_up: Vec<Vec<f32>> = if slices.is_empty() {
                made_up.collect()
            } else {
                Vec::new()
            };
            let inputs: Vec<&[f32]> = slices
                .iter()
                .copied()
                .chain(made_up.iter().map(|input| &**input))
                .collect();
            let mut outputs: Vec<Vec<f32>> = session.outputs().iter().map(|info| vec![0.0; elements(info)]).collect();
            let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(|output| &mut **output).collect();
            session.network(batch)?.profile_runs(&inputs, &mut outputs, runs)
        })?;
        let step = |step: cnn::StepTime| StepTime {
            layer: step.layer,
            op: step.op,
            kernel: step.kernel,
            ms: step.time.as_secs_f64() * 1e3,
            multiplications: step.multiplications,
            bytes: step.bytes,
        };
        Ok(steps.into_iter().map(step).collect())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Py<PyAny>, Py<PyDict>))> {
        let load = py.import("cnn._pickle")?.getattr("load")?;
        Ok((load, (self.source.clone_ref(py), self.options.clone_ref(py))))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let list = |infos: Bound<'_, PyList>| -> PyResult<String> {
            let each = infos.iter().map(|info| {
                let info = info.cast::<ArrayInfo>()?.get();
                Ok(format!("{}{}", info.name, info.shape.bind(py).repr()?))
            });
            Ok(each.collect::<PyResult<Vec<_>>>()?.join(", "))
        };
        let (inputs, outputs) = (list(self.inputs(py)?)?, list(self.outputs(py)?)?);
        Ok(format!("<cnn.Network {:?}: {inputs} -> {outputs}>", self.name()))
    }
}

/// What a call reads, in the order of the inputs.
type Arrays<'py> = Vec<PyReadonlyArrayDyn<'py, f32>>;

/// Whether arrays come as one dict.
fn is_dict(inputs: &Bound<'_, PyTuple>) -> bool {
    inputs.len() == 1 && inputs.get_item(0).is_ok_and(|first| first.is_instance_of::<PyDict>())
}

impl Network {
    /// What a call was given, an array for each input or a dict of them; how many images they hold; and the session for
    /// images of their size, if that is another.
    fn arrays<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyTuple>,
    ) -> PyResult<(Arrays<'py>, usize, Option<Arc<Session>>)> {
        let session = &self.session;
        let given = match inputs.get_item(0) {
            Ok(first) if is_dict(inputs) => self.by_name(first.cast()?)?,
            _ => inputs.iter().collect(),
        };
        let infos = session.inputs();
        let arrays = given.iter().enumerate().map(|(index, value)| {
            let name = infos.get(index).map_or("", |info| &info.name);
            arrays::read(name, value)
        });
        let arrays = arrays.collect::<PyResult<Vec<_>>>()?;
        let shapes: Vec<&[usize]> = arrays.iter().map(|array| array.shape()).collect();
        let other = attached(py, || session.of_sizes(&shapes))?;
        let batch = attached(py, || other.as_deref().unwrap_or(session).batch(&shapes))?;
        Ok((arrays, batch, other))
    }

    /// The arrays of a dict in the order of the inputs.
    fn by_name<'py>(&self, named: &Bound<'py, PyDict>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let (py, session) = (named.py(), &self.session);
        let mut given: Vec<Option<Bound<'py, PyAny>>> = vec![None; session.inputs().len()];
        for (key, value) in named {
            let name: String = key.extract()?;
            given[attached(py, || session.input(&name))?] = Some(value);
        }
        let present = session
            .inputs()
            .iter()
            .zip(given)
            .map(|(info, value)| value.ok_or_else(|| misfit(py, &info.name, "no array is given for it".into())));
        present.collect()
    }

    fn infos<'py>(&self, py: Python<'py>, infos: &[cnn::ArrayInfo]) -> PyResult<Bound<'py, PyList>> {
        let batch = self.session.first_batch();
        let any = self.session.fixed_batch().is_none();
        let each = infos.iter().map(|info| {
            let free = PyDict::new(py);
            for (axis, name) in &info.free {
                free.set_item(axis + usize::from(info.batched), name)?;
            }
            let info = ArrayInfo {
                name: info.name.clone(),
                shape: PyTuple::new(py, info.shape(batch))?.unbind(),
                dtype: numpy::dtype::<f32>(py).unbind(),
                any_batch: any && info.batched,
                free: free.unbind(),
            };
            Bound::new(py, info)
        });
        PyList::new(py, each.collect::<PyResult<Vec<_>>>()?)
    }

    /// The network that was compiled or used last.
    fn latest(&self, py: Python<'_>) -> PyResult<Arc<cnn::Network>> {
        attached(py, || self.session.latest())
    }
}

/// Arrays for the outputs of a run: those of `out`, new ones for the others.
fn outputs_for<'py>(
    py: Python<'py>,
    session: &Session,
    batch: usize,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Vec<PyReadwriteArrayDyn<'py, f32>>> {
    let infos = session.outputs();
    let mut given: Vec<Option<Bound<'py, PyAny>>> = vec![None; infos.len()];
    match out {
        None => {}
        Some(out) => match out.cast::<PyDict>() {
            Ok(named) => {
                for (key, value) in named {
                    let name: String = key.extract()?;
                    given[attached(py, || session.output(&name))?] = Some(value);
                }
            }
            Err(_) if infos.len() == 1 => given[0] = Some(out.clone()),
            Err(_) => {
                let problem = "the network has several outputs: give `out` as a dict of arrays by name";
                return Err(exception(py, &Error::Option(problem.into())));
            }
        },
    }
    let each = infos.iter().zip(given).map(|(info, given)| {
        let shape = info.shape(batch);
        match given {
            Some(array) => arrays::write(&info.name, &array, &shape),
            None => Ok(PyArrayDyn::<f32>::zeros(py, shape, false).readwrite()),
        }
    });
    each.collect()
}
