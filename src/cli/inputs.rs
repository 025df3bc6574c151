//! From `--input` to arrays: which input each is for, how many images they hold, and one run's arrays after the other.
//!
//! | module | what it owns |
//! |---|---|
//! | `args` | the flags, as they are given |
//! | `files` | a path, a folder or standard input as images |
//! | `sizes` | the model at the sizes of the images, where it leaves them free |

mod args;
mod files;
mod sizes;

use cnn::io::image::{Fit, Preparation};
use cnn::io::{image, npy};
use cnn::onnx::Batch;
use cnn::{CompiledFile, Error, Model, Network, Port};
use ndarray::{ArrayD, ArrayView3, Axis, IxDyn};

use super::args::Origin;
use super::format::dims;
use super::{Failure, warn};

pub(super) use args::{Inputs, Pictures};
use files::{Content, File};
pub(super) use sizes::{Sized, at_their_sizes};

/// Images of a run, where several files are given and `--batch` does not say.
const BATCH: usize = 8;

/// What one input of the network is given.
pub(super) enum Given {
    /// Files, in order; arrays are read already: their batch decides what is compiled.
    Files(Vec<Item>),
    /// The image that the model comes with.
    Sample(&'static [u8]),
    /// Numbers of this seed, for as many images as there are.
    Random(u64),
}

impl Given {
    /// An array of one image, without the batch.
    pub(super) fn array(array: ArrayD<f32>) -> Given {
        Given::Files(vec![Item::Array(array.insert_axis(Axis(0)), String::new())])
    }
}

/// A file of an input.
pub(super) enum Item {
    /// An array of one image or more, with the batch in front.
    Array(ArrayD<f32>, String),
    /// A picture, read when its turn comes.
    Picture(File),
}

impl Item {
    fn images(&self) -> usize {
        match self {
            Item::Array(array, _) => array.len_of(Axis(0)),
            Item::Picture(_) => 1,
        }
    }

    fn name(&self) -> &str {
        match self {
            Item::Array(_, name) => name,
            Item::Picture(file) => &file.name,
        }
    }
}

/// All that is given to a network, each for an input, in the order of declaration.
pub(super) struct Feed {
    given: Vec<(Port, Given)>,
    /// How pictures become arrays; its bound of memory is what the network leaves.
    preparation: Preparation,
    /// Images altogether, if files say so.
    images: usize,
    /// Images of a run.
    pub(super) batch: usize,
}

/// The names that an input may be called by: as an ONNX file calls it, then as the network does.
fn names(model: &Model, position: usize, port: &Port) -> Vec<String> {
    let file = model
        .file_arrays()
        .and_then(|arrays| arrays.inputs.into_iter().nth(position));
    let file = file.map(|file| file.name).filter(|name| *name != port.name);
    file.into_iter().chain([port.name.clone()]).collect()
}

/// `NAME=REST` with one of these names, of which the first of each owner is taken before any other; a name may itself
/// hold `=`. Gives the owner's position.
pub(super) fn named<'a>(text: &'a str, names: &[Vec<String>]) -> Option<(usize, &'a str)> {
    let splits = text.match_indices('=').map(|(at, _)| (&text[..at], &text[at + 1..]));
    let mut known = splits.filter_map(|(name, rest)| {
        let first = |names: &Vec<String>| names.first().is_some_and(|one| one == name);
        let any = |names: &Vec<String>| names.iter().any(|one| one == name);
        let owner = names.iter().position(first).or_else(|| names.iter().position(any))?;
        Some((owner, rest))
    });
    // The longest name.
    known.next_back()
}

/// What stands before `=` in `text`, if that looks like somebody's name for an input and not like a part of a path.
pub(super) fn would_be_name(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('=')?;
    (!std::path::Path::new(text).exists() && !name.is_empty() && !name.contains('/')).then_some(name)
}

fn listed(names: &[Vec<String>]) -> String {
    let names: Vec<_> = names
        .iter()
        .map(|names| format!("`{}`", names.join("` or `")))
        .collect();
    names.join(", ")
}

