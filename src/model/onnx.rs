//! Models from ONNX files: a declaration like every other model's, with the file's weights.

use std::collections::BTreeMap;
use std::path::Path;

use cnn_ir::span::{Span, Spanned};
use cnn_onnx::{Import, ImportOptions};

use super::Source;
use super::source::Declaration;
use crate::Error;

impl Source {
    /// Reads an ONNX file. [`toml`](Self::toml) is the same network as a model file; the weights stay in the ONNX file
    /// and the files that belong to it, which must not be shortened while they are in use.
    ///
    /// # Errors
    /// [`Error::Onnx`] with everything that cannot be imported.
    pub fn onnx(path: impl AsRef<Path>, options: &ImportOptions) -> Result<Source, Error> {
        let path = path.as_ref();
        Ok(Source::imported(Import::open(path, options)?, path))
    }

    /// Reads the bytes of an ONNX file as if they were at `path`, which messages name.
    ///
    /// # Errors
    /// As [`onnx`](Self::onnx).
    pub fn onnx_bytes(
        bytes: impl AsRef<[u8]> + Send + 'static,
        path: impl AsRef<Path>,
        options: &ImportOptions,
    ) -> Result<Source, Error> {
        let path = path.as_ref();
        Ok(Source::imported(Import::from_bytes(bytes, path, options)?, path))
    }

    fn imported(mut import: Import, path: &Path) -> Source {
        let stem = path.file_stem().map_or("network".into(), |stem| stem.to_string_lossy());
        import.net.name = Some(Spanned::new(stem.clone().into_owned(), Span::NONE));
        Source {
            declaration: Declaration::Import(Box::new(import)),
            origin: format!("{} (as TOML)", path.display()),
            default_name: stem.into_owned(),
            builtin: None,
            template: None,
            shapes: BTreeMap::new(),
        }
    }

    /// What was read of an ONNX file; `None` for other models.
    pub fn import(&self) -> Option<&Import> {
        match &self.declaration {
            Declaration::Import(import) => Some(import),
            Declaration::Text(_) | Declaration::Compiled(_) => None,
        }
    }
}
