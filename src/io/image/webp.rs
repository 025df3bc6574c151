//! Whether a WebP file is what it says it is, before its decoder takes memory for what it says.
//!
//! The container is RIFF's: chunks of a name, a length and as many bytes, of which frames of an animation hold some
//! (<https://developers.google.com/speed/webp/docs/riff_container>). The decoder reserves memory for chunks by their lengths
//! and for pictures by their own sizes, and relies on those being the frame's.

use std::io::{self, Read, Seek, SeekFrom};

/// What is said of a chunk that ends after what holds it.
const LONGER: &str = "the picture is truncated: a part of it is longer than the file";

/// Bytes before a frame's chunks: its place, size, duration and flags.
const FRAME_HEADER: u64 = 16;

/// Width and height.
type Size = [u32; 2];

/// What is wrong with a file, if anything; it is at its beginning again afterwards.
pub(super) fn fault(file: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    let length = file.seek(SeekFrom::End(0))?;
    // After `RIFF`, the file's length and `WEBP`.
    let fault = chunks(file, 12..length, None)?;
    file.rewind()?;
    Ok(fault)
}

/// Looks at the chunks in a range of the file, which hold a picture of this size if it is known.
fn chunks(
    file: &mut (impl Read + Seek),
    range: std::ops::Range<u64>,
    mut size: Option<Size>,
) -> io::Result<Option<String>> {
    let (mut place, is_frame) = (range.start, size.is_some());
    while place + 8 <= range.end {
        let head: [u8; 8] = read(file, place)?;
        let bytes = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        let content = place + 8;
        let end = content + bytes;
        if end > range.end {
            return Ok(Some(LONGER.to_owned()));
        }
        let found = match &head[..4] {
            b"VP8X" if bytes >= 10 && !is_frame => {
                let canvas: [u8; 10] = read(file, content)?;
                size = Some([less_one(&canvas[4..7]), less_one(&canvas[7..10])]);
                None
            }
            b"ANMF" if bytes >= FRAME_HEADER && !is_frame => {
                let frame: [u8; 12] = read(file, content)?;
                let inner = Some([less_one(&frame[6..9]), less_one(&frame[9..12])]);
                if let Some(fault) = chunks(file, content + FRAME_HEADER..end, inner)? {
                    return Ok(Some(fault));
                }
                None
            }
            // A frame's tag of three bytes, a start code, and 14 bits of each side.
            b"VP8 " if bytes >= 10 => {
                let key: [u8; 10] = read(file, content)?;
                let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
                Some([side(key[6], key[7]), side(key[8], key[9])])
            }
            // A signature, and 14 bits of each side less one.
            b"VP8L" if bytes >= 5 => {
                let bits: [u8; 5] = read(file, content)?;
                let bits = u32::from_le_bytes([bits[1], bits[2], bits[3], bits[4]]);
                Some([(bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1])
            }
            _ => None,
        };
        if let Some(found) = found
            && (found.contains(&0) || size.is_some_and(|size| size != found))
        {
            let [width, height] = size.unwrap_or(found);
            let [w, h] = found;
            return Ok(Some(format!(
                "the picture cannot be decoded: a part of {w} × {h} pixels is in place of {width} × {height}"
            )));
        }
        place = end + bytes % 2;
    }
    Ok(None)
}

fn read<const N: usize>(file: &mut (impl Read + Seek), place: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(place))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// 24 bits that hold a side less one.
fn less_one(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |side, &byte| side << 8 | u32::from(byte)) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_le_bytes();
        let pad: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
        [name, &length[..], content, pad].concat()
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        let content = [b"WEBP", &*chunks.concat()].concat();
        chunk(b"RIFF", &content)
    }

    fn side(pixels: u32) -> [u8; 3] {
        let bytes = (pixels - 1).to_le_bytes();
        [bytes[0], bytes[1], bytes[2]]
    }

    fn canvas(width: u32, height: u32) -> Vec<u8> {
        chunk(b"VP8X", &[&[0; 4], &side(width)[..], &side(height)].concat())
    }

    fn lossy(width: u16, height: u16) -> Vec<u8> {
        let sides = [width.to_le_bytes(), height.to_le_bytes()].concat();
        chunk(b"VP8 ", &[&[0, 0, 0, 0x9d, 1, 0x2a], &*sides, &[0; 4]].concat())
    }

    fn lossless(width: u32, height: u32) -> Vec<u8> {
        let bits = (width - 1) | (height - 1) << 14;
        chunk(b"VP8L", &[&[0x2f], &bits.to_le_bytes()[..]].concat())
    }

    fn frame(width: u32, height: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
        let head = [&[0; 6], &side(width)[..], &side(height), &[0; 4]].concat();
        chunk(b"ANMF", &[head, chunks.concat()].concat())
    }

    fn told(bytes: &[u8]) -> Option<String> {
        fault(&mut io::Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn sizes_agree() {
        for good in [
            vec![lossy(7, 5)],
            vec![lossless(16384, 1)],
            vec![
                canvas(7, 5),
                chunk(b"ALPH", &[1]),
                lossy(7, 5),
                chunk(b"EXIF", &[1, 2, 3]),
            ],
            vec![
                canvas(9, 9),
                frame(7, 5, &[chunk(b"ALPH", &[0; 3]), lossy(7, 5)]),
                frame(2, 2, &[lossless(2, 2)]),
            ],
        ] {
            assert_eq!(told(&file(&good)), None);
        }
        for (wrong, words) in [
            (
                vec![canvas(1, 1), lossy(16383, 16383)],
                "16383 × 16383 pixels is in place of 1 × 1",
            ),
            (vec![lossy(0, 5)], "0 × 5"),
            (
                vec![canvas(1, 1), frame(1, 1, &[chunk(b"ALPH", &[0]), lossy(2, 2)])],
                "2 × 2 pixels is in place of 1 × 1",
            ),
            (vec![canvas(1, 1), frame(1, 1, &[lossy(0, 0)])], "0 × 0"),
        ] {
            let fault = told(&file(&wrong)).expect(words);
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn chunks_end_within_what_holds_them() {
        let mut exif = file(&[canvas(1, 1), lossy(1, 1), chunk(b"EXIF", &[0; 4])]);
        let place = exif.len() - 8;
        exif[place..place + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(told(&exif).as_deref(), Some(LONGER));
        let mut inner = file(&[canvas(1, 1), frame(1, 1, &[chunk(b"EXIF", &[0; 4])]), lossy(1, 1)]);
        let place = inner.windows(4).position(|name| name == b"EXIF").unwrap() + 4;
        inner[place..place + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(told(&inner).as_deref(), Some(LONGER));
        assert_eq!(told(b"RIFF"), None);
    }
}
