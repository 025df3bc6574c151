//! What a compiled file says of its model: the declaration, and how it was compiled.

use cnn_onnx::{Batch, Port};
use serde::{Deserialize, Serialize};

use crate::{Error, Model, Options};

/// The model of a compiled file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// The declaration as TOML.
    pub(crate) toml: String,
    /// What messages call it.
    pub(crate) origin: String,
    /// What the network is called if the text does not say.
    pub(crate) name: String,
    /// The arrays of the ONNX file that the model is from.
    arrays: Option<StoredArrays>,
    /// Images of one run.
    pub(crate) batch: usize,
    /// Whether it was compiled with [`Options::exact`].
    exact: bool,
    /// Whether it was compiled with [`Options::optimise`].
    optimised: bool,
}

/// Arrays as an ONNX file has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredArrays {
    inputs: Vec<StoredPort>,
    outputs: Vec<StoredPort>,
    batch: StoredBatch,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredPort {
    name: String,
    layer: String,
    dims: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum StoredBatch {
    Free,
    Fixed(usize),
    None,
}

/// What a model's file calls the arrays that go in and come out, where that is not what the network calls them.
#[derive(Clone, Debug)]
pub struct FileArrays {
    /// The inputs, in the order of the file, which is the network's.
    pub inputs: Vec<Port>,
    /// The outputs likewise.
    pub outputs: Vec<Port>,
    /// What axis 0 of the arrays is.
    pub batch: Batch,
}

impl Stored {
    /// A model that is compiled with these options.
    pub(super) fn new(model: &Model, options: &Options) -> Stored {
        let (toml, origin) = model.text();
        Stored {
            toml: toml.into_owned(),
            origin: origin.to_owned(),
            name: model.name().to_owned(),
            arrays: model.file_arrays().map(StoredArrays::from),
            batch: options.batch,
            exact: options.exact,
            optimised: options.optimise,
        }
    }

    /// The arrays of the ONNX file that the model is from.
    pub(crate) fn arrays(&self) -> Option<FileArrays> {
        self.arrays.as_ref().map(FileArrays::from)
    }

    /// Whether what is asked for is what was compiled; `file` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Option`] that says what is not.
    pub(super) fn check(&self, options: &Options, file: &str) -> Result<(), Error> {
        let wrong = |problem: String| Err(Error::Option(format!("`{file}` {problem}")));
        if options.batch != self.batch {
            return wrong(format!(
                "was compiled for a batch of {}, found {}: compile the model for that one",
                self.batch, options.batch
            ));
        }
        if options.exact && !self.exact {
            return wrong("was not compiled to be exact: compile the model so".into());
        }
        if !options.optimise && self.optimised {
            return wrong("was compiled with its layers fused: compile the model without".into());
        }
        Ok(())
    }
}

impl From<FileArrays> for StoredArrays {
    fn from(arrays: FileArrays) -> StoredArrays {
        let port = |port: Port| StoredPort {
            name: port.name,
            layer: port.layer,
            dims: port.dims,
        };
        StoredArrays {
            inputs: arrays.inputs.into_iter().map(port).collect(),
            outputs: arrays.outputs.into_iter().map(port).collect(),
            batch: match arrays.batch {
                Batch::Free => StoredBatch::Free,
                Batch::Fixed(batch) => StoredBatch::Fixed(batch),
                Batch::None => StoredBatch::None,
            },
        }
    }
}

impl From<&StoredArrays> for FileArrays {
    fn from(arrays: &StoredArrays) -> FileArrays {
        let port = |port: &StoredPort| Port {
            name: port.name.clone(),
            layer: port.layer.clone(),
            dims: port.dims.clone(),
        };
        FileArrays {
            inputs: arrays.inputs.iter().map(port).collect(),
            outputs: arrays.outputs.iter().map(port).collect(),
            batch: match arrays.batch {
                StoredBatch::Free => Batch::Free,
                StoredBatch::Fixed(batch) => Batch::Fixed(batch),
                StoredBatch::None => Batch::None,
            },
        }
    }
}
