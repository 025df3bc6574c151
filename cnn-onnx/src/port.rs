//! What goes into a model and comes out of it, as its file has it.

use crate::names;

/// What axis 0 of a model's tensors is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// The batch, of any size.
    Free,
    /// The batch, of this size in the file. The network can be run with others.
    Fixed(usize),
    /// No batch: a tensor is one image as a whole.
    None,
}

/// An input or output of a model.
///
/// An array at run time has the elements of the model's array in the same (row-major) order. Its shape is the
/// network's for that input or output, with the number of images in front (1 for [`Batch::None`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in the ONNX file.
    pub name: String,
    /// The input or layer of the network that it is.
    pub layer: String,
    /// Its dimensions in the ONNX file, without the batch if there is one.
    pub dims: Vec<usize>,
}

impl Port {
    /// Its name as a layer or a file could be called: `data:0` is `data_0`.
    pub fn plain_name(&self) -> String {
        names::valid(&self.name)
    }
}
