//! The native half of the Python package `cnn`: networks, loaded and run. The other half is in `python/cnn`.
//!
//! | module | what it owns |
//! |---|---|
//! | `load` | `cnn.load`: from a path, bytes or a name, and options, to a network |
//! | `network` | the class `Network`: calls, descriptions, profiles, pickling |
//! | `arrays` | Python's arrays as slices of f32: which are taken as they are, which are converted |
//! | `errors` | errors and panics as Python's exceptions |

mod arrays;
mod errors;
mod load;
mod network;

use pyo3::prelude::*;

#[pymodule]
mod _cnn {
    #[pymodule_export]
    use super::load::load;
    #[pymodule_export]
    use super::network::{ArrayInfo, Network, StepTime};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
