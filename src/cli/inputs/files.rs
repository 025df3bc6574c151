//! A path, a folder or standard input as the files that they stand for, each told by its content.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cnn::Error;
use cnn::io::{image, npy};

/// What a folder's files must end in to be taken.
const ENDINGS: [&str; 8] = ["npy", "png", "jpg", "jpeg", "webp", "bmp", "gif", "jfif"];

/// Where a file's bytes are.
pub(in crate::cli) enum Content {
    Path(PathBuf),
    /// Read already: standard input cannot be read twice.
    Bytes(Vec<u8>),
}

/// A file with what messages call it.
pub(in crate::cli) struct File {
    pub(super) name: String,
    pub(super) content: Content,
}

impl File {
    fn at(path: PathBuf) -> File {
        File {
            name: path.display().to_string(),
            content: Content::Path(path),
        }
    }

    /// Told by content, and by name where there is no content to tell by.
    pub(super) fn is_npy(&self) -> bool {
        match &self.content {
            Content::Bytes(bytes) => bytes.starts_with(npy::MAGIC) || !image::is_picture(bytes),
            Content::Path(path) => {
                let regular = path.metadata().is_ok_and(|data| data.is_file());
                let mut start = [0u8; npy::MAGIC.len()];
                let mut begins = || {
                    std::fs::File::open(path)
                        .and_then(|mut file| file.read_exact(&mut start))
                        .is_ok_and(|()| start == *npy::MAGIC)
                };
                (regular && begins()) || ends_in(path, &["npy"])
            }
        }
    }
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.iter().any(|one| ending.eq_ignore_ascii_case(one)))
}

/// The files that a path stands for: itself, those of a folder by name, or standard input for `-`, of which at most
/// `limit` bytes are taken.
pub(super) fn expand(path: &Path, limit: Option<u64>) -> Result<Vec<File>, Error> {
    if path.as_os_str() == "-" {
        return Ok(vec![standard_input(limit)?]);
    }
    if !path.is_dir() {
        return Ok(vec![File::at(path.into())]);
    }
    let unreadable = |source| Error::Io {
        action: "read",
        path: path.into(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && ends_in(&path, &ENDINGS) && !path.is_dir() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(Error::File {
            path: path.into(),
            problem: "found a directory without pictures or .npy files".to_owned(),
        });
    }
    paths.sort_unstable();
    Ok(paths.into_iter().map(File::at).collect())
}

fn standard_input(limit: Option<u64>) -> Result<File, Error> {
    let wrong = |problem: String| Error::File {
        path: "-".into(),
        problem,
    };
    let most = limit.unwrap_or(u64::MAX - 1);
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| wrong(format!("standard input cannot be read: {error}")))?;
    if bytes.len() as u64 > most {
        return Err(wrong(format!(
            "standard input holds more than the {} that may be taken",
            cnn::error::bytes(u128::from(most))
        )));
    }
    if bytes.is_empty() {
        return Err(wrong("standard input is empty".to_owned()));
    }
    Ok(File {
        name: "standard input".to_owned(),
        content: Content::Bytes(bytes),
    })
}
