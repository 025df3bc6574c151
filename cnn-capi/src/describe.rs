//! Names and shapes of the arrays that a network takes and gives.

use std::ffi::c_char;

use crate::handles::{self, Array, Loaded};
use crate::status::{Failure, Status, guarded};

/// An array that a network takes or gives: f32, row-major. The pointers are valid until the network is closed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ArrayInfo {
    /// Its name.
    pub name: *const c_char,
    /// Its axes.
    pub rank: usize,
    /// Its shape for the first batch.
    pub shape: *const usize,
    /// Elements for the first batch: the product of the shape.
    pub elements: usize,
    /// Whether axis 0 is the batch and may have any size.
    pub any_batch: bool,
}

/// How many arrays a network takes; 0 if it was closed.
#[unsafe(no_mangle)]
pub extern "C" fn cnn_input_count(network: u64) -> usize {
    count(network, |loaded| loaded.inputs.len())
}

/// How many arrays a network gives; 0 if it was closed.
#[unsafe(no_mangle)]
pub extern "C" fn cnn_output_count(network: u64) -> usize {
    count(network, |loaded| loaded.outputs.len())
}

/// The batch that a network was compiled for first; 0 if it was closed.
#[unsafe(no_mangle)]
pub extern "C" fn cnn_first_batch(network: u64) -> usize {
    count(network, |loaded| loaded.session.first_batch())
}

/// What a network's input of that index is.
///
/// # Safety
/// `info` is null or points to an array's description.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cnn_input(network: u64, index: usize, info: *mut ArrayInfo) -> Status {
    // SAFETY: the caller's promise.
    guarded(|| unsafe { describe(network, "input", index, info, |loaded| &loaded.inputs) })
}

/// What a network's output of that index is.
///
/// # Safety
/// `info` is null or points to an array's description.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cnn_output(network: u64, index: usize, info: *mut ArrayInfo) -> Status {
    // SAFETY: the caller's promise.
    guarded(|| unsafe { describe(network, "output", index, info, |loaded| &loaded.outputs) })
}

fn count(network: u64, of: impl FnOnce(&Loaded) -> usize) -> usize {
    let mut count = 0;
    // The status says no more than the 0 that is given.
    let _ = guarded(|| {
        count = of(&*handles::get(network)?);
        Ok(())
    });
    count
}

/// # Safety
/// `info` is null or points to an array's description.
unsafe fn describe(
    network: u64,
    what: &str,
    index: usize,
    info: *mut ArrayInfo,
    arrays: impl FnOnce(&Loaded) -> &[Array],
) -> Result<(), Failure> {
    let loaded = handles::get(network)?;
    if info.is_null() {
        return Err(Failure::Argument("`info` is a null pointer".into()));
    }
    let arrays = arrays(&loaded);
    let Some(array) = arrays.get(index) else {
        let problem = format!(
            "the network has {} {what}s, there is none of index {index}",
            arrays.len()
        );
        return Err(Failure::Argument(problem));
    };
    let session = &loaded.session;
    let infos = if what == "input" {
        session.inputs()
    } else {
        session.outputs()
    };
    let description = ArrayInfo {
        name: array.name.as_ptr(),
        rank: array.shape.len(),
        shape: array.shape.as_ptr(),
        elements: array.shape.iter().product(),
        any_batch: session.fixed_batch().is_none() && infos[index].batched,
    };
    // SAFETY: it is not null, so it points to a description.
    unsafe { info.write(description) };
    Ok(())
}
