//! Windows that slide: the floor formula, worked out and in words, and what `same` padding comes to.

use super::Fault;
use super::padding::{Padding, Pair, Sides};

/// Pixels from a window's first tap to its last: `dilation · (size − 1) + 1`.
pub(super) fn extent(size: usize, dilation: usize) -> usize {
    dilation.saturating_mul(size.saturating_sub(1)).saturating_add(1)
}

impl Padding {
    /// The border around an input of `height` × `width`: what `same` comes to for this window.
    pub fn resolve(&self, height: usize, width: usize, kernel: Pair, stride: Pair, dilation: Pair) -> Sides {
        match *self {
            Padding::Valid => Sides::default(),
            Padding::Explicit(sides) => sides,
            Padding::Same => {
                let (top, bottom) = same(height, kernel.h, stride.h, dilation.h);
                let (left, right) = same(width, kernel.w, stride.w, dilation.w);
                Sides {
                    top,
                    left,
                    bottom,
                    right,
                }
            }
        }
    }
}

/// The least padding before and after with which `⌈n / stride⌉` windows fit.
fn same(n: usize, size: usize, stride: usize, dilation: usize) -> (usize, usize) {
    let outputs = n.div_ceil(stride.max(1));
    let reach = outputs.saturating_sub(1).saturating_mul(stride);
    let total = reach.saturating_add(extent(size, dilation)).saturating_sub(n);
    (total / 2, total - total / 2)
}

/// One axis of a window that slides over `n` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the input.
    pub n: usize,
    /// Taps of the window.
    pub size: usize,
    /// Step of the window.
    pub stride: usize,
    /// Distance between taps.
    pub dilation: usize,
    /// Padding in front.
    pub before: usize,
    /// Padding behind.
    pub after: usize,
    /// Whether the number of windows rounds up; the last must still start inside the input or its leading padding.
    pub ceil: bool,
}

impl Axis {
    /// Pixels from the window's first tap to its last.
    pub fn extent(&self) -> usize {
        extent(self.size, self.dilation)
    }

    /// How many windows there are; `None` if none fits.
    pub fn output(&self) -> Option<usize> {
        if self.n == 0 || self.size == 0 || self.stride == 0 || self.dilation == 0 {
            return None;
        }
        let (windows, outside) = self.windows();
        usize::try_from(windows - outside).ok().filter(|&windows| windows > 0)
    }

    /// The formula's result, and how many of these windows do not count because they start behind the input.
    fn windows(&self) -> (i128, i128) {
        let stride = self.stride.max(1) as i128;
        let inside = self.n as i128 + self.before as i128;
        let room = inside + self.after as i128 - self.extent() as i128;
        if !self.ceil {
            return (room.div_euclid(stride) + 1, 0);
        }
        let windows = ceil_div(room, stride) + 1;
        (windows, (windows - ceil_div(inside, stride)).max(0))
    }

    /// The arithmetic behind [`Axis::output`], worked out: `⌊(32 + 2·0 − 5)/1⌋ + 1 = 28`.
    pub fn formula(&self) -> String {
        let padding = if self.before == self.after {
            format!("2·{}", self.before)
        } else {
            format!("{} + {}", self.before, self.after)
        };
        let extent = if self.dilation == 1 || self.size == 1 {
            self.size.to_string()
        } else {
            format!("({}·({} − 1) + 1)", self.dilation, self.size)
        };
        let (open, close) = if self.ceil { ('⌈', '⌉') } else { ('⌊', '⌋') };
        let (windows, outside) = self.windows();
        let mut result = windows.to_string().replace('-', "−");
        if outside > 0 {
            result += &format!(
                ", less {outside} that would start behind the input = {}",
                windows - outside
            );
        }
        format!(
            "{open}({} + {padding} − {extent})/{}{close} + 1 = {result}",
            self.n, self.stride
        )
    }

    /// Whether every window has a tap on a pixel of the input, rather than on padding alone.
    pub fn touches(&self) -> bool {
        let Some(windows) = self.output() else { return false };
        let (n, stride, dilation) = (self.n as i128, self.stride as i128, self.dilation as i128);
        let before = self.before as i128;
        // The last window starts farthest to the right, the first has most taps in the leading padding.
        if (windows as i128 - 1) * stride - before >= n || self.before.div_ceil(self.dilation) >= self.size {
            return false;
        }
        // Taps farther apart than the input is wide may jump over it. The first tap at 0 or above is at
        // `start mod dilation`, which repeats; only windows that start in the leading padding can miss.
        let leading = windows.min(self.before.div_ceil(self.stride)).min(self.dilation) as i128;
        n >= dilation || (0..leading).all(|i| (i * stride - before).rem_euclid(dilation) < n)
    }
}

