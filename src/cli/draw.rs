//! Small pictures as characters, two pixels each.

use ndarray::ArrayView2;

/// Larger pictures are not drawn.
const LARGEST: usize = 64;

/// Lines of half blocks: what is brighter than the middle between the least and the greatest value is ink. Rows
/// and columns without ink around the picture are left out. Empty if there is nothing to see.
pub(super) fn half_blocks(pixels: ArrayView2<'_, f32>) -> Vec<String> {
    let (height, width) = pixels.dim();
    let (low, high) = pixels
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    // Also false for NaN.
    let contrast = low < high && (high - low).is_finite();
    if height > LARGEST || width > LARGEST || !contrast {
        return Vec::new();
    }
    let middle = low + (high - low) / 2.0;
    let ink = |y: usize, x: usize| y < height && pixels[[y, x]] > middle;
    let row = |y: usize| (0..width).any(|x| ink(y, x));
    let column = |x: usize| (0..height).any(|y| ink(y, x));
    let (Some(top), Some(bottom)) = ((0..height).find(|&y| row(y)), (0..height).rfind(|&y| row(y))) else {
        return Vec::new();
    };
    let (Some(left), Some(right)) = ((0..width).find(|&x| column(x)), (0..width).rfind(|&x| column(x))) else {
        return Vec::new();
    };
    let line = |y: usize| {
        let blocks = (left..=right).map(|x| match (ink(y, x), y < bottom && ink(y + 1, x)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        });
        blocks.collect::<String>().trim_end().to_owned()
    };
    (top..=bottom).step_by(2).map(line).collect()
}

/// A bar of `share` (0 … 1) of `width` characters, in eighths.
pub(super) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    // The cast saturates, and takes NaN to 0.
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn two_rows_share_a_line_and_borders_go() {
        let picture = array![
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 1.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
            [0.0, 0.9, 0.1, 0.0],
            [0.0, 0.0, 0.0, 0.0]
        ];
        assert_eq!(half_blocks(picture.view()), ["▀█", "▀"]);
    }

    #[test]
    fn nothing_to_see() {
        for picture in [
            Array2::zeros((3, 3)),
            Array2::from_elem((3, 3), f32::NAN),
            Array2::from_shape_fn((99, 3), |(y, _)| y as f32),
            Array2::zeros((0, 0)),
        ] {
            assert!(half_blocks(picture.view()).is_empty());
        }
    }

    #[test]
    fn bars() {
        assert_eq!(bar(1.0, 3), "███");
        assert_eq!(bar(0.5, 3), "█▌");
        assert_eq!(bar(0.0, 3), "");
        assert_eq!(bar(f64::NAN, 3), "");
        assert_eq!(bar(7.0, 1), "█");
    }
}
