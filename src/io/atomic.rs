//! Writing files so that a failure leaves nothing behind: first beside the target, then renamed onto it.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::Error;

/// Temporary files and folders that are there now.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes all temporary files and folders of this process, and lets it make no others: for whoever ends it before they
/// are dropped, as a signal does.
pub fn remove_unfinished() {
    /// A folder that is just being filled may need more than one try.
    const TRIES: usize = 100;
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for path in unfinished.drain(..) {
        let remove = || match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        // What is gone already is what was wanted.
        let _ = (0..TRIES).any(|_| remove().is_ok() || !path.exists());
    }
    std::mem::forget(unfinished);
}

/// A temporary file or folder, known as long as this lives.
#[derive(Debug)]
struct Known(PathBuf);

impl Known {
    /// Makes it; whoever removes what is unfinished finds it from its first moment.
    fn new<T>(
        make: impl FnOnce() -> std::io::Result<T>,
        path: impl FnOnce(&T) -> &Path,
    ) -> std::io::Result<(T, Known)> {
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        let made = make()?;
        let path = path(&made).to_path_buf();
        unfinished.push(path.clone());
        Ok((made, Known(path)))
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        UNFINISHED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|path| *path != self.0);
    }
}

/// A file that is wholly written, but not yet under its name. Dropping it removes it.
#[derive(Debug)]
pub struct Staged {
    // Dropped in this order: what is removed is forgotten afterwards.
    temporary: NamedTempFile,
    known: Known,
    target: PathBuf,
}

impl Staged {
    /// Whether a file of that name is there and holds something else.
    ///
    /// # Errors
    /// [`Error::Io`] if one of them cannot be read.
    pub fn replaces_another(&self) -> Result<bool, Error> {
        let unreadable = |source| Error::Io {
            action: "read",
            path: self.target.clone(),
            source,
        };
        let mut old = match File::open(&self.target) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unreadable(error)),
        };
        let mut new = self.temporary.reopen().map_err(unreadable)?;
        let (mut left, mut right) = ([0; 1 << 14], [0; 1 << 14]);
        loop {
            let (some, others) = (fill_whole(&mut old, &mut left), fill_whole(&mut new, &mut right));
            let (some, others) = (some.map_err(unreadable)?, others.map_err(unreadable)?);
            if left[..some] != right[..others] {
                return Ok(true);
            }
            if some == 0 {
                return Ok(false);
            }
        }
    }

    /// Gives the file its name, replacing what bore it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn commit(self) -> Result<(), Error> {
        let Staged {
            temporary,
            known,
            target,
        } = self;
        let persisted = temporary.persist(&target);
        drop(known);
        match persisted {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Io {
                action: "write",
                path: target,
                source: error.error,
            }),
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill_whole(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

/// Writes a file for `path` without giving it that name yet.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] if `path` is a directory.
pub fn stage(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<Staged, Error> {
    let io = |source| Error::Io {
        action: "write",
        path: path.into(),
        source,
    };
    // A link's target is replaced, not the link.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if target.is_dir() {
        return Err(Error::File {
            path: path.into(),
            problem: "expected the name of a file to write, found a directory".into(),
        });
    }
    let folder = super::folder_of(&target);
    let mut builder = Builder::new();
    builder.prefix(".cnn-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // less the umask, as any new file
    }
    let made = Known::new(|| builder.tempfile_in(folder), NamedTempFile::path);
    let (mut temporary, known) = made.map_err(|error| io(reason(folder, &error)))?;
    fill_buffered(temporary.as_file_mut(), fill).map_err(io)?;
    Ok(Staged {
        temporary,
        known,
        target,
    })
}

/// Makes a folder with all that `fill` puts into it, or nothing. There must be none of that name, or an empty one.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] if something is there already.
pub fn folder(path: &Path, fill: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), Error> {
    let io = |source| Error::Io {
        action: "write",
        path: path.into(),
        source,
    };
    let is_free = match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(io(error)),
    };
    if !is_free {
        return Err(Error::File {
            path: path.into(),
            problem: "expected a new or an empty folder, but there is something in it".into(),
        });
    }
    let parent = super::folder_of(path);
    std::fs::create_dir_all(parent).map_err(io)?;
    let made = Known::new(|| Builder::new().prefix(".cnn-").tempdir_in(parent), TempDir::path);
    let (temporary, _known) = made.map_err(io)?;
    // A folder within: the temporary one itself is for its owner only.
    let whole = temporary.path().join("whole");
    std::fs::create_dir(&whole).and_then(|()| fill(&whole)).map_err(io)?;
    // An empty folder of that name is replaced.
    std::fs::rename(whole, path).map_err(io)
}

/// Why no file can be made in `folder`, without the temporary file's name, which means nothing to a reader.
fn reason(folder: &Path, error: &std::io::Error) -> std::io::Error {
    match folder.metadata() {
        Err(absent) => absent,
        Ok(data) if !data.is_dir() => std::io::ErrorKind::NotADirectory.into(),
        Ok(_) => error.kind().into(),
    }
}

/// Writes the file `path`, wholly or not at all. A device or pipe is written to directly.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] if `path` is a directory.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Error> {
    match std::fs::metadata(path) {
        Ok(data) if !data.is_file() && !data.is_dir() => std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut device| fill_buffered(&mut device, fill))
            .map_err(|source| Error::Io {
                action: "write",
                path: path.into(),
                source,
            }),
        _ => stage(path, fill)?.commit(),
    }
}

fn fill_buffered(file: &mut File, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut writer = BufWriter::new(file);
    fill(&mut writer)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("y.npy");
        write(&path, |file| file.write_all(b"old")).unwrap();
        let error = write(&path, |file| {
            file.write_all(b"half")?;
            Err(std::io::Error::other("the disk is full"))
        });
        assert!(error.unwrap_err().to_string().contains("the disk is full"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(entries(folder.path()), ["y.npy"]);
        write(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_a_file_would_replace_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("y.npy");
        let content = vec![7; 100_000];
        let staged = || stage(&path, |file| file.write_all(&content)).unwrap();
        assert!(!staged().replaces_another().unwrap());
        staged().commit().unwrap();
        assert!(!staged().replaces_another().unwrap());
        for other in [&content[1..], b""] {
            std::fs::write(&path, other).unwrap();
            assert!(staged().replaces_another().unwrap());
        }
    }

    #[test]
    fn a_directory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("directory"), "{error}");
        let nowhere = folder.path().join("no").join("y.npy");
        assert!(matches!(write(&nowhere, |_| Ok(())), Err(Error::Io { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_a_device_is_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, |file| file.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        write(Path::new("/dev/null"), |file| file.write_all(b"x")).unwrap();
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