/// What is given to each input, in the order of declaration: the arguments in order or by name.
fn groups<'a>(model: &Model, arguments: &'a Inputs) -> Result<Vec<Option<Vec<&'a str>>>, Failure> {
    let ports = model.inputs();
    let names: Vec<_> = ports
        .iter()
        .enumerate()
        .map(|(at, port)| names(model, at, port))
        .collect();
    let mut groups: Vec<Option<Vec<&str>>> = vec![None; ports.len()];
    for group in &arguments.groups {
        let mut texts: Vec<&str> = group.iter().map(String::as_str).collect();
        let position = match named(texts[0], &names) {
            Some((position, rest)) => {
                texts[0] = rest;
                position
            }
            None => {
                if let Some(name) = would_be_name(texts[0]) {
                    let problem = format!("the network has no input `{name}`; it has {}", listed(&names));
                    return Err(Failure::Usage(problem));
                }
                groups.iter().position(Option::is_none).ok_or_else(|| {
                    Failure::Usage(format!(
                        "more inputs are given than the {} that the network has ({})",
                        ports.len(),
                        listed(&names)
                    ))
                })?
            }
        };
        if groups[position].replace(texts).is_some() {
            let name = &ports[position].name;
            return Err(Failure::Usage(format!("input `{name}` is given twice")));
        }
    }
    Ok(groups)
}

/// Reads what is given to the inputs. An input that was given nothing gets `otherwise`,
/// or is an error. `asked` is the batch asked for.
pub(super) fn assign(
    model: &Model,
    arguments: &Inputs,
    asked: Option<usize>,
    limit: Option<u64>,
    otherwise: impl Fn(&Port) -> Option<Given>,
) -> Result<Feed, Failure> {
    // A compiled network takes one batch only.
    let asked = asked.or(model.compiled().map(CompiledFile::batch));
    let groups = groups(model, arguments)?;
    let ports = model.inputs();
    let mut given = Vec::new();
    for (position, (port, texts)) in ports.into_iter().zip(groups).enumerate() {
        let found = match texts {
            Some(texts) => read(model, position, &port, &texts, limit)?,
            None => otherwise(&port).ok_or_else(|| {
                Failure::Usage(format!(
                    "input `{0}` {1:?} is missing: give --input {0}=FILE (.npy or a picture), or --input {0}=random",
                    port.name, port.shape
                ))
            })?,
        };
        given.push((port, found));
    }
    let is_picture = |given: &Given| match given {
        Given::Files(items) => items.iter().any(|item| matches!(item, Item::Picture(_))),
        Given::Sample(_) => true,
        Given::Random(_) => false,
    };
    if arguments.prepares() && !given.iter().any(|(_, given)| is_picture(given)) {
        return Err(Failure::Usage(
            "--fit, --resize, --crop, --mean and --std are for pictures, and there is none".into(),
        ));
    }
    let images = images(&given, asked)?;
    let one_each = given
        .iter()
        .all(|(_, given)| !matches!(given, Given::Files(items) if items.len() > 1));
    let feed = Feed {
        batch: match asked {
            Some(batch) => batch.min(images),
            None if one_each => images,
            None => images.min(BATCH),
        },
        given,
        preparation: arguments.preparation(limit),
        images,
    };
    if !arguments.fits() {
        feed.say_what_is_stretched();
    }
    Ok(feed)
}

/// What one `--input` gives.
fn read(model: &Model, position: usize, port: &Port, texts: &[&str], limit: Option<u64>) -> Result<Given, Failure> {
    let mut items = Vec::new();
    for text in texts {
        match text.parse().map_err(Failure::Usage)? {
            Origin::Random(seed) if texts.len() == 1 => return Ok(Given::Random(seed)),
            Origin::Random(_) => {
                return Err(Failure::Usage("made-up numbers go alone, not beside files".into()));
            }
            Origin::File(path) => {
                for file in files::expand(&path, limit)? {
                    items.push(item(model, position, port, file, limit)?);
                }
            }
        }
    }
    Ok(Given::Files(items))
}

fn item(model: &Model, position: usize, port: &Port, file: File, limit: Option<u64>) -> Result<Item, Error> {
    if !file.is_npy() {
        return match port.map() {
            Some(_) => Ok(Item::Picture(file)),
            None => Err(Error::Input {
                name: port.name.clone(),
                problem: format!(
                    "expected a vector of {}, found a picture, `{}`; use a .npy file",
                    port.shape[0], file.name
                ),
            }),
        };
    }
    let array = match &file.content {
        Content::Path(path) => npy::read_within(path, limit)?,
        Content::Bytes(bytes) => npy::from_bytes(bytes, &file.name, limit)?,
    };
    let array = in_networks_shape(model, position, port, array)?;
    let array = match array.shape() == port.shape {
        true => array.insert_axis(Axis(0)),
        false => array,
    };
    Ok(Item::Array(array, file.name))
}

