//! Writing files so that a failure leaves nothing behind: first beside the target, then renamed onto it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::Error;

/// A file that is wholly written, but not yet under its name. Dropping it removes it.
#[derive(Debug)]
pub struct Staged {
    temporary: NamedTempFile,
    target: PathBuf,
}

impl Staged {
    /// Gives the file its name, replacing what bore it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn commit(self) -> Result<(), Error> {
        let target = self.target;
        match self.temporary.persist(&target) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Io {
                action: "write",
                path: target,
                source: error.error,
            }),
        }
    }
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
    let mut temporary = builder
        .tempfile_in(folder)
        .map_err(|error| io(reason(folder, &error)))?;
    fill_buffered(temporary.as_file_mut(), fill).map_err(io)?;
    Ok(Staged { temporary, target })
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
    let temporary = Builder::new().prefix(".cnn-").tempdir_in(parent).map_err(io)?;
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
