//! The arrays that a model takes and gives, as its file has them.

use cnn_onnx::Batch;

use crate::model::Sizes;
use crate::{Error, Model, Port};

/// An array that a session takes or gives: as the model's file has it, which for an ONNX file may be another shape of the
/// same elements than the network's [`Port`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayInfo {
    /// Its name.
    pub name: String,
    /// Its shape without the batch.
    pub dims: Vec<usize>,
    /// Whether axis 0 of the array is the batch. Otherwise the array is one image as a whole.
    pub batched: bool,
    /// The axes of `dims` that the model's file leaves free, with their names: an array may have any sizes there that the
    /// layers accept. `dims` are those of the model at hand.
    pub free: Vec<(usize, String)>,
}

impl ArrayInfo {
    /// The shape of an array of so many images.
    pub fn shape(&self, batch: usize) -> Vec<usize> {
        match self.batched {
            true => [&[batch], &*self.dims].concat(),
            false => self.dims.clone(),
        }
    }

    /// Images of an array of this shape; `None` where the array has no batch, `Err` if it does not fit.
    pub(crate) fn images(&self, shape: &[usize]) -> Result<Option<usize>, Error> {
        if self.image(shape) != Some(&self.dims) {
            return Err(self.misfit(shape));
        }
        match (self.batched, shape.first()) {
            (true, Some(0)) => Err(self.wrong("expected at least one image, found an empty batch".into())),
            (true, batch) => Ok(batch.copied()),
            (false, _) => Ok(None),
        }
    }

    /// A shape with a batch of 1 in front if it is one image's where the array has a batch.
    pub fn with_batch(&self, shape: &[usize]) -> Vec<usize> {
        match self.batched && shape.len() == self.dims.len() {
            true => [&[1], shape].concat(),
            false => shape.to_vec(),
        }
    }

    /// The dimensions of one image in an array of this shape; `None` if it has too few or too many.
    fn image<'a>(&self, shape: &'a [usize]) -> Option<&'a [usize]> {
        let batch = usize::from(self.batched);
        (shape.len() == self.dims.len() + batch).then(|| &shape[batch..])
    }

    /// Adds the free sizes of an array of this shape.
    ///
    /// # Errors
    /// [`Error::Input`] if it differs in more than those, or a size has been added that is another.
    pub fn add_sizes(&self, shape: &[usize], sizes: &mut Sizes) -> Result<(), Error> {
        let dims = self.image(shape).ok_or_else(|| self.misfit(shape))?;
        for (axis, (&dim, &known)) in dims.iter().zip(&self.dims).enumerate() {
            match self.free_at(axis) {
                None if dim != known => return Err(self.misfit(shape)),
                None => {}
                Some(name) => {
                    let before = *sizes.entry(name.to_owned()).or_insert(dim);
                    if before != dim {
                        return Err(self.wrong(format!("`{name}` is {dim} here and {before} elsewhere")));
                    }
                }
            }
        }
        Ok(())
    }

    fn free_at(&self, axis: usize) -> Option<&str> {
        let free = self.free.iter().find(|(at, _)| *at == axis);
        free.map(|(_, name)| &**name)
    }

    fn misfit(&self, found: &[usize]) -> Error {
        let dims = self.dims.iter().enumerate();
        let dims = dims.map(|(axis, dim)| self.free_at(axis).map_or(dim.to_string(), str::to_owned));
        let dims: Vec<_> = dims.collect();
        let expected = match self.batched {
            true => format!("[{}] with N images", [&["N".to_owned()], &*dims].concat().join(", ")),
            false => format!("[{}]", dims.join(", ")),
        };
        let hint = match self.batched && *found == *self.dims {
            true => format!("; one image is an array of shape {:?}", self.shape(1)),
            false => String::new(),
        };
        self.wrong(format!("expected an array of shape {expected}, found {found:?}{hint}"))
    }

    pub(crate) fn wrong(&self, problem: String) -> Error {
        Error::Input {
            name: self.name.clone(),
            problem,
        }
    }
}

/// What a model takes and gives, and the batch that it is made for.
pub(crate) struct Interface {
    pub(crate) inputs: Vec<ArrayInfo>,
    pub(crate) outputs: Vec<ArrayInfo>,
    pub(crate) batch: usize,
}

impl Interface {
    /// A model's, in the order of its file.
    pub(crate) fn of(model: &Model) -> Interface {
        let mut interface = Interface::of_one_size(model);
        let free = model.free_sizes();
        for (position, input) in interface.inputs.iter_mut().enumerate() {
            for (name, axis) in free
                .iter()
                .flat_map(|free| free.axes_of(position).map(move |axis| (&free.name, axis)))
            {
                input.free.push((axis, name.clone()));
            }
        }
        interface
    }

    /// The same without the names of free sizes.
    pub(crate) fn of_one_size(model: &Model) -> Interface {
        let Some(arrays) = model.file_arrays() else {
            let info = |port: Port| ArrayInfo {
                name: port.name,
                dims: port.shape,
                batched: true,
                free: Vec::new(),
            };
            let infos = |ports: Vec<Port>| ports.into_iter().map(info).collect();
            return Interface {
                inputs: infos(model.inputs()),
                outputs: infos(model.outputs()),
                batch: 1,
            };
        };
        let info = |port: &cnn_onnx::Port| ArrayInfo {
            name: port.name.clone(),
            dims: port.dims.clone(),
            batched: arrays.batch != Batch::None,
            free: Vec::new(),
        };
        Interface {
            inputs: arrays.inputs.iter().map(info).collect(),
            outputs: arrays.outputs.iter().map(info).collect(),
            batch: match arrays.batch {
                Batch::Fixed(batch) => batch,
                Batch::Free | Batch::None => 1,
            },
        }
    }
}
