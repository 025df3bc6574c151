//! A model that leaves heights and widths free is run at those of the images that it is given.

use std::path::Path;

use cnn::io::{image, npy};
use cnn::{ArrayInfo, Error, Model, Port, Sizes};

use super::super::args::Origin;
use super::super::format::dims;
use super::super::{Failure, note};
use super::files::{self, Content, File};
use super::{Inputs, groups};

/// A model of one size and the images that have it.
pub(in crate::cli) struct Sized {
    pub(in crate::cli) model: Model,
    pub(in crate::cli) inputs: Inputs,
    /// The images' files, if there are images of other sizes too.
    pub(in crate::cli) names: Vec<String>,
}

impl Sized {
    /// All that is given, and the model as it is.
    pub(in crate::cli) fn as_given(model: Model, inputs: &Inputs) -> Sized {
        Sized {
            model,
            inputs: inputs.clone(),
            names: Vec::new(),
        }
    }
}

/// The model at the sizes of what it is given. Files of the only input that have other sizes than those before them are
/// the next one's; there is one only if no size is free, or nothing is given that has a size.
pub(in crate::cli) fn at_their_sizes(model: Model, inputs: &Inputs, limit: Option<u64>) -> Result<Vec<Sized>, Failure> {
    let as_it_is = |model: Model| Ok(vec![Sized::as_given(model, inputs)]);
    if model.free_sizes().is_empty() || !inputs.are_given() {
        return as_it_is(model);
    }
    let groups = groups(&model, inputs)?;
    let infos = model.input_arrays();
    let (mut all, mut together) = (Vec::new(), Sizes::new());
    for (position, port) in model.inputs().iter().enumerate() {
        let files = expanded(groups[position].as_deref().unwrap_or_default(), limit)?;
        for file in files {
            // Arrays of one run, or of one batch, where there are several inputs.
            let mut sizes = if infos.len() > 1 { together } else { Sizes::new() };
            infos[position].add_sizes(&shape(&file, port, &infos[position], inputs)?, &mut sizes)?;
            together = sizes.clone();
            all.push((file.name, sizes));
        }
    }
    if all.is_empty() {
        return as_it_is(model);
    }
    if infos.len() > 1 {
        return as_it_is(near(&model, &together, &all[0].0)?);
    }
    let mut found: Vec<Sized> = Vec::new();
    let mut last: Option<Sizes> = None;
    for (name, sizes) in all {
        let text = format!("{}={name}", infos[0].name);
        match found.last_mut() {
            Some(one) if last.as_ref() == Some(&sizes) => {
                one.inputs.groups[0].push(name.clone());
                one.names.push(name);
            }
            _ => found.push(Sized {
                model: near(&model, &sizes, &name)?,
                inputs: inputs.with_groups(vec![vec![text]]),
                names: vec![name],
            }),
        }
        last = Some(sizes);
    }
    Ok(found)
}

/// The files that an input is given; none where numbers are made up.
fn expanded(texts: &[&str], limit: Option<u64>) -> Result<Vec<File>, Failure> {
    let mut files = Vec::new();
    for text in texts {
        match text.parse().map_err(Failure::Usage)? {
            Origin::Random(_) => {}
            Origin::File(path) if path == Path::new("-") => {
                return Err(Failure::Usage(
                    "the model leaves sizes free: say with --shape which standard input has".into(),
                ));
            }
            Origin::File(path) => files.extend(files::expand(&path, limit)?),
        }
    }
    Ok(files)
}

/// The shape of the array, with the batch, that a file becomes.
fn shape(file: &File, port: &Port, info: &ArrayInfo, inputs: &Inputs) -> Result<Vec<usize>, Error> {
    let Content::Path(path) = &file.content else {
        return Ok(info.shape(1));
    };
    if file.is_npy() {
        return Ok(info.with_batch(&npy::shape(path)?));
    }
    let [height, width] = inputs.size_of(image::size(path)?);
    let mut shape = info.shape(1);
    let rank = shape.len();
    if port.map().is_some() && rank >= 3 {
        let rows = if port.hwc { rank - 3 } else { rank - 2 };
        shape[rows] = height;
        shape[rows + 1] = width;
    }
    Ok(shape)
}

/// The model at the nearest sizes that its layers fit, with a word if they are others.
fn near(model: &Model, sizes: &Sizes, name: &str) -> Result<Model, Error> {
    let model = model.with_sizes_near(sizes)?;
    let taken: Sizes = model
        .free_sizes()
        .into_iter()
        .map(|free| (free.name, free.size))
        .collect();
    let others: Vec<_> = sizes
        .iter()
        .filter(|(name, size)| taken.get(*name) != Some(size))
        .collect();
    if !others.is_empty() {
        let pixels = |sizes: &Sizes| dims(&sizes.values().copied().collect::<Vec<_>>());
        let names: Vec<_> = sizes.keys().map(String::as_str).collect();
        note(format_args!(
            "`{name}`: {} = {} is taken as {}, which the layers fit",
            names.join(" × "),
            pixels(sizes),
            pixels(&taken)
        ));
    }
    Ok(model)
}
