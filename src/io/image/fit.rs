//! Which part of a picture goes where, at which size: stretched, cut, or with borders.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use image::metadata::Orientation;

use super::Preparation;
use super::decode::Turn;

/// How a picture gets an input's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// Height and width each on their own; proportions change.
    #[default]
    Stretch,
    /// Proportions stay, and what is too much is cut at both ends: torchvision's `Resize` and `CenterCrop`.
    Cover,
    /// Proportions stay, all is seen, and what is too little is black.
    Contain,
}

impl Fit {
    /// All, the default first.
    pub const ALL: [Fit; 3] = [Fit::Stretch, Fit::Cover, Fit::Contain];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Fit::Stretch => "stretch",
            Fit::Cover => "cover",
            Fit::Contain => "contain",
        }
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fit {
    type Err = String;

    fn from_str(word: &str) -> Result<Fit, String> {
        let found = Fit::ALL.into_iter().find(|fit| fit.name() == word);
        found.ok_or_else(|| format!("expected stretch, cover or contain, found `{word}`"))
    }
}

/// One direction: a picture's side resized, a range of that, and where the range begins in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Side {
    /// Pixels of the picture.
    pub(super) source: usize,
    /// Pixels of the whole side once it is resized.
    pub(super) resized: usize,
    /// Which of them are wanted.
    pub(super) window: Range<usize>,
    /// Where the first of them goes.
    at: usize,
}

/// A picture's rows and columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) rows: Side,
    pub(super) columns: Side,
}

/// Where a (turned) picture of `[height, width]` goes in an input of `[height, width]`.
pub(super) fn place(picture: [usize; 2], input: [usize; 2], how: &Preparation) -> Result<Placed, String> {
    if how.fit != Fit::Cover && (how.resize.is_some() || how.crop.is_some()) {
        return Err(format!("resize and crop go with the fit `{}`", Fit::Cover));
    }
    if let Some(crop) = how.crop
        && input != [crop; 2]
    {
        let [height, width] = input;
        return Err(format!(
            "a crop of {crop} × {crop} does not give the input's {height} × {width} pixels"
        ));
    }
    let resized = match how.fit {
        Fit::Stretch => input,
        Fit::Cover => match (how.resize, how.crop) {
            (Some(shorter), _) => with_shorter(picture, shorter),
            (None, Some(_)) => picture,
            (None, None) => covering(picture, input),
        },
        Fit::Contain => contained(picture, input),
    };
    let side = |axis: usize| {
        let (resized, input) = (resized[axis], input[axis]);
        if how.fit == Fit::Cover && resized < input {
            let [height, width] = picture;
            return Err(format!(
                "a picture of {width} × {height} pixels has {resized} where {input} are to be cut; resize it to more"
            ));
        }
        let wanted = resized.min(input);
        let first = half((resized - wanted) as u64) as usize;
        Ok(Side {
            source: picture[axis],
            resized,
            window: first..first + wanted,
            at: (input - wanted) / 2,
        })
    };
    Ok(Placed {
        rows: side(0)?,
        columns: side(1)?,
    })
}

/// Half of it, to the nearest even number where it is odd: Python's `round`, which torchvision's crop uses.
fn half(number: u64) -> u64 {
    let floor = number / 2;
    floor + (number % 2) * (floor % 2)
}

/// `number · numerator / denominator`, rounded down; at least 1.
fn share(number: usize, numerator: usize, denominator: usize) -> usize {
    let share = number as u128 * numerator as u128 / (denominator as u128).max(1);
    usize::try_from(share).unwrap_or(usize::MAX).max(1)
}

/// The shorter side gets so many pixels, the longer one in proportion, rounded down, as torchvision does.
fn with_shorter([height, width]: [usize; 2], shorter: usize) -> [usize; 2] {
    match height <= width {
        true => [shorter, share(shorter, width, height)],
        false => [share(shorter, height, width), shorter],
    }
}

