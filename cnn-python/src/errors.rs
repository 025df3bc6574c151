//! Errors and panics as Python's exceptions: the classes are in `cnn._errors`, the texts are the library's.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cnn::Error;
use cnn::onnx::ImportError;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// Runs something without the GIL. Errors and panics become exceptions; a signal that came meanwhile (Ctrl-C) too.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl Send + FnOnce() -> Result<T, Error>) -> PyResult<T> {
    let done = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    py.check_signals()?;
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(exception(py, &error)),
        Err(payload) => Err(exception(py, &Error::Internal(panic_text(&*payload)))),
    }
}

/// The same with the GIL, for what is done at once.
pub(crate) fn attached<T>(py: Python<'_>, work: impl FnOnce() -> Result<T, Error>) -> PyResult<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(exception(py, &error)),
        Err(payload) => Err(exception(py, &Error::Internal(panic_text(&*payload)))),
    }
}

/// An error as an exception.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::Onnx(ImportError::Io { .. } | ImportError::File { .. }) | Error::File { .. } | Error::Io { .. } => {
            "FileError"
        }
        Error::Model(_) | Error::Onnx(_) => "ModelError",
        Error::Weights(_) => "WeightsError",
        Error::Input { .. } => "InputError",
        Error::Memory(_) => "OutOfMemoryError",
        Error::Option(_) => "OptionError",
        Error::Limit(_) => "LimitError",
        Error::Internal(_) => "InternalError",
        // The library's list of errors may grow.
        _ => "Error",
    };
    let found = py.import("cnn._errors").and_then(|module| module.getattr(class));
    match found.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
        Ok(class) => PyErr::from_type(class, (error.to_string(),)),
        Err(missing) => missing,
    }
}

/// An array or an option that does not fit.
pub(crate) fn misfit(py: Python<'_>, name: &str, problem: String) -> PyErr {
    let name = name.to_owned();
    exception(py, &Error::Input { name, problem })
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_owned()
}
