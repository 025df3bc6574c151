//! Images made on the spot, read back as inputs.

use image::{GrayAlphaImage, GrayImage, LumaA, RgbImage};
use ndarray::s;

use super::*;

fn saved(image: impl Into<DynamicImage>, name: &str, test: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    image.into().save(&path).unwrap();
    test(&path);
}

#[test]
fn grey_levels_are_exact_255ths() {
    let image = GrayImage::from_fn(16, 16, |x, y| Luma([(y * 16 + x) as u8]));
    saved(image, "x.png", |path| {
        let array = read(path, [1, 16, 16], &Normalise::default()).unwrap();
        for (i, &value) in array.iter().enumerate() {
            assert_eq!(value, i as f32 / 255.0);
        }
    });
}

#[test]
fn alpha_goes_and_grey_spreads_over_three_channels() {
    let image = GrayAlphaImage::from_pixel(2, 2, LumaA([51, 7]));
    saved(image, "x.png", |path| {
        for channels in [1, 3] {
            let array = read(path, [channels, 2, 2], &Normalise::default()).unwrap();
            assert_eq!(array.dim(), (channels, 2, 2));
            assert!(array.iter().all(|value| (value - 0.2).abs() < 1e-6));
        }
    });
}

#[test]
fn colour_becomes_luma_and_is_normalised_per_channel() {
    let image = RgbImage::from_pixel(4, 2, Rgb([255, 0, 102]));
    saved(image, "x.png", |path| {
        let grey = read(path, [1, 2, 4], &Normalise::default()).unwrap();
        assert!((grey[[0, 1, 3]] - (0.299 + 0.4 * 0.114)).abs() < 1e-6);
        let normalise = Normalise {
            mean: vec![0.5, 0.25, 0.0],
            std: vec![0.5, 0.25, 2.0],
        };
        let rgb = read(path, [3, 2, 4], &normalise).unwrap();
        assert_eq!(rgb.slice(s![.., 0, 0]).to_vec(), [1.0, -1.0, 0.2]);
        let error = read(path, [1, 2, 4], &normalise).unwrap_err().to_string();
        assert!(error.contains("channels, found 3"), "{error}");
    });
}

#[test]
fn resizing_is_bilinear() {
    let image = GrayImage::from_fn(2, 1, |x, _| Luma([x as u8 * 255]));
    saved(image, "x.png", |path| {
        let array = read(path, [1, 1, 4], &Normalise::default()).unwrap();
        for (value, expected) in array.iter().zip([0.0, 0.25, 0.75, 1.0]) {
            assert!((value - expected).abs() < 1e-6);
        }
        let small = read(path, [1, 1, 1], &Normalise::default()).unwrap();
        assert!((small[[0, 0, 0]] - 0.5).abs() < 1e-6);
    });
}

#[test]
fn a_jpeg_under_a_wrong_name_is_read_by_content() {
    let image = RgbImage::from_pixel(8, 8, Rgb([200, 100, 50]));
    saved(image, "x.jpg", |path| {
        let renamed = path.with_extension("png");
        std::fs::rename(path, &renamed).unwrap();
        let array = read(&renamed, [3, 8, 8], &Normalise::default()).unwrap();
        assert!((array[[0, 4, 4]] - 200.0 / 255.0).abs() < 0.03);
    });
}

#[test]
fn what_is_no_image_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    let message = |bytes: &[u8], shape| {
        std::fs::write(&path, bytes).unwrap();
        read(&path, shape, &Normalise::default()).unwrap_err().to_string()
    };
    assert!(message(b"hello", [3, 4, 4]).contains("found neither"));
    assert!(message(b"", [3, 4, 4]).contains("found neither"));
    assert!(message(b"GIF89a\x01\x00", [3, 4, 4]).contains("found GIF"));
    assert!(message(b"\x89PNG\r\n\x1a\n\x00\x00", [3, 4, 4]).contains("cannot be decoded"));
    assert!(message(b"hello", [4, 4, 4]).contains("1 or 3 channels, the input needs 4"));
    let huge = GrayImage::new(1, 1);
    DynamicImage::from(huge).save(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]); // its claimed size
    assert!(message(&bytes, [1, 1, 1]).contains("cannot be decoded"));
    assert!(
        read(folder.path(), [1, 1, 1], &Normalise::default())
            .unwrap_err()
            .to_string()
            .contains("a directory")
    );
}
