//! Pictures made on the spot, read back as inputs.

use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageFormat, Luma, LumaA, Rgb, RgbImage};
use ndarray::{Array3, s};

use super::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pictures");

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn plain(bytes: &[u8], shape: [usize; 3]) -> Result<Array3<f32>, String> {
    prepared(bytes, shape, &Preparation::default())
}

fn prepared(bytes: &[u8], shape: [usize; 3], how: &Preparation) -> Result<Array3<f32>, String> {
    from_bytes(bytes, "x", shape, how).map_err(|error| error.to_string())
}

/// A picture whose pixels all differ.
fn slope(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 5) as u8, (y * 7) as u8, (x * 3 + y) as u8])
    })
}

#[test]
fn grey_levels_are_exact_255ths() {
    let image = GrayImage::from_fn(16, 16, |x, y| Luma([(y * 16 + x) as u8]));
    let array = plain(&encoded(image, ImageFormat::Png), [1, 16, 16]).unwrap();
    for (i, &value) in array.iter().enumerate() {
        assert_eq!(value, i as f32 / 255.0);
    }
}

#[test]
fn alpha_goes_and_grey_spreads_over_three_channels() {
    let png = encoded(GrayAlphaImage::from_pixel(2, 2, LumaA([51, 7])), ImageFormat::Png);
    for channels in [1, 3] {
        let array = plain(&png, [channels, 2, 2]).unwrap();
        assert_eq!(array.dim(), (channels, 2, 2));
        assert!(array.iter().all(|value| (value - 0.2).abs() < 1e-6));
    }
}

#[test]
fn colour_becomes_luma_and_is_normalised_per_channel() {
    let png = encoded(RgbImage::from_pixel(4, 2, Rgb([255, 0, 102])), ImageFormat::Png);
    let grey = plain(&png, [1, 2, 4]).unwrap();
    assert!((grey[[0, 1, 3]] - (0.299 + 0.4 * 0.114)).abs() < 1e-6);
    let how = Preparation {
        normalise: Normalise {
            mean: vec![0.5, 0.25, 0.0],
            std: vec![0.5, 0.25, 2.0],
        },
        ..Preparation::default()
    };
    let rgb = prepared(&png, [3, 2, 4], &how).unwrap();
    assert_eq!(rgb.slice(s![.., 0, 0]).to_vec(), [1.0, -1.0, 0.2]);
    let error = prepared(&png, [1, 2, 4], &how).unwrap_err();
    assert!(error.contains("channels, found 3"), "{error}");
}

#[test]
fn sixteen_bits_and_all_formats_are_read() {
    let deep = image::ImageBuffer::<Luma<u16>, _>::from_pixel(3, 3, Luma([13107u16]));
    let array = plain(&encoded(deep, ImageFormat::Png), [3, 3, 3]).unwrap();
    assert!(array.iter().all(|&value| value == 0.2));
    let picture = slope(20, 9);
    let png = plain(&encoded(picture.clone(), ImageFormat::Png), [3, 9, 20]).unwrap();
    for format in [ImageFormat::Bmp, ImageFormat::WebP] {
        assert_eq!(
            plain(&encoded(picture.clone(), format), [3, 9, 20]).unwrap(),
            png,
            "{format:?}"
        );
    }
    let jpeg = plain(&encoded(picture, ImageFormat::Jpeg), [3, 9, 20]).unwrap();
    assert!((jpeg - png).fold(0f32, |most, apart| most.max(apart.abs())) < 0.2);
    let flat = RgbImage::from_pixel(5, 4, Rgb([255, 0, 0]));
    let gif = plain(
        &encoded(DynamicImage::from(flat).to_rgba8(), ImageFormat::Gif),
        [3, 4, 5],
    )
    .unwrap();
    assert_eq!(gif.slice(s![.., 3, 4]).to_vec(), [1.0, 0.0, 0.0]);
}