/// `⌈n / d⌉`, also for a negative `n`.
fn ceil_div(n: i128, d: i128) -> i128 {
    -(-n).div_euclid(d)
}

/// A window over both axes, as convolution and pooling have it.
pub(super) struct Window {
    /// The key of the window's size.
    pub(super) key: &'static str,
    /// Its height and width.
    pub(super) size: Pair,
    /// Its step.
    pub(super) stride: Pair,
    /// Border of the input.
    pub(super) padding: Padding,
    /// Distance between taps.
    pub(super) dilation: Pair,
    /// Whether the number of windows rounds up.
    pub(super) ceil: bool,
}

impl Window {
    /// Vertical and horizontal axis over an input of `height` × `width`.
    pub(super) fn axes(&self, height: usize, width: usize) -> [Axis; 2] {
        let sides = self
            .padding
            .resolve(height, width, self.size, self.stride, self.dilation);
        let axis = |n, size, stride, dilation, before, after| Axis {
            n,
            size,
            stride,
            dilation,
            before,
            after,
            ceil: self.ceil,
        };
        [
            axis(
                height,
                self.size.h,
                self.stride.h,
                self.dilation.h,
                sides.top,
                sides.bottom,
            ),
            axis(
                width,
                self.size.w,
                self.stride.w,
                self.dilation.w,
                sides.left,
                sides.right,
            ),
        ]
    }

    /// Rows and columns of the result.
    pub(super) fn output(&self, height: usize, width: usize) -> Result<(usize, usize), Fault> {
        let axes = self.axes(height, width);
        if let [Some(rows), Some(columns)] = axes.map(|axis| axis.output()) {
            return Ok((rows, columns));
        }
        let misfits: Vec<_> = axes
            .iter()
            .zip(["rows", "columns"])
            .filter(|(axis, _)| axis.output().is_none())
            .collect();
        let (axis, unit) = misfits[0];
        let noun = if self.key == "kernel" { "kernel" } else { "window" };
        let dilated = if axis.dilation > 1 { "dilated " } else { "" };
        let padded = if axis.before.max(axis.after) > 0 { "padded " } else { "" };
        let message = format!(
            "the {dilated}{noun} needs {} {unit}, but the {padded}input has only {}",
            axis.extent(),
            axis.n.saturating_add(axis.before).saturating_add(axis.after),
        );
        let fault = Fault::new(self.key, message);
        Err(match misfits.as_slice() {
            [(rows, _), (columns, _)] if rows.formula() == columns.formula() => {
                fault.note(format!("rows and columns of the result: {}", rows.formula()))
            }
            misfits => misfits.iter().fold(fault, |fault, (axis, unit)| {
                fault.note(format!("{unit} of the result: {}", axis.formula()))
            }),
        })
    }

    /// The arithmetic of rows and columns.
    pub(super) fn formula(&self, height: usize, width: usize) -> String {
        let [rows, columns] = self.axes(height, width).map(|axis| match self.padding {
            Padding::Same => format!("⌈{}/{}⌉ = {}", axis.n, axis.stride, axis.n.div_ceil(axis.stride.max(1))),
            Padding::Valid | Padding::Explicit(_) => axis.formula(),
        });
        both(rows, columns)
    }
}

