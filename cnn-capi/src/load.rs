//! `cnn_load` and `cnn_close`: from a name and options to a network, and its end.

use std::ffi::{CStr, c_char};

use cnn::onnx::ImportOptions;
use cnn::{Session, Weights};

use crate::handles::{self, Loaded};
use crate::status::{Failure, Status, guarded};

/// How a network is to be compiled. All zeros is right for most.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A .safetensors file, or "random" for made-up numbers; null: the model's own.
    pub weights: *const c_char,
    /// Threads that share a run; 0: all cores.
    pub threads: usize,
    /// The only batch it shall take; 0: any, compiled anew for each, the last four of which are kept.
    pub batch: usize,
    /// Bytes that the network may take; 0: what the machine has.
    pub max_memory: u64,
    /// Use no algorithm that rounds more than multiplying and adding does.
    pub exact: bool,
    /// Use only instructions that every machine of this kind has.
    pub portable: bool,
}

/// The library's version, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn cnn_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Loads a network: the path of a .toml, .onnx or compiled .cnnc file (which is trusted code, as a library is), or the name
/// of a built-in model. `options` may be null. Writes the network's handle, 0 if it cannot be loaded.
///
/// # Safety
/// `model` is null or a text that ends with a zero; `options` is null or points to options; `network` is null or points to
/// a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cnn_load(model: *const c_char, options: *const Options, network: *mut u64) -> Status {
    guarded(|| {
        if network.is_null() {
            return Err(Failure::Argument("`network` is a null pointer".into()));
        }
        // SAFETY: it is not null, so it points to a handle.
        unsafe { network.write(0) };
        // SAFETY: the caller's promise.
        let model = unsafe { text("model", model)? };
        let model = model.ok_or_else(|| Failure::Argument("`model` is a null pointer".into()))?;
        // SAFETY: the caller's promise.
        let options = unsafe { options.as_ref() };
        let loaded = Loaded::new(session(model, options)?);
        // SAFETY: as above.
        unsafe { network.write(handles::insert(loaded)) };
        Ok(())
    })
}

/// Closes a network. A run that is under way ends first; the handle is an error from now on.
#[unsafe(no_mangle)]
pub extern "C" fn cnn_close(network: u64) -> Status {
    guarded(|| handles::remove(network))
}

fn session(model: &str, options: Option<&Options>) -> Result<Session, Failure> {
    let mut import = ImportOptions::default();
    let mut wanted = cnn::Options::default();
    let (mut weights, mut batch) = (None, None);
    if let Some(options) = options {
        let some = |number: usize| (number > 0).then_some(number);
        wanted.threads = some(options.threads);
        wanted.exact = options.exact;
        wanted.isa = options.portable.then_some(cnn::InstructionSet::Portable);
        wanted.max_memory = (options.max_memory > 0).then_some(options.max_memory);
        import.max_memory = wanted.max_memory;
        batch = some(options.batch);
        // SAFETY: options come from C, whose promise it is that the text is null or ends with a zero.
        weights = match unsafe { text("weights", options.weights)? } {
            Some("random") => Some(Weights::random(0)),
            Some(path) => Some(Weights::from_file(path).map_err(cnn::Error::from)?),
            None => None,
        };
    }
    let model = cnn::Model::open(model, &import)?;
    Ok(Session::new(model, weights, wanted, batch)?)
}

/// A text from C, `None` if it is null.
///
/// # Safety
/// It is null or ends with a zero, and lives as long as the result.
unsafe fn text<'a>(name: &str, text: *const c_char) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    match text.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Failure::Argument(format!("`{name}` is not UTF-8"))),
    }
}
