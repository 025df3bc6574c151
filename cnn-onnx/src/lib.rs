//! ONNX files as networks: an [`Import`] is the project's own declaration of the network, and its weights.
//!
//! ```text
//! bytes ── file ──▶ messages ── order, fold, lower ──▶ layers ── network ──▶ NetDecl + weights
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | `proto` | the messages of `onnx.proto` |
//! | `file` | bytes to messages: mapped files, limits, data in other files |
//! | `tensor` | constants; their bytes stay in the file |
//! | `patterns` | what exporters write for one operation (GELU, hard swish …), as that operation |
//! | `order` | nodes in an order in which every input is known |
//! | `inputs` | what the model's inputs mean: the batch, free dimensions, channels last |
//! | `fold` | operators whose result is known when a file is read: the arithmetic with shapes that exporters leave |
//! | `value`, `movement` | how a tensor lies in what a layer gives, so that transposes cost nothing until they must |
//! | `node`, `lower` | a node's inputs and attributes in every version of the operator set; the layers it becomes |
//! | `network`, `names`, `uses`, `weights`, `budget` | the declaration under construction, and the memory it may take |
//! | `port`, `source`, `import` | inputs and outputs; nodes one by one; all of it, in order, at the sizes of images |
//!
//! **The batch.** A network here computes each image alone. Axis 0 of the model's tensors is therefore taken as the
//! batch; operators that work along it are errors. A model that cannot be read so (its inputs have no such axis in common)
//! is one image as a whole, if it fits.
//!
//! **Trust.** Files are hostile until checked: nothing in them causes a panic, an unbounded allocation, or a look outside
//! the model's folder.

mod attributes;
mod budget;
mod error;
mod file;
mod fold;
mod import;
mod inputs;
mod lower;
mod movement;
mod names;
mod network;
mod node;
mod order;
mod patterns;
mod port;
mod proto;
mod source;
mod tensor;
#[cfg(test)]
mod tests;
mod uses;
mod value;
mod weights;

pub use error::{ImportError, Place, Problem};
pub use import::{Import, ImportOptions};
pub use port::{Batch, Port};
pub use weights::OnnxWeights;
