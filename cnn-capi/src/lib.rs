//! The C interface: a thin skin over the library `cnn`. `include/cnn.h` is made of it, `docs/c.md` shows it.
//!
//! | module | what it owns |
//! |---|---|
//! | `status` | what functions give: the status, the text of the last error, no panics |
//! | `handles` | networks by number, so that a closed one is an error and not freed memory |
//! | `load` | `cnn_load`, `cnn_close`: options, files |
//! | `describe` | names and shapes of arrays |
//! | `run` | `cnn_run`: pointers and lengths, checked, then slices |
//!
//! **Trust.** A pointer that is not null is trusted to point to what its type says, and to as many elements as the length
//! beside it says. Nothing else is: null, lengths, alignment, overlaps, names and handles are checked.

mod describe;
mod handles;
mod load;
mod run;
mod status;

pub use describe::{ArrayInfo, cnn_first_batch, cnn_input, cnn_input_count, cnn_output, cnn_output_count};
pub use load::{Options, cnn_close, cnn_load, cnn_version};
pub use run::cnn_run;
pub use status::{Status, cnn_error_text};
