//! What functions give: a status, and the last error's text. Panics end here.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use cnn::Error;
use cnn::onnx::ImportError;

/// How a call ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it should.
    Ok = 0,
    /// The model is wrong, or an ONNX file has what cannot be imported.
    Model = 1,
    /// Tensors are missing, of another shape, or their file is damaged.
    Weights = 2,
    /// An array does not fit: a length, an alignment, memory that two arrays share.
    Input = 3,
    /// A file cannot be read, or is not what it should be.
    File = 4,
    /// The network needs more memory than it may take.
    Memory = 5,
    /// An argument has no meaning: an option, an index, a null pointer, text that is not UTF-8.
    Argument = 6,
    /// A valid network is beyond what the machine can do.
    Limit = 7,
    /// A fault of this library; please report it.
    Internal = 8,
    /// The network was closed, or never loaded.
    Closed = 9,
}

/// Why a call failed.
pub(crate) enum Failure {
    /// The library says so.
    Library(Error),
    /// An argument has no meaning.
    Argument(String),
    /// The network was closed, or never loaded.
    Closed,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Library(error)
    }
}

thread_local! {
    /// The text of the last failure of this thread.
    static TEXT: RefCell<CString> = RefCell::default();
}

/// The text of the last error of this thread, empty if there was none. It stays valid until this thread's next call that
/// fails.
#[unsafe(no_mangle)]
pub extern "C" fn cnn_error_text() -> *const c_char {
    // While a thread ends, there may be no text any more.
    TEXT.try_with(|text| text.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// Does a call's work; what goes wrong, a panic too, becomes a status and a text.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Failure>) -> Status {
    let (status, text) = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return Status::Ok,
        Ok(Err(Failure::Library(error))) => (status(&error), error.to_string()),
        Ok(Err(Failure::Argument(problem))) => (Status::Argument, problem),
        Ok(Err(Failure::Closed)) => (Status::Closed, "the network was closed, or never loaded".into()),
        Err(payload) => {
            let words = payload.downcast_ref::<&str>().copied();
            let words = words.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let error = Error::Internal(words.unwrap_or("a panic without words").into());
            let text = error.to_string();
            // Its destructor might panic too.
            std::mem::forget(payload);
            (Status::Internal, text)
        }
    };
    let text = CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default();
    let _ = TEXT.try_with(|last| *last.borrow_mut() = text);
    status
}

fn status(error: &Error) -> Status {
    match error {
        Error::Onnx(ImportError::Io { .. } | ImportError::File { .. }) | Error::File { .. } | Error::Io { .. } => {
            Status::File
        }
        Error::Model(_) | Error::Onnx(_) => Status::Model,
        Error::Weights(_) => Status::Weights,
        Error::Input { .. } => Status::Input,
        Error::Memory(_) => Status::Memory,
        Error::Option(_) => Status::Argument,
        Error::Limit(_) => Status::Limit,
        // The library's list of errors may grow.
        _ => Status::Internal,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn a_panic_is_a_status() {
        assert_eq!(guarded(|| panic!("on purpose")), Status::Internal);
        // SAFETY: the text ends with a zero and lives until the next failure.
        let text = unsafe { CStr::from_ptr(cnn_error_text()) };
        assert_eq!(text.to_str().unwrap(), "internal error, please report it: on purpose");
        assert_eq!(guarded(|| Ok(())), Status::Ok);
    }
}
