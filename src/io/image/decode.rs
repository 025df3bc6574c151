//! From a file's bytes to pixels as they are stored: which formats there are, what decoding may take, which way is up.

use std::io::{self, BufRead, Cursor, Read, Seek};

use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat, ImageReader, Limits};

use super::webp;

/// The formats read, as messages name them.
const FORMATS: [(ImageFormat, &str); 5] = [
    (ImageFormat::Png, "PNG"),
    (ImageFormat::Jpeg, "JPEG"),
    (ImageFormat::WebP, "WebP"),
    (ImageFormat::Bmp, "BMP"),
    (ImageFormat::Gif, "GIF"),
];

/// What a decoder takes for itself beside pixels: tables, windows, rows.
const OVERHEAD: u128 = 2 << 20;

/// What a PNG's decoder may take for rows and for what stands beside pixels: texts, and colour profiles, which a kilobyte
/// unpacks to a megabyte.
const BESIDE_PIXELS: u64 = 8 << 20;

/// The format of a file that begins so, or what it is instead.
pub(super) fn format(start: &[u8]) -> Result<ImageFormat, String> {
    match image::guess_format(start) {
        Ok(found) if FORMATS.iter().any(|(format, _)| *format == found) => Ok(found),
        Ok(other) => {
            let name = other.extensions_str().first().copied().unwrap_or("unknown");
            Err(format!(
                "expected a PNG, JPEG, WebP, BMP or GIF picture, found {}",
                name.to_uppercase()
            ))
        }
        Err(_) => Err("expected a .npy array or a PNG, JPEG, WebP, BMP or GIF picture, found neither".to_owned()),
    }
}

/// What a picture's header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    format: ImageFormat,
    /// Height and width as stored.
    pub(super) stored: [usize; 2],
    pub(super) orientation: Orientation,
    /// Samples of a pixel: grey, grey and alpha, RGB, RGBA.
    samples: usize,
    /// Bytes of a sample: 1, 2 for 16-bit integers, 4 for floats.
    width: usize,
}

impl Header {
    /// Reads it; decodes nothing.
    pub(super) fn read(content: &[u8]) -> Result<Header, String> {
        let format = format(content)?;
        let mut decoder = decoder(Cursor::new(content), format)?;
        let header = Header::of(&mut decoder, format)?;
        if format == ImageFormat::Jpeg && !ends(content) {
            return Err("the picture is truncated: the JPEG's end marker is missing".to_owned());
        }
        Ok(header)
    }

    fn of(decoder: &mut impl ImageDecoder, format: ImageFormat) -> Result<Header, String> {
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(format!("the picture has {width} × {height} pixels"));
        }
        // Its decoder counts the bytes of pixels in 32 bits.
        if format == ImageFormat::WebP && u64::from(width) * u64::from(height) > u64::from(u32::MAX / 4) {
            return Err(format!(
                "the picture has {width} × {height} pixels, more than a WebP file can have"
            ));
        }
        let color = decoder.color_type();
        let samples = usize::from(color.channel_count());
        Ok(Header {
            format,
            stored: [height as usize, width as usize],
            // A damaged EXIF block says nothing.
            orientation: decoder.orientation().unwrap_or(Orientation::NoTransforms),
            samples,
            width: usize::from(color.bytes_per_pixel()) / samples,
        })
    }

    /// Height and width once it is turned.
    pub(super) fn turned(&self) -> [usize; 2] {
        let [height, width] = self.stored;
        match Turn::of(self.orientation).transpose {
            true => [width, height],
            false => [height, width],
        }
    }

    fn pixel_bytes(&self) -> u128 {
        let [height, width] = self.stored;
        height as u128 * width as u128 * self.samples as u128 * self.width as u128
    }

    /// An upper estimate of what decoding takes altogether, for a file of `length` bytes: the pixels, and what the decoder
    /// holds of them in another form at the same time.
    pub(super) fn decoding_bytes(&self, length: usize) -> u128 {
        let held = match self.format {
            // Row by row.
            ImageFormat::Png | ImageFormat::Bmp => 0,
            // A copy of the file; coefficients of 16 bits; frames of YUV or RGBA.
            _ => length as u128 + self.pixel_bytes() * 3,
        };
        self.pixel_bytes() + held + OVERHEAD
    }
}

/// The height and width that a picture has once it is turned.
pub(super) fn size(mut file: impl BufRead + Seek) -> Result<[usize; 2], String> {
    let mut start = [0; 64];
    let mut filled = 0;
    while let Ok(more @ 1..) = file.read(&mut start[filled..]) {
        filled += more;
    }
    let format = format(&start[..filled])?;
    file.rewind().map_err(|error| unreadable(&error))?;
    Ok(Header::of(&mut decoder(file, format)?, format)?.turned())
}

fn unreadable(error: &dyn std::fmt::Display) -> String {
    format!("the picture cannot be decoded: {error}")
}

fn decoder<'a>(mut file: impl BufRead + Seek + 'a, format: ImageFormat) -> Result<impl ImageDecoder + 'a, String> {
    // What the header declares is counted before it is taken; a decoder's own bound would only come second.
    let mut limits = Limits::no_limits();
    match format {
        ImageFormat::Png => limits.max_alloc = Some(BESIDE_PIXELS),
        // A frame may claim to be larger than the picture, whose size was counted.
        ImageFormat::Gif => limits.max_alloc = Some(gif_bytes(&mut file).map_err(|error| unreadable(&error))?),
        ImageFormat::WebP => {
            if let Some(fault) = webp::fault(&mut file).map_err(|error| unreadable(&error))? {
                return Err(fault);
            }
        }
        _ => {}
    }
    let mut reader = ImageReader::with_format(file, format);
    reader.limits(limits);
    reader.into_decoder().map_err(|error| unreadable(&error))
}

