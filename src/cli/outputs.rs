//! From `--output` to files: one array, a picture, or several arrays in a directory; all are written or none is.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cnn::io::{atomic, image, npy};
use cnn::ir::op::Meaning;
use cnn::onnx::Batch;
use cnn::{Error, Model};
use ndarray::{ArrayD, Axis, CowArray, IxDyn, Slice};

use super::Failure;
use super::format::counted;
use super::inputs::{named, would_be_name};

/// What the outputs are called on the screen: as an ONNX file calls them, or as the layers.
pub(super) fn shown_names(model: &Model) -> Vec<String> {
    match model.file_arrays() {
        Some(arrays) => arrays.outputs.into_iter().map(|port| port.name).collect(),
        None => model.outputs().into_iter().map(|port| port.name).collect(),
    }
}

/// What the outputs' files are called: as the ONNX file calls its outputs, or as the layers.
fn file_names(model: &Model) -> Vec<String> {
    let layers = || model.outputs().into_iter().map(|port| port.name).collect();
    let Some(arrays) = model.file_arrays() else {
        return layers();
    };
    let names: Vec<_> = arrays.outputs.iter().map(cnn::onnx::Port::plain_name).collect();
    match names.iter().collect::<HashSet<_>>().len() == names.len() {
        true => names,
        false => layers(),
    }
}

/// The arrays in the shapes that the ONNX file gives its outputs, if that is what the network is from.
pub(super) fn in_files_shapes<'a>(model: &Model, arrays: &'a [ArrayD<f32>]) -> Vec<CowArray<'a, f32, IxDyn>> {
    let file = model.file_arrays();
    let shape = |position: usize, array: &ArrayD<f32>| {
        let file = file.as_ref()?;
        let dims = &*file.outputs.get(position)?.dims;
        match (file.batch, array.shape()) {
            (Batch::None, [1, ..]) => Some(dims.to_vec()),
            (_, [batch, ..]) => Some([&[*batch], dims].concat()),
            (_, []) => None,
        }
    };
    let shaped = |(position, array): (usize, &'a ArrayD<f32>)| {
        // As many elements in both: the importer's promise.
        let other = shape(position, array).and_then(|shape| array.to_shape(shape).ok());
        other.unwrap_or_else(|| CowArray::from(array))
    };
    arrays.iter().enumerate().map(shaped).collect()
}

/// The form of a file, told by its name's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Npy,
    Png,
}

/// A file and what goes into it.
#[derive(Debug)]
struct Target {
    file: PathBuf,
    form: Form,
    output: usize,
    /// One image of the batch, with the batch's axis, or all.
    image: Option<usize>,
}

/// The files that outputs go to.
#[derive(Debug, Default)]
pub(super) struct Targets {
    targets: Vec<Target>,
    /// A directory that does not exist yet.
    make: Option<PathBuf>,
    /// The values that are black and white in a picture.
    range: (f32, f32),
    /// What the numbers of each output are.
    numbers: Vec<npy::Numbers>,
}

/// What targets are for.
pub(super) struct Outputs<'a> {
    pub(super) model: &'a Model,
    /// What to call the images' files, one an image: each has a file of its own in a directory. See [`stems`].
    pub(super) images: Option<&'a [String]>,
    /// How many images there are.
    pub(super) count: usize,
    /// Whether there are others, of another size, whose outputs have files of their own.
    pub(super) others: bool,
}

impl Targets {
    /// The arguments: one path for all outputs, or `NAME=FILE` for some.
    pub(super) fn new(arguments: &[String], outputs: &Outputs<'_>, range: (f32, f32)) -> Result<Targets, Failure> {
        let layers = outputs.model.outputs();
        let (files, shown) = (file_names(outputs.model), shown_names(outputs.model));
        let names = layers.iter().zip(&files).zip(&shown);
        let names: Vec<_> = names
            .map(|((layer, file), shown)| vec![shown.clone(), file.clone(), layer.name.clone()])
            .collect();
        let meanings = Meaning::of_outputs(outputs.model.graph());
        let mut targets = Targets {
            range,
            numbers: meanings.into_iter().map(npy::Numbers::from).collect(),
            ..Targets::default()
        };
        let mut taken = HashSet::new();
        for argument in arguments {
            match named(argument, &names) {
                Some((output, path)) => {
                    let path = Path::new(path);
                    let file = match path.is_dir() || ends_in_slash(path) {
                        true => path.join(format!("{}.npy", files[output])),
                        false => path.into(),
                    };
                    targets.add(file, output, outputs)?;
                }
                None if arguments.len() > 1 => {
                    let what = match would_be_name(argument) {
                        Some(name) => format!("the network has no output `{name}`; it has "),
                        None => "of several --output each needs a name, NAME=FILE; there are ".to_owned(),
                    };
                    let list: Vec<_> = shown.iter().map(|name| format!("`{name}`")).collect();
                    return Err(Failure::Usage(what + &list.join(", ")));
                }
                None => targets.all(Path::new(argument), &files, outputs)?,
            }
        }
        match targets.targets.iter().find(|target| !taken.insert(&target.file)) {
            Some(twice) => Err(Failure::Usage(format!("`{}` is given twice", twice.file.display()))),
            None => Ok(targets),
        }
    }

