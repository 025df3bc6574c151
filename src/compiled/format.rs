//! The form of a compiled file: which bytes are what, and the sums that they are checked by.
//!
//! ```text
//! start     magic, version of this form
//! sections  model; for each instruction set: plan, linkage, code (at a page), weights (at a page)
//! header    what the sections are, as `Header`
//! end       bytes of the header, its checksum, bytes of the file, magic
//! ```
//!
//! The header comes last, so that a file is written in one go while its sections are made. Its lengths and offsets are
//! held against the file before anything is read through them.

use std::io::{self, Write};
use std::ops::Range;

use cnn_codegen::plan::InstructionSet;
use serde::{Deserialize, Serialize};

/// The first bytes: no text has them, and what takes files for texts changes them.
pub(crate) const MAGIC: [u8; 8] = *b"\x89CNNC\r\n\x1a";
/// The last bytes.
const END: [u8; 8] = *b"\x89CNNEND\n";
/// The version of this form.
const FORM: u32 = 1;
/// Bytes before the first section.
const START: usize = 16;
/// Bytes after the header.
const TAIL: usize = 24;
/// Code and weights begin at a page.
pub(super) const PAGE: u64 = 4096;

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of this library that made it.
    pub(super) version: String,
    /// The machines it is for: `x86_64-linux`.
    pub(super) target: String,
    /// What code and runtime agree about, as a checksum.
    pub(super) interface: u32,
    /// The model, as a [`Stored`](super::stored::Stored).
    pub(super) model: Section,
    /// The same network for different instruction sets.
    pub(super) variants: Vec<Variant>,
}

/// The network for an instruction set.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Variant {
    pub(super) isa: InstructionSet,
    pub(super) plan: Section,
    pub(super) linkage: Section,
    pub(super) code: Section,
    /// Packed weights, whose checksum is not asked for when they are loaded.
    pub(super) weights: Section,
}

/// A range of the file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Section {
    offset: u64,
    bytes: u64,
    checksum: u32,
}

impl Section {
    /// Where it begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Its length.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its bytes in a file whose header was [read](Header::read).
    pub(super) fn of<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        self.range().and_then(|range| file.get(range)).unwrap_or_default()
    }

    /// Whether these are the bytes that were written.
    pub(super) fn is_intact(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.bytes && checksum(bytes) == self.checksum
    }

    fn range(&self) -> Option<Range<usize>> {
        let start = usize::try_from(self.offset).ok()?;
        Some(start..start.checked_add(usize::try_from(self.bytes).ok()?)?)
    }
}

/// A checksum that finds every change of up to 32 bits in a row, and all but one in four thousand million of the others.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

impl Header {
    /// Reads a file's header: nothing else of the file is looked at.
    pub(super) fn read(file: &[u8]) -> Result<Header, String> {
        if !file.starts_with(&MAGIC) {
            return Err("expected a compiled network, found another kind of file".into());
        }
        let damaged = || "the compiled network is damaged or cut off".to_owned();
        let start = file.get(..START).ok_or_else(damaged)?;
        let form = word(start, 8);
        if form != FORM {
            return Err(format!(
                "a compiled network in form {form}; this version of cnn reads form {FORM}: compile it again"
            ));
        }
        let body = file
            .len()
            .checked_sub(TAIL)
            .filter(|end| *end >= START)
            .ok_or_else(damaged)?;
        let tail = &file[body..];
        let length = u64::from(word(tail, 8)) | u64::from(word(tail, 12)) << 32;
        let header = body.checked_sub(word(tail, 0) as usize).filter(|start| *start >= START);
        let whole = word(start, 12) == 0 && length == file.len() as u64 && tail[16..] == END;
        let header = &file[header.filter(|_| whole).ok_or_else(damaged)?..body];
        if checksum(header) != word(tail, 4) {
            return Err(damaged());
        }
        let header: Header = postcard::from_bytes(header).map_err(|_| damaged())?;
        let within = |section: &Section| section.range().is_some_and(|range| range.end <= body);
        let aligned = |section: &Section| section.offset.is_multiple_of(PAGE) && within(section);
        let sound = header
            .variants
            .iter()
            .all(|one| within(&one.plan) && within(&one.linkage) && aligned(&one.code) && aligned(&one.weights));
        (sound && within(&header.model)).then_some(header).ok_or_else(damaged)
    }
}

/// Four bytes as a number.
fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}

/// Writes a file, section by section.
pub(super) struct Sections<'a> {
    to: &'a mut dyn Write,
    written: u64,
}

impl<'a> Sections<'a> {
    pub(super) fn new(to: &'a mut dyn Write) -> io::Result<Sections<'a>> {
        let mut sections = Sections { to, written: 0 };
        sections.put(&MAGIC)?;
        sections.put(&FORM.to_le_bytes())?;
        sections.put(&[0; 4])?;
        Ok(sections)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// A section that begins at a multiple of `alignment`.
    pub(super) fn section(&mut self, bytes: &[u8], alignment: u64) -> io::Result<Section> {
        let offset = self.written.next_multiple_of(alignment);
        self.put(&vec![0; (offset - self.written) as usize])?;
        self.put(bytes)?;
        Ok(Section {
            offset,
            bytes: bytes.len() as u64,
            checksum: checksum(bytes),
        })
    }

    /// The header and the end; gives the file's length.
    pub(super) fn finish(mut self, header: &Header) -> io::Result<u64> {
        let header = postcard::to_allocvec(header).map_err(io::Error::other)?;
        let bytes = u32::try_from(header.len()).map_err(io::Error::other)?;
        self.put(&header)?;
        let length = self.written + TAIL as u64;
        self.put(&bytes.to_le_bytes())?;
        self.put(&checksum(&header).to_le_bytes())?;
        self.put(&length.to_le_bytes())?;
        self.put(&END)?;
        Ok(length)
    }
}
