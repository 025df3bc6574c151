//! Files that a macro call reads and leaves: model files, weights, and who reads those of other formats.

use std::fmt;
use std::path::Path;

use cnn_ir::ast::NetDecl;
use cnn_runtime::weights::{SafetensorsFile, WeightSource};

/// Where a macro call finds files and leaves some.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// The crate's folder: paths are relative to it.
    pub package: &'a Path,
    /// For packed weights, which the compiler then includes. Without it they become a literal.
    pub build: Option<&'a Path>,
    /// Reads files of other formats.
    pub import: Importer,
}

/// Reads a file of another format: the network with its weights, or what is wrong with it. `None` if the file is not of
/// that format.
pub type Importer = fn(&Path) -> Option<Result<Imported, String>>;

/// A network from a file of another format.
pub struct Imported {
    /// The network as a declaration.
    pub net: NetDecl,
    /// Its weights, under the names of that declaration.
    pub weights: Box<dyn WeightSource>,
}

impl fmt::Debug for Files<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Files { package, build, .. } = self;
        f.debug_struct("Files")
            .field("package", package)
            .field("build", build)
            .finish_non_exhaustive()
    }
}

impl<'a> Files<'a> {
    /// Files of a crate; none of other formats, and nothing is left.
    pub fn of(package: &'a Path) -> Files<'a> {
        Files {
            package,
            build: None,
            import: |_| None,
        }
    }

    /// Opens a file of weights.
    pub(super) fn weights(&self, path: &str) -> Result<Box<dyn WeightSource>, String> {
        let path = self.package.join(path);
        match (self.import)(&path) {
            Some(imported) => imported.map(|imported| imported.weights),
            None => match SafetensorsFile::open(path) {
                Ok(file) => Ok(Box::new(file)),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}
