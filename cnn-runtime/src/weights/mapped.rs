//! A file in memory: mapped, so that only what is looked at is read.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;
#[cfg(unix)]
use memmap2::UncheckedAdvice;

use super::WeightError;

/// A memory-mapped file.
///
/// It must not be shortened by another program while it is in use; the operating system would then end the process
/// when the missing part is read.
#[derive(Debug)]
pub struct MappedFile(Mmap);

impl MappedFile {
    /// Maps the file at `path`.
    ///
    /// # Errors
    /// [`WeightError::NotFound`], [`WeightError::NotAFile`] or [`WeightError::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightError> {
        let path = path.as_ref();
        let io = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => WeightError::NotFound { path: path.into() },
            _ => WeightError::Io {
                path: path.into(),
                source,
            },
        };
        // Asked before opening: opening a pipe would wait for its writer.
        let kind = std::fs::metadata(path).map_err(io)?.file_type();
        if !kind.is_file() {
            return Err(WeightError::NotAFile {
                path: path.into(),
                what: if kind.is_dir() {
                    "a directory"
                } else {
                    "a device or a pipe"
                },
            });
        }
        let file = File::open(path).map_err(io)?;
        MappedFile::of(&file).map_err(io)
    }

    /// Maps a file that is open.
    ///
    /// # Errors
    /// The system's.
    pub fn of(file: &File) -> std::io::Result<Self> {
        // SAFETY: the map is read-only and private to this value. Another process may still
        // change the file: what is made of the bytes are plain numbers without invalid bit patterns,
        // and headers are copied out once; shortening the file is documented above as forbidden.
        Ok(MappedFile(unsafe { Mmap::map(file) }?))
    }

    /// Takes the pages of a range, as far as the file has it, out of this process; they come back from the file if they
    /// are read again.
    pub fn release(&self, range: Range<usize>) {
        let end = range.end.min(self.0.len());
        let range = range.start.min(end)..end;
        #[cfg(unix)]
        {
            // SAFETY: the range is within the map, a read-only view of a file, so that pages dropped hold nothing but
            // the file's content.
            // That nobody borrows them is not even needed: a page that is read again holds the same bytes.
            let result = unsafe {
                self.0
                    .unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len())
            };
            // Advice that is not taken costs memory, nothing else.
            let _ = result;
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