/// Bytes of a GIF's picture in the four samples that frames are decoded to.
fn gif_bytes(file: &mut (impl Read + Seek)) -> io::Result<u64> {
    // After `GIF89a`, width and height.
    let mut head = [0; 10];
    file.read_exact(&mut head)?;
    file.rewind()?;
    let side = |at: usize| u64::from(u16::from_le_bytes([head[at], head[at + 1]]));
    Ok(side(6) * side(8) * 4)
}

/// A decoded picture.
pub(super) struct Picture {
    pub(super) header: Header,
    bytes: Vec<u8>,
}

/// ITU-R BT.601 luma, as PIL's and torchvision's conversions to grey.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

impl Picture {
    pub(super) fn decode(header: Header, content: &[u8]) -> Result<Picture, String> {
        let decoder = decoder(Cursor::new(content), header.format)?;
        let length = usize::try_from(header.pixel_bytes()).ok();
        let mut bytes = Vec::new();
        let room = length.is_some_and(|length| bytes.try_reserve_exact(length).is_ok());
        let Some(length) = length.filter(|_| room) else {
            return Err("there is no memory for the picture's pixels".to_owned());
        };
        bytes.resize(length, 0);
        if decoder.total_bytes() != length as u64 {
            return Err("the picture's header says two sizes".to_owned());
        }
        decoder.read_image(&mut bytes).map_err(|error| unreadable(&error))?;
        Ok(Picture { header, bytes })
    }

    /// Row `y` as stored, from 0 to 1, into a slice for each channel asked for: one is grey, three are RGB.
    pub(super) fn row(&self, y: usize, channels: &mut [Vec<f32>]) {
        let Header { samples, width, .. } = self.header;
        let stride = self.header.stored[1] * samples * width;
        let row = &self.bytes[y * stride..][..stride];
        // One of them is taken; the format is decided outside the loops.
        match width {
            1 => spread(row.iter().map(|&byte| f32::from(byte) / 255.0), samples, channels),
            2 => {
                let value = |pair: &[u8]| f32::from(u16::from_ne_bytes([pair[0], pair[1]])) / f32::from(u16::MAX);
                spread(row.chunks_exact(2).map(value), samples, channels);
            }
            _ => {
                let value = |four: &[u8]| f32::from_ne_bytes([four[0], four[1], four[2], four[3]]);
                spread(row.chunks_exact(4).map(value), samples, channels);
            }
        }
    }
}

/// Samples of a row's pixels, as grey or RGB; alpha goes.
fn spread(mut values: impl Iterator<Item = f32>, samples: usize, channels: &mut [Vec<f32>]) {
    let columns = channels.first().map_or(0, Vec::len);
    let color = samples >= 3;
    for x in 0..columns {
        let mut pixel = [0.0f32; 4];
        for slot in &mut pixel[..samples] {
            *slot = values.next().unwrap_or_default();
        }
        match (channels.len(), color) {
            (1, true) => channels[0][x] = pixel.iter().zip(LUMA).map(|(value, share)| value * share).sum(),
            (_, true) => channels.iter_mut().zip(pixel).for_each(|(row, value)| row[x] = value),
            (_, false) => channels.iter_mut().for_each(|row| row[x] = pixel[0]),
        }
    }
}

/// How a stored picture is turned: the place of a pixel of the turned one, perhaps with its coordinates exchanged, counted
/// from the other end of a stored row or column where that is flipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) transpose: bool,
    pub(super) flip_columns: bool,
    pub(super) flip_rows: bool,
}

impl Turn {
    pub(super) fn of(orientation: Orientation) -> Turn {
        let turn = |transpose, flip_columns, flip_rows| Turn {
            transpose,
            flip_columns,
            flip_rows,
        };
        match orientation {
            Orientation::NoTransforms => turn(false, false, false),
            Orientation::FlipHorizontal => turn(false, true, false),
            Orientation::Rotate180 => turn(false, true, true),
            Orientation::FlipVertical => turn(false, false, true),
            Orientation::Rotate90FlipH => turn(true, false, false),
            Orientation::Rotate90 => turn(true, false, true),
            Orientation::Rotate270FlipH => turn(true, true, true),
            Orientation::Rotate270 => turn(true, true, false),
        }
    }
}

/// Whether a JPEG reaches its end marker. Decoders fill what is missing with grey.
fn ends(content: &[u8]) -> bool {
    let mut at = 2; // after the start marker
    loop {
        // To the next marker: 0xFF and a byte that is neither stuffing, filling, nor a restart.
        match content.get(at..).and_then(|rest| rest.split_first_chunk()) {
            None => return false,
            Some(([0xff, 0xd9], _)) => return true,
            Some(([0xff, 0x00 | 0x01 | 0xd0..=0xd8], _)) => at += 2,
            Some(([0xff, 0xff], _)) => at += 1,
            Some(([0xff, _], rest)) => {
                let Some((length, _)) = rest.split_first_chunk() else {
                    return false;
                };
                at += 2 + usize::from(u16::from_be_bytes(*length));
            }
            Some(_) => match content[at..].iter().position(|&byte| byte == 0xff) {
                Some(next) => at += next.max(1),
                None => return false,
            },
        }
    }
}