#[test]
fn resizing_is_bilinear_with_antialiasing() {
    let two = encoded(GrayImage::from_fn(2, 1, |x, _| Luma([x as u8 * 255])), ImageFormat::Png);
    let array = plain(&two, [1, 1, 4]).unwrap();
    for (value, expected) in array.iter().zip([0.0, 0.25, 0.75, 1.0]) {
        assert!((value - expected).abs() < 1e-6);
    }
    assert!((plain(&two, [1, 1, 1]).unwrap()[[0, 0, 0]] - 0.5).abs() < 1e-6);
    // From 6 to 2: a triangle of three pixels on each side, of which those that the picture lacks do not count.
    let six = encoded(
        GrayImage::from_fn(1, 6, |_, y| Luma([[0, 0, 0, 255, 0, 0][y as usize]])),
        ImageFormat::Png,
    );
    let array = plain(&six, [1, 2, 1]).unwrap();
    for (value, expected) in array.iter().zip([1.0 / 8.0, 2.0 / 8.0]) {
        assert!((value - expected).abs() < 1e-6, "{value} {expected}");
    }
}

#[test]
fn pictures_are_turned_as_exif_says() {
    for turn in [3, 6] {
        let expected = crate::io::npy::read(format!("{FIXTURES}/exp_exif{turn}.npy").as_ref()).unwrap();
        let expected = expected.into_shape_with_order((3, 20, 30)).unwrap();
        let png = read(
            format!("{FIXTURES}/exif{turn}.png").as_ref(),
            [3, 20, 30],
            &Preparation::default(),
        )
        .unwrap();
        assert!((&png - &expected).iter().all(|apart| apart.abs() < 1e-6), "{turn}");
        let jpeg = format!("{FIXTURES}/exif{turn}.jpg");
        assert_eq!(size(jpeg.as_ref()).unwrap(), [20, 30]);
        let jpeg = read(jpeg.as_ref(), [3, 20, 30], &Preparation::default()).unwrap();
        // Noise, of which JPEG leaves out much: but the right way up it is nearest.
        let apart = |other: ndarray::ArrayView3<'_, f32>| (&jpeg - &other).mapv(f32::abs).sum();
        for others in [s![.., ..;-1, ..], s![.., .., ..;-1], s![.., ..;-1, ..;-1]] {
            assert!(apart(expected.view()) * 1.5 < apart(expected.slice(others)), "{turn}");
        }
    }
}

/// Each of the eight orientations, with each fit, gives what turning first would.
#[test]
fn turning_and_fitting_commute() {
    use image::metadata::Orientation;
    let picture = slope(13, 8);
    let png = encoded(picture.clone(), ImageFormat::Png);
    for exif in 1..=8u8 {
        let orientation = Orientation::from_exif(exif).unwrap();
        let mut turned = DynamicImage::from(picture.clone());
        turned.apply_orientation(orientation);
        let turned = encoded(turned, ImageFormat::Png);
        let tagged = with_exif(&png, exif);
        for fit in Fit::ALL {
            for [height, width] in [[8, 13], [13, 8], [5, 5], [9, 4], [20, 31]] {
                let how = Preparation {
                    fit,
                    ..Preparation::default()
                };
                let one = prepared(&tagged, [3, height, width], &how).unwrap();
                let other = prepared(&turned, [3, height, width], &how).unwrap();
                let apart = (&one - &other).fold(0f32, |most, apart| most.max(apart.abs()));
                assert!(apart < 1e-6, "orientation {exif}, {fit} to {height} × {width}: {apart}");
            }
        }
    }
}

/// A PNG with an `eXIf` chunk after its header that tells the orientation.
fn with_exif(png: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(),
        &[orientation, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let chunk = [b"eXIf".as_slice(), &tiff].concat();
    let mut crc = !0u32;
    for &byte in &chunk {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1));
        }
    }
    let header = 8 + 25; // signature, IHDR
    [
        &png[..header],
        &(tiff.len() as u32).to_be_bytes(),
        &chunk,
        &(!crc).to_be_bytes(),
        &png[header..],
    ]
    .concat()
}

