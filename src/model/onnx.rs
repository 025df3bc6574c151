//! Models from ONNX files: as TOML text like every other model, with the file's weights.

use std::path::Path;

use cnn_ir::front::write;
use cnn_ir::span::{Span, Spanned};
use cnn_onnx::{Import, ImportOptions};

use super::Source;
use crate::Error;

impl Source {
    /// Reads an ONNX file. The source's text is the same network as a TOML model file; the weights stay in the ONNX file
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
            text: write::toml(&import.net),
            origin: format!("{} (as TOML)", path.display()),
            default_name: stem.into_owned(),
            builtin: None,
            onnx: Some(import),
        }
    }

    /// What was read of an ONNX file; `None` for other models.
    pub fn import(&self) -> Option<&Import> {
        self.onnx.as_ref()
    }

    /// The model as TOML text.
    pub fn toml(&self) -> &str {
        &self.text
    }
}