/// The smallest size of the picture's proportions that covers the input.
fn covering([height, width]: [usize; 2], [rows, columns]: [usize; 2]) -> [usize; 2] {
    // height / width ≤ rows / columns: the height decides.
    match height as u128 * columns as u128 <= rows as u128 * width as u128 {
        true => [rows, share(rows, width, height).max(columns)],
        false => [share(columns, height, width).max(rows), columns],
    }
}

/// The largest size of the picture's proportions that the input contains.
fn contained([height, width]: [usize; 2], [rows, columns]: [usize; 2]) -> [usize; 2] {
    match height as u128 * columns as u128 <= rows as u128 * width as u128 {
        true => [share(columns, height, width).min(rows), columns],
        false => [rows, share(rows, width, height).min(columns)],
    }
}

impl Placed {
    /// The same of the picture as it is stored.
    pub(super) fn turned_back(&self, orientation: Orientation) -> Placed {
        let turn = Turn::of(orientation);
        let flipped = |side: &Side, flip: bool| {
            let window = match flip {
                true => side.resized - side.window.end..side.resized - side.window.start,
                false => side.window.clone(),
            };
            Side { window, ..side.clone() }
        };
        let (rows, columns) = match turn.transpose {
            true => (&self.columns, &self.rows),
            false => (&self.rows, &self.columns),
        };
        Placed {
            rows: flipped(rows, turn.flip_rows),
            columns: flipped(columns, turn.flip_columns),
        }
    }

    /// Calls `copy` for each pixel of the input that the picture gives, with its `[row, column]` in the input and in the
    /// window of the picture as it is stored.
    pub(super) fn each(&self, orientation: Orientation, mut copy: impl FnMut([usize; 2], [usize; 2])) {
        let turn = Turn::of(orientation);
        let (height, width) = (self.rows.window.len(), self.columns.window.len());
        let (rows, columns) = match turn.transpose {
            true => (width, height),
            false => (height, width),
        };
        for y in 0..height {
            for x in 0..width {
                let (row, column) = if turn.transpose { (x, y) } else { (y, x) };
                let row = if turn.flip_rows { rows - 1 - row } else { row };
                let column = if turn.flip_columns {
                    columns - 1 - column
                } else {
                    column
                };
                copy([self.rows.at + y, self.columns.at + x], [row, column]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(picture: [usize; 2], input: [usize; 2], how: Preparation) -> [(usize, Range<usize>, usize); 2] {
        let Placed { rows, columns } = place(picture, input, &how).unwrap();
        [rows, columns].map(|side| (side.resized, side.window, side.at))
    }

    #[test]
    fn cover_is_torchvisions_resize_and_crop() {
        let how = |resize, crop| Preparation {
            fit: Fit::Cover,
            resize,
            crop,
            ..Preparation::default()
        };
        // Resize(256): [256, int(256 · 640 / 427)]; CenterCrop(224): int(round((383 − 224) / 2)) = round(79.5) = 80
        assert_eq!(
            placed([427, 640], [224, 224], how(Some(256), Some(224))),
            [(256, 16..240, 0), (383, 80..304, 0)]
        );
        // Without a size, as much as needed; round(58.5) = 58
        assert_eq!(
            placed([427, 640], [224, 224], how(None, None)),
            [(224, 0..224, 0), (335, 56..280, 0)]
        );
        assert_eq!(
            placed([640, 427], [10, 20], how(None, None)),
            [(29, 10..20, 0), (20, 0..20, 0)]
        );
        assert_eq!(placed([9, 9], [4, 4], how(None, Some(4))), [(9, 2..6, 0), (9, 2..6, 0)]);
        assert!(place([9, 9], [4, 4], &how(Some(3), None)).is_err());
        assert!(place([9, 9], [4, 4], &how(None, Some(5))).is_err());
    }

    #[test]
    fn contain_has_borders() {
        let how = Preparation {
            fit: Fit::Contain,
            ..Preparation::default()
        };
        assert_eq!(
            placed([100, 200], [50, 50], how.clone()),
            [(25, 0..25, 12), (50, 0..50, 0)]
        );
        assert_eq!(placed([1, 1000], [5, 5], how), [(1, 0..1, 2), (5, 0..5, 0)]);
    }
}