/// The arithmetic of height and width, said once if it is the same.
pub(super) fn both(height: String, width: String) -> String {
    if height == width {
        height
    } else {
        format!("height: {height}, width: {width}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn axis() -> impl Strategy<Value = Axis> {
        (
            1..30usize,
            1..8usize,
            1..6usize,
            1..4usize,
            0..5usize,
            0..5usize,
            any::<bool>(),
        )
            .prop_map(|(n, size, stride, dilation, before, after, ceil)| Axis {
                n,
                size,
                stride,
                dilation,
                before,
                after,
                ceil,
            })
    }

    /// First taps of all windows, counted from the first pixel of the input.
    fn starts(axis: &Axis) -> impl Iterator<Item = isize> {
        let (stride, before) = (axis.stride, axis.before as isize);
        (0..axis.output().unwrap_or(0)).map(move |i| (i * stride) as isize - before)
    }

    proptest! {
        /// A window counts when it ends inside the padded input; under `ceil` it may reach over by less than a step.
        #[test]
        fn the_formula_counts_window_positions(axis in axis()) {
            let end = axis.before + axis.n + axis.after;
            let slack = if axis.ceil { axis.stride - 1 } else { 0 };
            let positions = (0..)
                .map(|i| i * axis.stride)
                .take_while(|start| start + axis.extent() <= end + slack)
                .filter(|&start| !axis.ceil || start < axis.before + axis.n)
                .count();
            prop_assert_eq!(axis.output().unwrap_or(0), positions);
        }

        #[test]
        fn under_ceil_every_window_starts_inside(axis in axis()) {
            let axis = Axis { ceil: true, ..axis };
            prop_assert!(starts(&axis).all(|start| start < axis.n as isize));
        }

        #[test]
        fn touching_means_a_tap_on_a_pixel_in_every_window(axis in axis()) {
            let pixels = 0..axis.n as isize;
            let touched = starts(&axis)
                .all(|start| (0..axis.size).any(|tap| pixels.contains(&(start + (tap * axis.dilation) as isize))));
            prop_assert_eq!(axis.touches(), axis.output().is_some() && touched);
        }

        #[test]
        fn same_gives_one_output_a_step(axis in axis()) {
            let one = |n| Pair { h: n, w: 1 };
            let sides = Padding::Same.resolve(axis.n, 1, one(axis.size), one(axis.stride), one(axis.dilation));
            let axis = Axis { before: sides.top, after: sides.bottom, ..axis };
            prop_assert_eq!(axis.output(), Some(axis.n.div_ceil(axis.stride)));
            prop_assert!(axis.after == axis.before || axis.after == axis.before + 1);
        }

        #[test]
        fn the_formula_in_words_ends_with_the_result(axis in axis()) {
            if let Some(output) = axis.output() {
                let formula = axis.formula();
                prop_assert!(formula.ends_with(&format!("= {output}")), "{}", formula);
            }
        }
    }

    const LENET: Axis = Axis {
        n: 32,
        size: 5,
        stride: 1,
        dilation: 1,
        before: 0,
        after: 0,
        ceil: false,
    };

    #[test]
    fn formulas_are_written_out() {
        let formula = |axis: Axis| axis.formula();
        assert_eq!(formula(LENET), "⌊(32 + 2·0 − 5)/1⌋ + 1 = 28");
        assert_eq!(
            formula(Axis {
                size: 3,
                dilation: 2,
                before: 2,
                after: 2,
                ..LENET
            }),
            "⌊(32 + 2·2 − (2·(3 − 1) + 1))/1⌋ + 1 = 32"
        );
        assert_eq!(
            formula(Axis {
                size: 3,
                stride: 2,
                before: 0,
                after: 1,
                ..LENET
            }),
            "⌊(32 + 0 + 1 − 3)/2⌋ + 1 = 16"
        );
        assert_eq!(
            formula(Axis {
                n: 12,
                size: 3,
                stride: 2,
                ceil: true,
                ..LENET
            }),
            "⌈(12 + 2·0 − 3)/2⌉ + 1 = 6"
        );
        assert_eq!(formula(Axis { n: 3, ..LENET }), "⌊(3 + 2·0 − 5)/1⌋ + 1 = −1");
        assert_eq!(
            formula(Axis {
                n: 5,
                size: 2,
                stride: 2,
                before: 1,
                after: 1,
                ceil: true,
                ..LENET
            }),
            "⌈(5 + 2·1 − 2)/2⌉ + 1 = 4, less 1 that would start behind the input = 3"
        );
    }

    #[test]
    fn absurd_sizes_take_no_time() {
        let most = crate::shape::MAX_DIMENSION;
        let far = Axis {
            n: 1,
            size: most,
            stride: 2,
            dilation: 2,
            before: most - 1,
            after: 0,
            ceil: false,
        };
        assert_eq!(far.output(), None);
        assert!(Axis { after: most, ..far }.touches());
        assert!(
            !Axis {
                after: most,
                stride: 1,
                ..far
            }
            .touches()
        );
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        let huge = usize::MAX;
        for ceil in [false, true] {
            let axis = Axis {
                n: huge,
                size: huge,
                stride: huge,
                dilation: huge,
                before: huge,
                after: huge,
                ceil,
            };
            let _ = (axis.output(), axis.formula(), axis.touches());
            let zero = Axis {
                n: 8,
                size: 0,
                stride: 0,
                dilation: 0,
                before: 0,
                after: 0,
                ceil,
            };
            assert_eq!(zero.output(), None);
            let _ = zero.formula();
        }
        let sides = Padding::Same.resolve(huge, 1, Pair::both(huge), Pair::both(0), Pair::both(huge));
        assert!(sides.bottom >= sides.top);
    }
}
