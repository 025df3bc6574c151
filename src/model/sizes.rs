//! Models whose inputs leave heights and widths free: the model of some size, and which sizes there can be.

use std::collections::BTreeMap;
use std::fmt;

pub use cnn_ir::front::sizes::Sizes;
use cnn_ir::front::sizes::USUAL;

use super::{Model, Source};
use crate::arrays::{ArrayInfo, Interface};
use crate::error::Error;

/// The largest step between possible sizes that is looked for, and how far from a size a possible one is.
const FARTHEST: usize = 256;

/// So many layers are read at most to find possible sizes, of a large model therefore fewer sizes.
const MOST_LAYERS: usize = 200_000;

/// A height or width that the model's file leaves free, such as `"H"` in `image = [3, "H", "W"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeSize {
    /// What the file calls it.
    pub name: String,
    /// What it is in this model.
    pub size: usize,
    /// Where it stands: an input's position, and an axis of the input's arrays without the batch.
    pub places: Vec<(usize, usize)>,
}

impl FreeSize {
    /// The axes where it stands in the arrays of that input.
    pub(crate) fn axes_of(&self, input: usize) -> impl Iterator<Item = usize> {
        let places = self.places.iter().filter(move |place| place.0 == input);
        places.map(|&(_, axis)| axis)
    }
}

/// The sizes that a network accepts for one of its free heights and widths, as far as was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossibleSizes {
    /// The name of the free size.
    pub name: String,
    /// The least.
    pub least: usize,
    /// From one to the next; `None` if no other was found.
    pub step: Option<usize>,
}

impl fmt::Display for PossibleSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PossibleSizes { name, least, step } = self;
        match step {
            Some(1) => write!(f, "{name} from {least}"),
            Some(step) => write!(f, "{name} from {least} in steps of {step}"),
            None => write!(f, "{name} = {least}"),
        }
    }
}

impl Model {
    /// A model of the first size that fits, of those in the shapes that are asked for and the usual ones.
    pub(super) fn of_some_size(source: &Source) -> Result<Model, Error> {
        let asked = source.shapes.values().flatten().copied().filter(|&size| size > 0);
        let mut first = None;
        for size in asked.chain(USUAL) {
            let free = source.free_sizes().iter();
            let sizes = free.map(|free| (free.name.clone(), size)).collect();
            match Model::of_one_size(source.with_sizes(&sizes)?) {
                Ok(model) => return Ok(model),
                Err(error) => first = first.or(Some(error)),
            }
        }
        let none = || Error::Internal("there is no size to try".into());
        Err(first.unwrap_or_else(none))
    }

    /// The heights and widths that the model's file leaves free, and what they are in this model.
    ///
    /// ```
    /// let text = "[inputs]\nimage = [3, 'H', 'W']\n[[layer]]\nname = 'half'\nop = 'max_pool'\nsize = 2\n";
    /// let model = cnn::Model::from_toml(text)?;
    /// assert_eq!(model.free_sizes()[0].name, "H");
    /// let model = model.with_sizes(&[("H".to_owned(), 480), ("W".to_owned(), 640)].into())?;
    /// assert_eq!(model.outputs()[0].shape, [3, 240, 320]);
    /// # Ok::<(), cnn::Error>(())
    /// ```
    pub fn free_sizes(&self) -> Vec<FreeSize> {
        if self.source.free_sizes().is_empty() {
            return Vec::new();
        }
        let inputs = Interface::of_one_size(self).inputs;
        let free = self.source.free_sizes().iter().map(|free| {
            let position = |name: &str| inputs.iter().position(|input| input.name == name);
            let places = free.places.iter();
            let places: Vec<_> = places
                .filter_map(|place| Some((position(&place.input)?, place.axis)))
                .collect();
            let size = places
                .first()
                .and_then(|&(input, axis)| inputs[input].dims.get(axis).copied());
            FreeSize {
                name: free.name.clone(),
                size: size.unwrap_or_default(),
                places,
            }
        });
        free.collect()
    }