/// An array of the shape that an ONNX file gives its input, in the network's shape for it: the elements are the same.
fn in_networks_shape(model: &Model, position: usize, port: &Port, array: ArrayD<f32>) -> Result<ArrayD<f32>, Error> {
    let fits = |shape: &[usize]| match shape {
        shape if *shape == port.shape => true,
        [batch, shape @ ..] => *shape == port.shape && *batch > 0,
        [] => false,
    };
    let wrong = |shape: &[usize], found: &[usize]| Err(misfit(&port.name, shape, found));
    let Some(arrays) = model.file_arrays() else {
        return match fits(array.shape()) {
            true => Ok(array),
            false => wrong(&port.shape, array.shape()),
        };
    };
    let dims = &*arrays.inputs[position].dims;
    let shape = match array.shape() {
        [batch, image @ ..] if arrays.batch != Batch::None && image == dims && *batch > 0 => port.batched(*batch),
        all if all == dims => port.shape.clone(),
        shape if fits(shape) => return Ok(array),
        found => return wrong(dims, found),
    };
    let (elements, _) = array.as_standard_layout().into_owned().into_raw_vec_and_offset();
    // As many elements in both: the importer's promise.
    Ok(ArrayD::from_shape_vec(shape, elements).unwrap_or_default())
}

