//! `cnn.load`: from a path, bytes or a name, and options, to a network.

use std::path::{Path, PathBuf};

use cnn::onnx::ImportOptions;
use cnn::plan::InstructionSet;
use cnn::{Backend, Error, Model, Options, Session, Source, Weights};
use numpy::PyReadonlyArrayDyn;
use pyo3::exceptions::{PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::arrays;
use crate::errors::{detached, exception};
use crate::network::Network;

/// What was given as the model.
enum Given {
    Name(String),
    Onnx(Vec<u8>),
}

/// What was given as weights.
enum Tensors<'py> {
    Own,
    Random(u64),
    File(PathBuf),
    Arrays(Vec<(String, PyReadonlyArrayDyn<'py, f32>)>),
}

/// Reads a model and compiles it.
///
/// `model` is the path of a `.toml`, `.onnx` or compiled `.cnnc` file, the name of a built-in model, or the bytes of an ONNX
/// file. A `.cnnc` file is trusted code, as a library is.
///
/// `weights`: a `.safetensors` file, a dict of arrays by name, or `"random"` (`"random:SEED"`); the model's own by default.
/// `threads`: threads that share a run; all cores by default. `batch`: the only batch it shall take; by default it takes
/// any, and is compiled anew for each, the last four of which are kept. `exact`: no algorithm that rounds more than
/// multiplying and adding does. `shapes`: those of inputs whose heights and widths the file leaves free, by name,
/// with the batch; without it images of any size are taken, and the last few sizes are kept.
/// `backend`: `"jit"`, or `"interp"`, slow and the reference for everything. `portable`: only instructions that every
/// machine of this kind has. `optimise`: whether layers are fused. `max_memory`: bytes that
/// the network may take.
#[pyfunction]
#[pyo3(signature = (
    model, *, weights=None, threads=None, batch=None, exact=false, shapes=None, backend="jit", portable=false,
    optimise=true, max_memory=None
))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn load<'py>(
    py: Python<'py>,
    model: &Bound<'py, PyAny>,
    weights: Option<&Bound<'py, PyAny>>,
    threads: Option<usize>,
    batch: Option<usize>,
    exact: bool,
    shapes: Option<std::collections::BTreeMap<String, Vec<usize>>>,
    backend: &str,
    portable: bool,
    optimise: bool,
    max_memory: Option<u64>,
) -> PyResult<Network> {
    let options = PyDict::new(py);
    let source = given(model)?;
    let repeated = match &source {
        Given::Name(name) => PyString::new(py, &absolute(name)).into_any(),
        Given::Onnx(_) => model.clone(),
    };
    let tensors = tensors(weights, &options)?;
    let backend: Backend = backend
        .parse()
        .map_err(|problem| exception(py, &Error::Option(problem)))?;
    for (name, value) in [("threads", threads), ("batch", batch)] {
        options.set_item(name, value)?;
    }
    for (name, value) in [("exact", exact), ("portable", portable), ("optimise", optimise)] {
        options.set_item(name, value)?;
    }
    options.set_item("shapes", shapes.clone())?;
    options.set_item("backend", backend.name())?;
    options.set_item("max_memory", max_memory)?;

    let weights = own(py, tensors)?;
    let (session, warnings) = detached(py, || {
        let import = ImportOptions {
            shapes: shapes.unwrap_or_default(),
            max_memory,
            ..ImportOptions::default()
        };
        let source = match source {
            Given::Name(name) => Source::open(&name, &import)?,
            Given::Onnx(bytes) => Source::onnx_bytes(bytes, "model.onnx", &import)?,
        };
        let model = Model::new(source)?;
        let mut warnings = Vec::from([model.warnings(false)]);
        warnings.extend(weights.as_ref().and_then(|weights| model.unused_warning(weights)));
        let options = Options {
            backend,
            threads,
            optimise,
            exact,
            isa: portable.then_some(InstructionSet::Portable),
            max_memory,
            ..Options::default()
        };
        Ok((Session::new(model, weights, options, batch)?, warnings))
    })?;
    for warning in warnings.iter().filter(|warning| !warning.is_empty()) {
        let text = std::ffi::CString::new(warning.replace('\0', "\u{fffd}"))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
    }
    Ok(Network {
        session,
        source: repeated.unbind(),
        options: options.unbind(),
    })
}

fn given(model: &Bound<'_, PyAny>) -> PyResult<Given> {
    if let Ok(bytes) = model.cast::<PyBytes>() {
        return Ok(Given::Onnx(bytes.as_bytes().to_vec()));
    }
    if let Ok(name) = model.extract::<String>() {
        return Ok(Given::Name(name));
    }
    match model.extract::<PathBuf>() {
        Ok(path) => Ok(Given::Name(path.to_string_lossy().into_owned())),
        Err(_) => Err(PyTypeError::new_err(format!(
            "expected a path, a built-in model's name or the bytes of an ONNX file, found {}",
            model.get_type()
        ))),
    }
}

/// Reads what was given as weights and notes it among the options to be repeated.
fn tensors<'py>(weights: Option<&Bound<'py, PyAny>>, options: &Bound<'py, PyDict>) -> PyResult<Tensors<'py>> {
    let Some(weights) = weights else {
        return Ok(Tensors::Own);
    };
    let py = weights.py();
    if let Ok(named) = weights.cast::<PyDict>() {
        let kept = PyDict::new(py);
        let mut arrays = Vec::with_capacity(named.len());
        for (key, value) in named {
            let name: String = key.extract()?;
            let array = arrays::read(&name, &value)?;
            kept.set_item(&name, &*array)?;
            arrays.push((name, array));
        }
        options.set_item("weights", kept)?;
        return Ok(Tensors::Arrays(arrays));
    }
    let path: PathBuf = weights.extract().map_err(|_| {
        PyTypeError::new_err(format!(
            "expected weights as a path, a dict of arrays by name or \"random\", found {}",
            weights.get_type()
        ))
    })?;
    let text = path.to_string_lossy();
    let seed = match &*text {
        "random" => Some(Ok(0)),
        _ => text.strip_prefix("random:").map(str::parse::<u64>),
    };
    match seed {
        Some(Ok(seed)) => {
            options.set_item("weights", format!("random:{seed}"))?;
            Ok(Tensors::Random(seed))
        }
        Some(Err(_)) => {
            let problem = format!("expected a seed from 0 to {} after `random:`, found `{text}`", u64::MAX);
            Err(exception(py, &Error::Option(problem)))
        }
        None => {
            options.set_item("weights", absolute(&text))?;
            Ok(Tensors::File(path))
        }
    }
}

/// The weights themselves; arrays are copied.
fn own(py: Python<'_>, tensors: Tensors<'_>) -> PyResult<Option<Weights>> {
    let weights = match tensors {
        Tensors::Own => return Ok(None),
        Tensors::Random(seed) => Ok(Weights::random(seed)),
        Tensors::File(path) => Weights::from_file(path),
        Tensors::Arrays(arrays) => {
            let mut weights = Weights::empty();
            let mut insert = || {
                arrays
                    .iter()
                    .try_for_each(|(name, array)| weights.insert(name, &array.as_array()))
            };
            insert().map(|()| weights)
        }
    };
    weights.map(Some).map_err(|error| exception(py, &error.into()))
}

/// The absolute path of a file that is there; a built-in name stays as it is.
fn absolute(name: &str) -> String {
    let path = Path::new(name);
    if cnn::builtin::find(name).is_some() || !path.exists() {
        return name.to_owned();
    }
    std::path::absolute(path).map_or_else(|_| name.to_owned(), |path| path.to_string_lossy().into_owned())
}
