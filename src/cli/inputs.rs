//! From `--input` to arrays: which input each is for, and how many images they hold.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use cnn::io::image::Normalise;
use cnn::io::{image, npy};
use cnn::onnx::Batch;
use cnn::{Error, Model, Port};
use ndarray::{Array3, ArrayD, Axis, IxDyn};

use super::Failure;
use super::args::{InputArgument, Inputs, Origin};

/// What one input of the network is given.
pub(super) enum Given {
    /// A `.npy` file's array, already read: its batch decides what is compiled.
    Array(ArrayD<f32>),
    /// An image file, read when the network is compiled.
    Image(PathBuf),
    /// The image that the model comes with.
    Sample(&'static [u8]),
    /// Numbers of this seed.
    Random(u64),
}

/// Assigns the arguments to the inputs, in order or by name. An input that was given nothing gets `otherwise`,
/// or is an error.
pub(super) fn assign(
    model: &Model,
    arguments: &Inputs,
    otherwise: impl Fn(&Port) -> Option<Given>,
) -> Result<Vec<(Port, Given)>, Failure> {
    let ports = model.inputs();
    let mut given: Vec<Option<&InputArgument>> = vec![None; ports.len()];
    let names = || {
        ports
            .iter()
            .map(|port| format!("`{}`", port.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    for argument in &arguments.inputs {
        let position = match &argument.name {
            Some(name) => ports
                .iter()
                .position(|port| port.name == *name)
                .ok_or_else(|| Failure::Usage(format!("the network has no input `{name}`; it has {}", names())))?,
            None => given.iter().position(Option::is_none).ok_or_else(|| {
                Failure::Usage(format!(
                    "more inputs are given than the {} that the network has ({})",
                    ports.len(),
                    names()
                ))
            })?,
        };
        if given[position].replace(argument).is_some() {
            return Err(Failure::Usage(format!(
                "input `{}` is given twice",
                ports[position].name
            )));
        }
    }
    let mut assigned = Vec::new();
    for (position, (port, argument)) in ports.into_iter().zip(given).enumerate() {
        let found = match argument.map(|argument| &argument.origin) {
            Some(Origin::Random(seed)) => Given::Random(*seed),
            Some(Origin::File(path)) if is_npy(path) => {
                Given::Array(in_networks_shape(model, position, &port, npy::read(path)?)?)
            }
            Some(Origin::File(path)) => Given::Image(path.clone()),
            None => otherwise(&port).ok_or_else(|| {
                Failure::Usage(format!(
                    "input `{0}` {1:?} is missing: give --input {0}=FILE (.npy, PNG or JPEG), or --input {0}=random",
                    port.name, port.shape
                ))
            })?,
        };
        assigned.push((port, found));
    }
    let pictures = assigned
        .iter()
        .any(|(_, given)| matches!(given, Given::Image(_) | Given::Sample(_)));
    let normalised = !arguments.mean.is_empty() || !arguments.std.is_empty();
    if normalised && !pictures {
        return Err(Failure::Usage(
            "--mean and --std are for PNG and JPEG inputs, and there is none".into(),
        ));
    }
    Ok(assigned)
}

/// An array of the shape that an ONNX file gives its input, in the network's shape for it: the elements are the same.
fn in_networks_shape(model: &Model, position: usize, port: &Port, array: ArrayD<f32>) -> Result<ArrayD<f32>, Error> {
    let Some(import) = model.import() else { return Ok(array) };
    let dims = &*import.inputs[position].dims;
    let shape = match array.shape() {
        [batch, image @ ..] if import.batch != Batch::None && image == dims => port.batched(*batch),
        all if all == dims => port.shape.clone(),
        _ if held(port, &array).is_ok() => return Ok(array),
        found => return Err(misfit(&port.name, dims, found)),
    };
    let (elements, _) = array.as_standard_layout().into_owned().into_raw_vec_and_offset();
    // As many elements in both: the importer's promise.
    Ok(ArrayD::from_shape_vec(shape, elements).unwrap_or_default())
}

/// Told by content, and by name where there is no content to tell by.
fn is_npy(path: &Path) -> bool {
    let named = || {
        path.extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("npy"))
    };
    let regular = path.metadata().is_ok_and(|data| data.is_file());
    let mut start = [0u8; npy::MAGIC.len()];
    let mut begins = || {
        File::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok_and(|()| start == *npy::MAGIC)
    };
    (regular && begins()) || named()
}

/// How many images a run takes: what the inputs hold, held against `--batch`.
pub(super) fn batch(inputs: &[(Port, Given)], asked: Option<usize>) -> Result<usize, Error> {
    let mut batch = asked.map(|batch| (batch, "--batch".to_owned()));
    for (port, given) in inputs {
        let held = match given {
            Given::Array(array) => held(port, array)?,
            Given::Image(_) | Given::Sample(_) => 1,
            Given::Random(_) => continue,
        };
        match &batch {
            Some((others, who)) if *others != held => {
                return Err(Error::Input {
                    name: port.name.clone(),
                    problem: format!("expected a batch of {others} as {who} has it, found {held}"),
                });
            }
            _ => batch = Some((held, format!("`{}`", port.name))),
        }
    }
    Ok(batch.map_or(1, |(batch, _)| batch))
}

/// How many images an array holds for an input.
fn held(port: &Port, array: &ArrayD<f32>) -> Result<usize, Error> {
    match array.shape() {
        shape if *shape == port.shape => Ok(1),
        [batch, shape @ ..] if *shape == port.shape && *batch > 0 => Ok(*batch),
        found => Err(misfit(&port.name, &port.shape, found)),
    }
}

/// What to say of an array of another shape.
fn misfit(name: &str, shape: &[usize], found: &[usize]) -> Error {
    let dims: Vec<_> = shape.iter().map(usize::to_string).collect();
    Error::Input {
        name: name.to_owned(),
        problem: format!(
            "expected an array of shape {shape:?}, or [N, {}] for N images; found {found:?}",
            dims.join(", ")
        ),
    }
}

/// The arrays for a network of that batch, each with the batch first and in standard layout.
pub(super) fn arrays(inputs: Vec<(Port, Given)>, arguments: &Inputs, batch: usize) -> Result<Vec<ArrayD<f32>>, Error> {
    let mut normalise = Normalise::default();
    if !arguments.mean.is_empty() {
        normalise.mean.clone_from(&arguments.mean);
    }
    if !arguments.std.is_empty() {
        normalise.std.clone_from(&arguments.std);
    }
    inputs
        .into_iter()
        .map(|(port, given)| array(&port, given, &normalise, batch))
        .collect()
}

fn array(port: &Port, given: Given, normalise: &Normalise, batch: usize) -> Result<ArrayD<f32>, Error> {
    let shape = IxDyn(&port.batched(batch));
    let fitting = |elements: Vec<f32>| {
        ArrayD::from_shape_vec(shape.clone(), elements).map_err(|error| Error::Input {
            name: port.name.clone(),
            problem: error.to_string(),
        })
    };
    let map = || {
        port.map().ok_or_else(|| Error::Input {
            name: port.name.clone(),
            problem: format!(
                "expected a vector of {}, found an image; use a .npy file",
                port.shape[0]
            ),
        })
    };
    match given {
        Given::Array(array) => fitting(array.into_iter().collect()),
        Given::Random(seed) => {
            let elements = port.shape.iter().product::<usize>() * batch;
            fitting(cnn::random_input(&port.name, elements, seed))
        }
        Given::Image(path) => Ok(batched(port, image::read(&path, map()?, normalise)?)),
        Given::Sample(png) => Ok(batched(
            port,
            image::from_bytes(png, "the built-in image", map()?, normalise)?,
        )),
    }
}

/// A planar image in the input's layout, as a batch of one.
fn batched(port: &Port, image: Array3<f32>) -> ArrayD<f32> {
    let image = if port.hwc {
        image.permuted_axes([1, 2, 0])
    } else {
        image
    };
    let batch = image.insert_axis(Axis(0)).into_dyn();
    batch.as_standard_layout().into_owned()
}