    /// One path: a file if there is one output, unless it is a directory or ends like one.
    fn all(&mut self, path: &Path, names: &[String], outputs: &Outputs<'_>) -> Result<(), Error> {
        let wrong = |problem: String| Error::File {
            path: path.into(),
            problem,
        };
        let folder = path.is_dir() || ends_in_slash(path);
        if !folder && names.len() == 1 {
            return self.add(path.into(), 0, outputs);
        }
        if !folder {
            let expected = format!("expected a directory for the {}", counted(names.len(), "output"));
            if path.exists() {
                return Err(wrong(format!("{expected}, found a file; or name one: NAME=FILE")));
            }
            if form(path).is_some() {
                return Err(wrong(format!(
                    "{expected}, found the name of a file; or name one: NAME=FILE"
                )));
            }
        }
        self.make = (!path.exists()).then(|| path.into());
        let stems = outputs.images;
        for (output, name) in names.iter().enumerate() {
            for image in 0..stems.map_or(1, <[String]>::len) {
                let file = match stems {
                    None => format!("{name}.npy"),
                    Some(stems) if names.len() == 1 => format!("{}.npy", stems[image]),
                    Some(stems) => format!("{}.{name}.npy", stems[image]),
                };
                self.targets.push(Target {
                    file: path.join(file),
                    form: Form::Npy,
                    output,
                    image: stems.is_some().then_some(image),
                });
            }
        }
        Ok(())
    }

    fn add(&mut self, file: PathBuf, output: usize, outputs: &Outputs<'_>) -> Result<(), Error> {
        let wrong = |problem: &str| {
            Err(Error::File {
                path: file.clone(),
                problem: problem.to_owned(),
            })
        };
        if outputs.others {
            return wrong(
                "expected a directory (it exists or ends in `/`): the images have different sizes, and each its own file",
            );
        }
        // A device or a pipe has no ending.
        let special = std::fs::metadata(&file).is_ok_and(|data| !data.is_file());
        let form = match form(&file) {
            Some(form) => form,
            None if special => Form::Npy,
            None => {
                return wrong(
                    "expected the name of a .npy file, or of a .png file for an output that is a picture; \
                     a directory exists or ends in `/`",
                );
            }
        };
        if form == Form::Png {
            let shape = &outputs.model.outputs()[output].shape;
            if !matches!(**shape, [1 | 3, _, _]) {
                let problem = format!(
                    "expected an output of 1 or 3 channels, rows and columns for a picture, found the shape {shape:?}; \
                     a .npy file holds any"
                );
                return wrong(&problem);
            }
            if outputs.count != 1 {
                return wrong("a .png file holds one picture, and there are several images; a .npy file holds all");
            }
        }
        self.targets.push(Target {
            file,
            form,
            output,
            image: None,
        });
        Ok(())
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.targets.iter().map(|target| &*target.file)
    }