/// How many images are given, held against the batch asked for.
fn images(inputs: &[(Port, Given)], asked: Option<usize>) -> Result<usize, Error> {
    let mut images: Option<(usize, String)> = None;
    for (port, given) in inputs {
        let (held, files) = match given {
            Given::Files(items) => (items.iter().map(Item::images).sum(), items.len()),
            Given::Sample(_) => (1, 1),
            Given::Random(_) => continue,
        };
        // Of several files, `--batch` says how many are run at once.
        let asked = asked.filter(|_| files == 1).map(|batch| (batch, "--batch".to_owned()));
        if let Some((others, who)) = asked.or_else(|| images.clone())
            && others != held
        {
            return Err(Error::Input {
                name: port.name.clone(),
                problem: format!("expected a batch of {others} as {who} has it, found {held}"),
            });
        }
        images = Some((held, format!("`{}`", port.name)));
    }
    Ok(images.map_or(asked.unwrap_or(1), |(images, _)| images))
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

impl Feed {
    /// Images altogether.
    pub(super) fn images(&self) -> usize {
        self.images
    }

    /// Runs that take them all.
    pub(super) fn runs(&self) -> usize {
        self.images.div_ceil(self.batch)
    }

    /// Images of that run: the last one may have fewer than the batch.
    pub(super) fn images_of(&self, run: usize) -> usize {
        (self.images - run * self.batch).min(self.batch)
    }

    /// The files' names, one for each image, if there are several and each is one image of the only input.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        match &*self.given {
            [(_, Given::Files(items))] if items.len() > 1 && items.len() == self.images => {
                Some(items.iter().map(|item| item.name().to_owned()).collect())
            }
            _ => None,
        }
    }

    /// Whether the only thing given is one picture, and whether that is the model's own.
    pub(super) fn picture(&self) -> Option<bool> {
        match &*self.given {
            [(_, Given::Sample(_))] => Some(true),
            [(_, Given::Files(items))] if matches!(&**items, [Item::Picture(_)]) => Some(false),
            _ => None,
        }
    }

    /// Whether an input is given files or an array.
    pub(super) fn holds_files(&self) -> bool {
        self.given.iter().any(|(_, given)| matches!(given, Given::Files(_)))
    }

    /// Says which pictures lose their proportions, since nobody asked for it.
    fn say_what_is_stretched(&self) {
        if self.preparation.fit != Fit::Stretch {
            return;
        }
        for (port, given) in &self.given {
            let (Given::Files(items), Some([_, rows, columns])) = (given, port.map()) else {
                continue;
            };
            let stretched = |item: &Item| match item {
                Item::Picture(File {
                    content: Content::Path(path),
                    ..
                }) => {
                    let [height, width] = image::size(path).ok()?;
                    let change = (height as f64 * columns as f64) / (width as f64 * rows as f64);
                    // What rounding to whole pixels does is not worth a word.
                    (!(0.98..=1.02).contains(&change)).then(|| (item.name().to_owned(), height, width))
                }
                Item::Picture(_) | Item::Array(..) => None,
            };
            let mut all = items.iter().filter_map(stretched);
            if let Some((name, height, width)) = all.next() {
                let more = match all.count() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                warn(format_args!(
                    "`{name}`{more}: {} pixels are stretched to {}; `--fit cover` or `--fit contain` keeps proportions",
                    dims(&[width, height]),
                    dims(&[columns, rows])
                ));
            }
        }
    }

    /// The arrays of a run, each with the batch first and in standard layout; `network` and results take the rest of
    /// the memory that may be taken. Images that are missing in the last run are zeros.
    pub(super) fn arrays(&self, run: usize) -> Result<Vec<ArrayD<f32>>, Error> {
        let first = run * self.batch;
        self.given
            .iter()
            .map(|(port, given)| self.array(port, given, first))
            .collect()
    }

    /// Leaves what the network takes out of what pictures may take.
    pub(super) fn beside(&mut self, network: &Network) {
        let taken = network.weight_bytes().saturating_add(network.arena_bytes());
        let limit = &mut self.preparation.max_memory;
        *limit = limit.map(|limit| limit.saturating_sub(taken));
    }

    fn array(&self, port: &Port, given: &Given, first: usize) -> Result<ArrayD<f32>, Error> {
        let shape = port.batched(self.batch);
        let image: usize = port.shape.iter().product();
        // No overflow: the arrays of a run were counted when the network was compiled.
        let count = image * self.batch;
        let mut elements: Vec<f32> = Vec::new();
        if let Given::Random(seed) = given {
            // As many numbers as for all images at once, so that the batch changes nothing.
            elements = cnn::random_input(&port.name, (first + self.batch) * image, *seed);
            elements.drain(..first * image);
        } else {
            elements
                .try_reserve_exact(count)
                .map_err(|_| Error::Limit(format!("there is no memory for the array of input `{}`", port.name)))?;
            elements.resize(count, 0.0);
            let images = elements.chunks_exact_mut(image.max(1));
            for (at, slot) in images.enumerate().take(self.images.saturating_sub(first)) {
                self.image(port, given, first + at, slot)?;
            }
        }
        ArrayD::from_shape_vec(IxDyn(&shape), elements).map_err(|error| Error::Input {
            name: port.name.clone(),
            problem: error.to_string(),
        })
    }

    /// Writes one image's elements.
    fn image(&self, port: &Port, given: &Given, mut position: usize, slot: &mut [f32]) -> Result<(), Error> {
        let map = port.map().unwrap_or_default();
        let how = &self.preparation;
        let planar = |picture: ndarray::Array3<f32>, slot: &mut [f32]| in_layout(port, picture.view(), slot);
        match given {
            Given::Sample(png) => planar(image::from_bytes(png, "the built-in image", map, how)?, slot),
            Given::Files(items) => {
                for item in items {
                    if position >= item.images() {
                        position -= item.images();
                        continue;
                    }
                    match item {
                        Item::Array(array, _) => {
                            let image = array.index_axis(Axis(0), position);
                            slot.iter_mut().zip(image).for_each(|(slot, value)| *slot = *value);
                        }
                        Item::Picture(file) => planar(
                            match &file.content {
                                Content::Path(path) => image::read(path, map, how)?,
                                Content::Bytes(bytes) => image::from_bytes(bytes, &file.name, map, how)?,
                            },
                            slot,
                        ),
                    }
                    break;
                }
            }
            Given::Random(_) => {}
        }
        Ok(())
    }
}

/// A planar picture in the input's layout.
fn in_layout(port: &Port, picture: ArrayView3<'_, f32>, slot: &mut [f32]) {
    let picture = if port.hwc {
        picture.permuted_axes([1, 2, 0])
    } else {
        picture
    };
    slot.iter_mut().zip(picture).for_each(|(slot, value)| *slot = *value);
}