#[test]
fn proportions_stay_where_asked_for() {
    // A white square in a black picture twice as wide as high.
    let image = GrayImage::from_fn(40, 20, |x, y| {
        Luma([if (16..24).contains(&x) && (6..14).contains(&y) {
            255
        } else {
            0
        }])
    });
    let png = encoded(image, ImageFormat::Png);
    let white = |fit| {
        let how = Preparation {
            fit,
            ..Preparation::default()
        };
        let array = prepared(&png, [1, 20, 20], &how).unwrap();
        let side = |lit: &dyn Fn(usize) -> bool| (0..20).filter(|&at| lit(at)).count();
        [side(&|y| array[[0, y, 10]] > 0.5), side(&|x| array[[0, 10, x]] > 0.5)]
    };
    assert_eq!(white(Fit::Stretch), [8, 4]);
    assert_eq!(white(Fit::Cover), [8, 8]);
    assert_eq!(white(Fit::Contain), [4, 4]);
}

#[test]
fn what_is_no_picture_is_an_error() {
    let message = |bytes: &[u8], shape| plain(bytes, shape).unwrap_err();
    assert!(message(b"hello", [3, 4, 4]).contains("found neither"));
    assert!(message(b"", [3, 4, 4]).contains("found neither"));
    assert!(message(b"II*\0\x08\0\0\0", [3, 4, 4]).contains("found TIFF"));
    assert!(message(b"GIF89a\x01\x00", [3, 4, 4]).contains("cannot be decoded"));
    assert!(message(b"\x89PNG\r\n\x1a\n\x00\x00", [3, 4, 4]).contains("cannot be decoded"));
    assert!(message(b"hello", [4, 4, 4]).contains("1 or 3 channels, the input needs 4"));
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path(), [1, 1, 1], &Preparation::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("a directory"));
}

#[test]
fn a_cut_picture_is_an_error() {
    let picture = DynamicImage::from(slope(64, 48));
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Bmp,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ] {
        let image = if format == ImageFormat::Gif {
            picture.to_rgba8().into()
        } else {
            picture.clone()
        };
        let whole = encoded(image, format);
        plain(&whole, [3, 48, 64]).unwrap();
        for part in [1, 3, 5, 7] {
            let cut = &whole[..whole.len() * part / 8];
            let error = plain(cut, [3, 48, 64]).map(|_| ()).unwrap_err();
            assert!(
                error.contains("decoded") || error.contains("truncated"),
                "{format:?}: {error}"
            );
        }
    }
}

#[test]
fn a_size_that_is_only_declared_takes_no_memory() {
    let how = |max_memory| Preparation {
        max_memory,
        ..Preparation::default()
    };
    let bomb = std::fs::read(format!("{FIXTURES}/bomb1.png")).unwrap();
    let error = prepared(&bomb, [1, 8, 8], &how(Some(100 << 20))).unwrap_err();
    assert!(
        error.contains("16384 × 16384 pixels") && error.contains("may take 100.0 MiB"),
        "{error}"
    );
    let mut claims = encoded(GrayImage::new(1, 1), ImageFormat::Png);
    claims[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    claims[29..33].copy_from_slice(&[0xcb, 0x92, 0x04, 0x7e]);
    let error = plain(&claims, [1, 1, 1]).unwrap_err();
    assert!(error.contains("needs") || error.contains("decoded"), "{error}");
    // Enough for the picture's pixels and the result, and not much less.
    let png = encoded(slope(200, 100), ImageFormat::Png);
    assert!(prepared(&png, [3, 50, 50], &how(Some(60_000))).is_err());
    assert!(prepared(&png, [3, 50, 50], &how(Some(3 << 20))).is_ok());
}