    /// The share of values that pictures cannot show, if there is one.
    pub(super) fn clipped(&self, arrays: &[CowArray<'_, f32, IxDyn>]) -> Option<f64> {
        let (low, high) = self.range;
        let pictures = self.targets.iter().filter(|target| target.form == Form::Png);
        let values: Vec<_> = pictures.flat_map(|target| arrays[target.output].iter()).collect();
        // What rounds to the last level is not lost.
        let slack = (high - low).abs() / 510.0;
        let (least, most) = (low.min(high) - slack, low.max(high) + slack);
        let lost = values.iter().filter(|value| !(least..=most).contains(**value)).count();
        (lost > 0).then(|| lost as f64 / values.len() as f64)
    }

    /// Writes all arrays, or, on an error, none.
    pub(super) fn write(&self, arrays: &[CowArray<'_, f32, IxDyn>]) -> Result<(), Error> {
        let fill = |target: &Target, writer: &mut dyn std::io::Write| {
            let mut array = arrays[target.output].view();
            if let Some(image) = target.image {
                array.slice_axis_inplace(Axis(0), Slice::from(image..image + 1));
            }
            match target.form {
                Form::Npy => npy::fill_as(
                    writer,
                    array,
                    self.numbers.get(target.output).copied().unwrap_or_default(),
                ),
                Form::Png => image::fill_png(writer, array, self.range),
            }
        };
        if let ([target], None) = (&*self.targets, &self.make) {
            // Also a device or a pipe.
            return atomic::write(&target.file, |writer| fill(target, writer));
        }
        if let Some(folder) = &self.make {
            std::fs::create_dir(folder).map_err(|source| Error::Io {
                action: "make the directory",
                path: folder.clone(),
                source,
            })?;
        }
        let stage = |target: &Target| atomic::stage(&target.file, |writer| fill(target, writer));
        let staged: Result<Vec<_>, _> = self.targets.iter().map(stage).collect();
        let written = staged.and_then(|staged| staged.into_iter().try_for_each(atomic::Staged::commit));
        if let (Err(_), Some(folder)) = (&written, &self.make) {
            // Empty again, unless somebody else uses it already; then it stays.
            let _ = std::fs::remove_dir(folder);
        }
        written
    }
}

fn ends_in_slash(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(std::path::is_separator)
}

fn form(path: &Path) -> Option<Form> {
    let ending = path.extension()?.to_str()?;
    match () {
        () if ending.eq_ignore_ascii_case("npy") => Some(Form::Npy),
        () if ending.eq_ignore_ascii_case("png") => Some(Form::Png),
        () => None,
    }
}

/// Files' names without folders and endings; with endings if some are the same, and numbered if that does not help.
pub(super) fn stems(names: &[String]) -> Vec<String> {
    let part = |of: fn(&Path) -> Option<&std::ffi::OsStr>| -> Vec<String> {
        let part = |name: &String| {
            of(Path::new(name)).map_or_else(|| name.clone(), |part| part.to_string_lossy().into_owned())
        };
        names.iter().map(part).collect()
    };
    let differ = |names: &[String]| names.iter().collect::<HashSet<_>>().len() == names.len();
    let (stems, whole) = (part(Path::file_stem), part(Path::file_name));
    match (differ(&stems), differ(&whole)) {
        (true, _) => stems,
        (_, true) => whole,
        _ => stems
            .iter()
            .enumerate()
            .map(|(number, stem)| format!("{number}.{stem}"))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "outputs = [\"a\", \"b\"]\n[inputs]\na = [1, 2, 3]\n\n[[layer]]\nname = \"b\"\nop = \"relu\"\n";

    fn model(outputs: &str) -> Model {
        Model::from_toml(TWO.replace("[\"a\", \"b\"]", outputs)).unwrap()
    }

    fn targets(arguments: &[&str], outputs: &str) -> Result<Targets, String> {
        let arguments: Vec<_> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let outputs = Outputs {
            model: &model(outputs),
            images: None,
            count: 1,
            others: false,
        };
        Targets::new(&arguments, &outputs, (0.0, 1.0)).map_err(|failure| format!("{failure:?}"))
    }

    fn array() -> CowArray<'static, f32, IxDyn> {
        CowArray::from(ArrayD::from_elem(vec![1, 1, 2, 3], 2.5))
    }

    #[test]
    fn one_output_goes_to_a_file_and_several_to_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let one = targets(&[&at("y.npy")], "[\"b\"]").unwrap();
        one.write(&[array()]).unwrap();
        assert_eq!(npy::read(at("y.npy").as_ref()).unwrap(), array());
        targets(&[&at("")], "[\"b\"]").unwrap().write(&[array()]).unwrap();
        assert_eq!(npy::read(at("b.npy").as_ref()).unwrap(), array());
        let two = targets(&[&at("new")], "[\"a\", \"b\"]").unwrap();
        two.write(&[array(), array()]).unwrap();
        assert_eq!(npy::read(at("new/b.npy").as_ref()).unwrap(), array());
        let named = targets(&[&format!("b={}", at("z.npy"))], "[\"a\", \"b\"]").unwrap();
        named.write(&[CowArray::from(ArrayD::zeros(vec![1])), array()]).unwrap();
        assert_eq!(npy::read(at("z.npy").as_ref()).unwrap(), array());
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("file"), b"x").unwrap();
        let both = "[\"a\", \"b\"]";
        assert!(targets(&[&at("file")], both).is_err());
        assert!(targets(&[&at("none.npy")], both).is_err());
        assert!(
            targets(&["a=1.npy", "c=2.npy"], both)
                .unwrap_err()
                .contains("no output `c`")
        );
        assert!(targets(&["a=1.npy", "b=1.npy"], both).unwrap_err().contains("twice"));
        for wrong in ["y", "y.jpg", "y.npz"] {
            assert!(
                targets(&[&at(wrong)], "[\"b\"]").unwrap_err().contains(".npy file"),
                "{wrong}"
            );
        }
        let nowhere = targets(&[&at("no/y.npy")], "[\"b\"]").unwrap();
        assert!(nowhere.write(&[array()]).is_err());
        std::fs::create_dir_all(at("half/b.npy")).unwrap();
        let half = targets(&[&at("half")], both).unwrap();
        assert!(half.write(&[array(), array()]).is_err());
        assert!(!Path::new(&at("no")).exists() && !Path::new(&at("half/a.npy")).exists());
    }

    #[test]
    fn files_of_images_are_called_as_the_images() {
        let named = |names: &[&str]| stems(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(named(&["x/a.png", "b.jpg"]), ["a", "b"]);
        assert_eq!(named(&["a.png", "a.jpg"]), ["a.png", "a.jpg"]);
        assert_eq!(named(&["x/a.png", "y/a.png"]), ["0.a", "1.a"]);
    }
}
