//! From `--output` to files: one array, or several in a directory; all are written or none is.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cnn::io::{atomic, npy};
use cnn::onnx::Batch;
use cnn::{Error, Model};
use ndarray::{ArrayD, CowArray, IxDyn};

use super::format::counted;

/// What the outputs' files are called: as the ONNX file calls its outputs, or as the layers.
pub(super) fn names(model: &Model) -> Vec<String> {
    let layers = || model.outputs().into_iter().map(|port| port.name).collect();
    let Some(import) = model.import() else { return layers() };
    let names: Vec<_> = import.outputs.iter().map(cnn::onnx::Port::plain_name).collect();
    match names.iter().collect::<HashSet<_>>().len() == names.len() {
        true => names,
        false => layers(),
    }
}

/// The arrays in the shapes that the ONNX file gives its outputs, if that is what the network is from.
pub(super) fn in_files_shapes<'a>(model: &Model, arrays: &'a [ArrayD<f32>]) -> Vec<CowArray<'a, f32, IxDyn>> {
    let shape = |position: usize, array: &ArrayD<f32>| {
        let import = model.import()?;
        let dims = &*import.outputs.get(position)?.dims;
        match (import.batch, array.shape()) {
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

/// The file that each output goes to.
pub(super) struct Targets {
    files: Vec<PathBuf>,
    /// A directory that does not exist yet.
    make: Option<PathBuf>,
}

impl Targets {
    /// `path` names a file if there is one output, unless it is a directory or ends like one.
    pub(super) fn new(path: &Path, outputs: &[String]) -> Result<Targets, Error> {
        let wrong = |problem: String| Error::File {
            path: path.into(),
            problem,
        };
        let ends_in_slash = path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
        if !(path.is_dir() || ends_in_slash || outputs.len() > 1) {
            return Ok(Targets {
                files: vec![path.into()],
                make: None,
            });
        }
        let expected = format!("expected a directory for the {}", counted(outputs.len(), "output"));
        if path.exists() && !path.is_dir() {
            return Err(wrong(format!("{expected}, found a file")));
        }
        if !path.exists() && path.extension().is_some_and(|extension| extension == "npy") {
            return Err(wrong(format!("{expected}, found the name of a .npy file")));
        }
        Ok(Targets {
            files: outputs.iter().map(|name| path.join(format!("{name}.npy"))).collect(),
            make: (!path.exists()).then(|| path.into()),
        })
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Writes all arrays, or, on an error, none.
    pub(super) fn write(&self, arrays: &[CowArray<'_, f32, IxDyn>]) -> Result<(), Error> {
        if let ([file], [array], None) = (&*self.files, arrays, &self.make) {
            return npy::write(file, array.view());
        }
        if let Some(folder) = &self.make {
            std::fs::create_dir(folder).map_err(|source| Error::Io {
                action: "make the directory",
                path: folder.clone(),
                source,
            })?;
        }
        let stage = |(file, array): (&PathBuf, &CowArray<'_, f32, IxDyn>)| {
            atomic::stage(file, |writer| npy::fill(writer, array.view()))
        };
        let staged: Result<Vec<_>, _> = self.files.iter().zip(arrays).map(stage).collect();
        let written = staged.and_then(|staged| staged.into_iter().try_for_each(atomic::Staged::commit));
        if let (Err(_), Some(folder)) = (&written, &self.make) {
            // Empty again, unless somebody else uses it already; then it stays.
            let _ = std::fs::remove_dir(folder);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn one_output_goes_to_a_file_and_several_to_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let array = CowArray::from(ArrayD::from_elem(vec![1, 1], 2.5));
        let one = Targets::new(&at("y.npy"), &named(&["y"])).unwrap();
        one.write(std::slice::from_ref(&array)).unwrap();
        assert_eq!(npy::read(&at("y.npy")).unwrap(), array);
        Targets::new(folder.path(), &named(&["z"]))
            .unwrap()
            .write(std::slice::from_ref(&array))
            .unwrap();
        assert_eq!(npy::read(&at("z.npy")).unwrap(), array);
        let two = Targets::new(&at("new"), &named(&["a", "b"])).unwrap();
        two.write(&[array.clone(), array.clone()]).unwrap();
        assert_eq!(npy::read(&at("new/b.npy")).unwrap(), array);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let array = CowArray::from(ArrayD::from_elem(vec![1, 1], 2.5));
        std::fs::write(at("file"), b"x").unwrap();
        assert!(Targets::new(&at("file"), &named(&["a", "b"])).is_err());
        assert!(Targets::new(&at("none.npy"), &named(&["a", "b"])).is_err());
        let nowhere = Targets::new(&at("no/y.npy"), &named(&["y"])).unwrap();
        assert!(nowhere.write(std::slice::from_ref(&array)).is_err());
        std::fs::create_dir_all(at("half/b.npy")).unwrap();
        let half = Targets::new(&at("half"), &named(&["a", "b"])).unwrap();
        assert!(half.write(&[array.clone(), array]).is_err());
        assert!(!at("no").exists() && !at("half/a.npy").exists());
    }
}
