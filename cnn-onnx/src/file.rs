//! From a file's bytes to messages: mapped, bounded, and with tensors' data in other files of the same folder.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use cnn_runtime::weights::{MappedFile, WeightError};
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint};

use crate::error::{ImportError, quoted};
use crate::proto;

/// Fields that a file may have in its graph, nodes and attributes: each may become a message of some hundred bytes,
/// however few it has in the file. Networks of a thousand layers have a tenth of this.
const MAX_FIELDS: usize = 1 << 20;

/// A mapped file that several tensors lie in.
struct Shared(Arc<MappedFile>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

/// The bytes of a mapped file.
pub(crate) fn bytes(file: &Arc<MappedFile>) -> Bytes {
    Bytes::from_owner(Shared(file.clone()))
}

/// Maps a file.
pub(crate) fn map(path: &Path) -> Result<Arc<MappedFile>, ImportError> {
    match MappedFile::open(path) {
        Ok(file) => Ok(Arc::new(file)),
        Err(WeightError::NotFound { .. }) => Err(ImportError::Io {
            path: path.into(),
            source: std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such file"),
        }),
        Err(WeightError::Io { source, .. }) => Err(ImportError::Io {
            path: path.into(),
            source,
        }),
        Err(WeightError::NotAFile { what, .. }) => Err(ImportError::File {
            path: path.into(),
            problem: format!("expected a file, found {what}"),
        }),
        Err(other) => Err(ImportError::File {
            path: path.into(),
            problem: other.to_string(),
        }),
    }
}

/// The model in a file's bytes; tensors' data stays where it is.
pub(crate) fn decode(bytes: &Bytes) -> Result<proto::Model, String> {
    let mut fields = 0;
    count_fields(bytes, &MODEL, &mut fields)?;
    proto::Model::decode(bytes.clone()).map_err(|error| format!("not an ONNX model, or a damaged one: {error}"))
}

/// Which fields of a message hold messages that are counted too.
struct Level {
    below: &'static [(u32, Level)],
}

const LEAF: Level = Level { below: &[] };
const MODEL: Level = Level {
    below: &[(
        7,
        Level {
            below: &[
                (
                    1,
                    Level {
                        below: &[(5, Level { below: &[(5, LEAF)] }), (9, LEAF)],
                    },
                ),
                (5, LEAF),
                (11, VALUE),
                (12, VALUE),
                (15, Level { below: &[(1, LEAF)] }),
            ],
        },
    )],
};

/// A value's name and type, down to its dimensions.
const VALUE: Level = Level {
    below: &[(
        2,
        Level {
            below: &[(
                1,
                Level {
                    below: &[(2, Level { below: &[(1, LEAF)] })],
                },
            )],
        },
    )],
};

/// Counts the fields of a message and of those below it.
fn count_fields(mut bytes: &[u8], level: &Level, fields: &mut usize) -> Result<(), String> {
    let damaged = || "not an ONNX model, or a damaged one".to_owned();
    while bytes.has_remaining() {
        *fields += 1;
        if *fields > MAX_FIELDS {
            return Err(format!("has more than {MAX_FIELDS} fields in its graph"));
        }
        let (tag, wire) = decode_key(&mut bytes).map_err(|_| damaged())?;
        let length = match wire {
            WireType::Varint => {
                decode_varint(&mut bytes).map_err(|_| damaged())?;
                0
            }
            WireType::SixtyFourBit => 8,
            WireType::ThirtyTwoBit => 4,
            WireType::LengthDelimited => {
                usize::try_from(decode_varint(&mut bytes).map_err(|_| damaged())?).unwrap_or(usize::MAX)
            }
            // Groups are older than ONNX.
            WireType::StartGroup | WireType::EndGroup => return Err(damaged()),
        };
        let (content, rest) = bytes
            .split_at_checked(length)
            .ok_or("ends in the middle: it is truncated, or no ONNX model".to_owned())?;
        if let (WireType::LengthDelimited, Some((_, below))) =
            (wire, level.below.iter().find(|(field, _)| *field == tag))
        {
            count_fields(content, below, fields)?;
        }
        bytes = rest;
    }
    Ok(())
}

/// Files beside the model that hold tensors' data.
pub(crate) struct External {
    folder: PathBuf,
    open: HashMap<PathBuf, Bytes>,
    /// All files mapped.
    pub(crate) files: Vec<Arc<MappedFile>>,
}

impl External {
    /// Files beside the model at `path`.
    pub(crate) fn beside(path: &Path) -> External {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        External {
            folder: folder.into(),
            open: HashMap::new(),
            files: Vec::new(),
        }
    }

    /// The data that `external_data` of a tensor points to.
    pub(crate) fn read(&mut self, entries: &[proto::StringStringEntry]) -> Result<Bytes, String> {
        let value = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &*entry.value);
        let location = value("location").ok_or("its data is in another file, but no `location` says in which")?;
        let number = |key: &str| match value(key) {
            None => Ok(None),
            Some(text) => match text.parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("`{key}` of its data is {}", quoted(text))),
            },
        };
        let file = self.file(location)?;
        let start = number("offset")?.unwrap_or(0);
        let end = match number("length")? {
            Some(length) => start.checked_add(length),
            None => Some(file.len()),
        };
        match end {
            Some(end) if start <= end && end <= file.len() => Ok(file.slice(start..end)),
            _ => Err(format!(
                "its data should begin at byte {start} of {}, which has {} bytes, and does not fit",
                quoted(location),
                file.len()
            )),
        }
    }

    fn file(&mut self, location: &str) -> Result<Bytes, String> {
        let relative = Path::new(location);
        let inside = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let leaves = || {
            format!(
                "its data is in {}, outside the model's folder, and is not read",
                quoted(location)
            )
        };
        if !inside || location.is_empty() {
            return Err(leaves());
        }
        if let Some(open) = self.open.get(relative) {
            return Ok(open.clone());
        }
        let cannot =
            |error: std::io::Error| format!("its data is in {}, which cannot be read: {error}", quoted(location));
        // Links may lead out.
        let folder = self.folder.canonicalize().map_err(cannot)?;
        let path = folder.join(relative).canonicalize().map_err(cannot)?;
        if !path.starts_with(&folder) {
            return Err(leaves());
        }
        let file = map(&path).map_err(|error| format!("its data is in {}: {error}", quoted(location)))?;
        let bytes = bytes(&file);
        self.files.push(file);
        self.open.insert(relative.into(), bytes.clone());
        Ok(bytes)
    }
}
