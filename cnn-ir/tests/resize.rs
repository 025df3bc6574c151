//! Which pixels a resize takes: PyTorch's, for every size up to 40 and the scales that exporters write.
//!
//! `resize/pytorch.bin` is recorded by `tests/onnx/resize_grid.py`, which says how it is laid out and prints where others
//! differ:
//!
//! - ONNX Runtime divides by the scale where PyTorch multiplies by one over it. At places that are nearly whole, 83 of
//!   these 1,447 `nearest` cases by scale take the neighbouring pixel for it; linear ones agree everywhere. A map that
//!   keeps its size is copied by both, except by PyTorch in 1-D and as `nearest-exact`.
//! - The ONNX project's evaluator takes scales at their word as f32 (⅓ of 9 pixels takes 0, 2, 5), and aligns corners to
//!   the fractional product of size and scale (½ of 9 has 4.5 places). PyTorch, ONNX Runtime and OpenVINO do neither.

use cnn_ir::op::{Coordinates, Pair, Resize, ResizeMode, ResizeTo, Rounding};

/// The next bytes of the file.
fn number<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (number, rest) = bytes.split_first_chunk().expect("a whole case");
    *bytes = rest;
    *number
}

#[test]
fn every_pixel_is_pytorchs() {
    let mut bytes: &[u8] = include_bytes!("resize/pytorch.bin");
    let (mut cases, mut wrong) = (0, Vec::new());
    while !bytes.is_empty() {
        let [mode, n] = number(&mut bytes);
        let scale = f32::from_le_bytes(number(&mut bytes));
        let size = usize::from(u16::from_le_bytes(number(&mut bytes)));
        let (mode, coordinates) = match mode {
            0 => (ResizeMode::Nearest(Rounding::Floor), Coordinates::Asymmetric),
            1 => (ResizeMode::Nearest(Rounding::PreferCeil), Coordinates::HalfPixel),
            2 => (ResizeMode::Bilinear, Coordinates::HalfPixel),
            _ => (ResizeMode::Bilinear, Coordinates::AlignCorners),
        };
        let to = match scale {
            0.0 => ResizeTo::Size(Pair { h: size, w: 1 }),
            scale => ResizeTo::Scale([scale, 1.0]),
        };
        let places = usize::from(n);
        let [axis, _] = Resize { to, mode, coordinates }.axes(places, 1);
        let expected: Vec<f64> = match mode {
            ResizeMode::Nearest(_) => (0..places)
                .flat_map(|place| vec![place as f64; number::<1>(&mut bytes)[0].into()])
                .collect(),
            ResizeMode::Bilinear => (0..size)
                .map(|_| f64::from(u16::from_le_bytes(number(&mut bytes))) / 1024.0)
                .collect(),
        };
        let found: Vec<f64> = (0..axis.size)
            .map(|i| axis.tap(i))
            .map(|tap| tap.first as f64 * (1.0 - tap.share) + tap.second as f64 * tap.share)
            .collect();
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1.0 / 1024.0;
        cases += 1;
        if found.len() != expected.len() || !found.iter().zip(&expected).all(near) {
            wrong.push(format!(
                "{n} {to:?} {mode:?} {coordinates:?}: {found:?}, expected {expected:?}"
            ));
        }
    }
    assert!(cases > 8900, "{cases}");
    assert!(
        wrong.is_empty(),
        "{} of {cases}: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
}
