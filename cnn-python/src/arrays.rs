//! Python's arrays as slices of f32.
//!
//! A NumPy array of native f32 in row-major order is taken as it is, read-only or not; so is what shares its memory by
//! `__array_interface__` or DLPack (a PyTorch tensor on the CPU). Other layouts and other numbers are converted.

use numpy::{
    PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::misfit;

/// An array to be read, in row-major order. It stays borrowed: nobody can be given it as `out` meanwhile.
pub(crate) fn read<'py>(name: &str, value: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    let py = value.py();
    if let Ok(array) = value.cast::<PyArrayDyn<f32>>() {
        if let Some(array) = as_it_is(name, array)? {
            return Ok(array);
        }
        return fresh(name, value);
    }
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        return match array.dtype().kind() {
            b'f' | b'i' | b'u' | b'b' => fresh(name, value),
            _ => Err(misfit(
                py,
                name,
                format!(
                    "expected an array of float32 (other floats, integers and booleans are converted), found dtype {}",
                    array.dtype()
                ),
            )),
        };
    }
    let numpy = py.import("numpy")?;
    let made = match value.hasattr("__dlpack__")? && numpy.hasattr("from_dlpack")? {
        true => numpy.call_method1("from_dlpack", (value,)),
        false => numpy.call_method1("asarray", (value,)),
    };
    let made = made.map_err(|error| {
        let kind = value.get_type().to_string();
        misfit(
            py,
            name,
            format!("expected an array, found {kind}: {}", error.value(py)),
        )
    })?;
    read(name, &made)
}

/// A borrowed array whose elements are one row-major slice, `None` if they are not.
fn as_it_is<'py>(name: &str, array: &Bound<'py, PyArrayDyn<f32>>) -> PyResult<Option<PyReadonlyArrayDyn<'py, f32>>> {
    let borrowed = array
        .try_readonly()
        .map_err(|_| misfit(array.py(), name, "the array is being written to by another run".into()))?;
    // A slice is refused where elements are not aligned.
    let fits = array.is_c_contiguous() && borrowed.as_slice().is_ok();
    Ok(fits.then_some(borrowed))
}

/// A row-major copy as f32.
fn fresh<'py>(name: &str, value: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    let py = value.py();
    let options = PyDict::new(py);
    options.set_item("dtype", numpy::dtype::<f32>(py))?;
    options.set_item("order", "C")?;
    options.set_item("copy", true)?;
    let copied = py.import("numpy")?.call_method("array", (value,), Some(&options))?;
    let copied = copied.cast::<PyArrayDyn<f32>>()?;
    as_it_is(name, copied)?.ok_or_else(|| misfit(py, name, "the array cannot be copied in row-major order".into()))
}

/// An array to be written: the caller's, of exactly this shape.
pub(crate) fn write<'py>(
    name: &str,
    value: &Bound<'py, PyAny>,
    shape: &[usize],
) -> PyResult<PyReadwriteArrayDyn<'py, f32>> {
    let py = value.py();
    let wrong = |found: String| {
        let expected = format!("expected `out` to be a writable float32 array of shape {shape:?} in row-major order");
        misfit(py, name, format!("{expected}, found {found}"))
    };
    let numpy = py.import("numpy")?;
    let shared = match value.cast::<PyUntypedArray>() {
        Err(_) if value.hasattr("__dlpack__")? && numpy.hasattr("from_dlpack")? => {
            let shared = numpy.call_method1("from_dlpack", (value,));
            shared.map_err(|error| wrong(format!("{}: {}", value.get_type(), error.value(py))))?
        }
        _ => value.clone(),
    };
    let Ok(untyped) = shared.cast::<PyUntypedArray>() else {
        return Err(wrong(shared.get_type().to_string()));
    };
    let Ok(array) = shared.cast::<PyArrayDyn<f32>>() else {
        return Err(wrong(format!("dtype {}", untyped.dtype())));
    };
    if array.shape() != shape {
        return Err(wrong(format!("shape {:?}", array.shape())));
    }
    if !array.is_c_contiguous() {
        return Err(wrong("another order".into()));
    }
    match array.try_readwrite() {
        Ok(array) if array.as_slice().is_ok() => Ok(array),
        Ok(_) => Err(wrong("unaligned elements".into())),
        Err(error) => Err(wrong(format!("one that is in use or read-only ({error})"))),
    }
}

/// Whether two slices have memory in common.
pub(crate) fn overlap(a: &[f32], b: &[f32]) -> bool {
    let (a, b) = (a.as_ptr_range(), b.as_ptr_range());
    a.start < b.end && b.start < a.end
}