    /// The model at these sizes; those that are not given stay what they are.
    ///
    /// # Errors
    /// [`Error::Option`] for a name that is none of [`free_sizes`](Self::free_sizes), or a size of 0; [`Error::Model`]
    /// or [`Error::Onnx`] if the layers do not fit an image of that size.
    pub fn with_sizes(&self, wanted: &Sizes) -> Result<Model, Error> {
        let free = self.free_sizes();
        if let Some((name, _)) = wanted.iter().find(|(_, size)| **size == 0) {
            return Err(Error::Option(format!(
                "the size `{name}` is 0: an image has at least one pixel"
            )));
        }
        let known = |name: &str| free.iter().any(|free| free.name == name);
        if let Some(name) = wanted.keys().find(|name| !known(name)) {
            let names: Vec<_> = free.iter().map(|free| &*free.name).collect();
            return Err(Error::Option(match &*names {
                [] => format!("`{}` leaves no size free: there is no `{name}`", self.name()),
                names => format!("`{}` leaves {} free, not `{name}`", self.name(), names.join(" and ")),
            }));
        }
        let mut sizes: Sizes = free.into_iter().map(|free| (free.name, free.size)).collect();
        sizes.extend(wanted.clone());
        Model::of_one_size(self.source.with_sizes(&sizes)?)
    }

    /// The arrays that the model takes, in the order of its file.
    pub fn input_arrays(&self) -> Vec<ArrayInfo> {
        Interface::of(self).inputs
    }

    /// The model whose inputs take arrays of these shapes, given by the inputs' names, without the batch or with a batch
    /// of 1.
    ///
    /// # Errors
    /// As [`with_sizes`](Self::with_sizes); [`Error::Option`] for an input that there is not, [`Error::Input`] for a
    /// shape that differs in more than the free sizes.
    pub fn with_shapes(&self, shapes: &BTreeMap<String, Vec<usize>>) -> Result<Model, Error> {
        let inputs = self.input_arrays();
        let mut wanted = Sizes::new();
        for (name, dims) in shapes {
            let Some(input) = inputs.iter().find(|input| input.name == *name) else {
                let names: Vec<_> = inputs.iter().map(|input| format!("`{}`", input.name)).collect();
                return Err(Error::Option(format!(
                    "a shape is given for `{name}`, but the model's inputs are {}",
                    names.join(", ")
                )));
            };
            input.add_sizes(&input.with_batch(dims), &mut wanted)?;
        }
        self.with_sizes(&wanted)
    }

    /// The model at the sizes nearest to those wanted that its layers accept: the largest that are not above them where
    /// there are any.
    ///
    /// # Errors
    /// As [`with_sizes`](Self::with_sizes), if none is near.
    pub fn with_sizes_near(&self, wanted: &Sizes) -> Result<Model, Error> {
        let error = match self.with_sizes(wanted) {
            Err(error @ (Error::Model(_) | Error::Onnx(_))) => error,
            done => return done,
        };
        let mut near = Sizes::new();
        for (name, &size) in wanted {
            let below = (1..=size).rev().take(self.farthest());
            let above = (1..=self.farthest()).filter_map(|more| size.checked_add(more));
            match below.chain(above).find(|&size| self.accepts(name, size)) {
                Some(size) => near.insert(name.clone(), size),
                None => return Err(error),
            };
        }
        self.with_sizes(&near).map_err(|_| error)
    }

    /// Which sizes the network accepts for each that is free, the others being what they are in this model.
    pub fn possible_sizes(&self) -> Vec<PossibleSizes> {
        let possible = |FreeSize { name, size, .. }: FreeSize| {
            let more = |step: usize| self.accepts(&name, size.saturating_add(step));
            let step = (1..=self.farthest()).find(|&step| more(step) && more(2 * step));
            let mut least = size;
            if let Some(step) = step {
                // What is too small for the layers' windows stays too small: so many steps down, found by halving.
                let (mut good, mut bad) = (0, size.div_ceil(step));
                while bad - good > 1 {
                    let middle = good.midpoint(bad);
                    match self.accepts(&name, size - middle * step) {
                        true => good = middle,
                        false => bad = middle,
                    }
                }
                least = size - good * step;
            }
            PossibleSizes { name, least, step }
        };
        self.free_sizes().into_iter().map(possible).collect()
    }

    /// How far possible sizes are looked for.
    fn farthest(&self) -> usize {
        (MOST_LAYERS / self.graph().len().max(1)).clamp(8, FARTHEST)
    }

    /// Whether the layers fit an image of that size, the others being what they are.
    fn accepts(&self, name: &str, size: usize) -> bool {
        self.with_sizes(&Sizes::from([(name.to_owned(), size)])).is_ok()
    }
}
