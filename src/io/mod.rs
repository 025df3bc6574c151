//! Files beside the model: arrays, images, and writing that leaves nothing half done.

pub mod atomic;
#[cfg(feature = "image")]
pub mod image;
pub mod npy;
pub mod safetensors;

use std::fs::File;
use std::path::Path;

use crate::Error;

/// The folder that a path's last name is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Opens a regular file for reading and tells its length; directories, devices and pipes are an error.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64), Error> {
    let io = |source| Error::Io {
        action: "read",
        path: path.into(),
        source,
    };
    // Asked before opening: opening a pipe would wait for its writer.
    let kind = std::fs::metadata(path).map_err(io)?.file_type();
    if !kind.is_file() {
        return Err(Error::File {
            path: path.into(),
            problem: format!(
                "expected a file, found {}",
                if kind.is_dir() {
                    "a directory"
                } else {
                    "a device or a pipe"
                }
            ),
        });
    }
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    Ok((file, length))
}

/// What a file is by its first bytes, if it is one of those that are taken for another.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 6] = [
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"\x89PNG\r\n", "a PNG picture"),
        (b"GIF8", "a GIF picture"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"%PDF-", "a PDF document"),
        (
            b"PK\x03\x04",
            "a ZIP archive, as PyTorch's .pt files are: export the network as ONNX",
        ),
    ];
    kinds
        .iter()
        .find(|(begin, _)| bytes.starts_with(begin))
        .map(|(_, kind)| *kind)
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// [`Error::Io`], or [`Error::File`] for a directory, a file that is longer, or bytes that are not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Error> {
    use std::io::Read;

    let (file, length) = open_regular(path)?;
    let wrong = |problem: String| Error::File {
        path: path.into(),
        problem,
    };
    if length > limit {
        return Err(wrong(format!(
            "expected a text file of at most {}, found {}",
            crate::error::bytes(u128::from(limit)),
            crate::error::bytes(u128::from(length))
        )));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(|source| Error::Io {
        action: "read",
        path: path.into(),
        source,
    })?;
    if let Some(kind) = kind(&bytes) {
        return Err(wrong(format!("expected text, found {kind}")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        wrong(format!("expected UTF-8 text, found a byte that is none in line {line}"))
    })
}
