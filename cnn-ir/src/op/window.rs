//! Windows that slide: pairs, padding, and the floor formula.

use super::Fault;
use super::attributes::Reader;
use super::writer::{Writer, sides_value};
use crate::ast::{Value, ValueKind};

/// Height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// Vertical.
    pub h: usize,
    /// Horizontal.
    pub w: usize,
}

impl Pair {
    /// 1 by 1.
    pub const ONE: Pair = Pair::both(1);

    /// The same number both ways.
    pub const fn both(n: usize) -> Pair {
        Pair { h: n, w: n }
    }
}

/// How wide a border is on each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sides {
    /// Rows above.
    pub top: usize,
    /// Columns to the left.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the right.
    pub right: usize,
}

/// Padding as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// None.
    Valid,
    /// TensorFlow's: the output is `⌈n / stride⌉`; the odd pixel goes to the bottom and right.
    Same,
    /// So much on each side.
    Explicit(Sides),
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

/// Pixels from a window's first tap to its last: `dilation · (size − 1) + 1`.
fn extent(size: usize, dilation: usize) -> usize {
    dilation.saturating_mul(size.saturating_sub(1)).saturating_add(1)
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
        let (windows, clipped) = self.windows();
        usize::try_from(windows - i128::from(clipped))
            .ok()
            .filter(|&windows| windows > 0)
    }

    /// The formula's result, and whether it counts a last window that would start behind the input.
    fn windows(&self) -> (i128, bool) {
        let stride = self.stride.max(1) as i128;
        let room = self.n as i128 + self.before as i128 + self.after as i128 - self.extent() as i128;
        if !self.ceil {
            return (room.div_euclid(stride) + 1, false);
        }
        let windows = -(-room).div_euclid(stride) + 1;
        (
            windows,
            windows > 0 && (windows - 1) * stride >= self.n as i128 + self.before as i128,
        )
    }

    /// The arithmetic behind [`Axis::output`], worked out: `⌊(32 + 2·0 − 5)/1⌋ + 1 = 28`.
    pub fn formula(&self) -> String {
        let padding = if self.before == self.after {
            format!("2·{}", self.before)
        } else {
            format!("{} + {}", self.before, self.after)
        };
        let extent = if self.dilation == 1 {
            self.size.to_string()
        } else {
            format!("({}·({} − 1) + 1)", self.dilation, self.size)
        };
        let (open, close) = if self.ceil { ('⌈', '⌉') } else { ('⌊', '⌋') };
        let (windows, clipped) = self.windows();
        let result = if clipped {
            format!(
                "{windows}, less the last, which would start behind the input = {}",
                windows - 1
            )
        } else {
            windows.to_string().replace('-', "−")
        };
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
        // `start mod dilation`; only windows that start in the leading padding can miss.
        let leading = windows.min(self.before.div_ceil(self.stride)) as i128;
        n >= dilation || (0..leading).all(|i| (i * stride - before).rem_euclid(dilation) < n)
    }
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
        Err(misfits
            .iter()
            .fold(Fault::new(self.key, message), |fault, (axis, unit)| {
                fault.note(format!("{unit} of the result: {}", axis.formula()))
            }))
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

impl Reader<'_> {
    /// `"valid"`, `"same"`, or a border.
    pub(super) fn padding(&mut self) -> Padding {
        let Some(value) = self.value("padding", false) else {
            return Padding::Valid;
        };
        match &value.kind {
            ValueKind::Text(word) if word == "valid" => Padding::Valid,
            ValueKind::Text(word) if word == "same" => Padding::Same,
            _ => Padding::Explicit(
                self.border("padding", value, r#""valid", "same", "#)
                    .unwrap_or_default(),
            ),
        }
    }

    /// A border on four sides; required.
    pub(super) fn sides(&mut self, key: &'static str) -> Sides {
        match self.value(key, true) {
            Some(value) => self.border(key, value, "").unwrap_or_default(),
            None => Sides::default(),
        }
    }

    /// An integer, `[height, width]` or `[top, left, bottom, right]`, or what `words` says.
    fn border(&mut self, key: &'static str, value: &Value, words: &str) -> Option<Sides> {
        let sides = match &value.kind {
            ValueKind::Integer(_) => vec![self.integer(key, value, value, 0)?],
            ValueKind::List(items) if matches!(items.len(), 2 | 4) => self.integers(key, value, items, 0)?,
            _ => {
                let forms = format!("{words}an integer, [height, width] or [top, left, bottom, right]");
                return self.wrong_type(key, value, &forms);
            }
        };
        let (top, left, bottom, right) = match *sides {
            [all] => (all, all, all, all),
            [h, w] => (h, w, h, w),
            [top, left, bottom, right] => (top, left, bottom, right),
            _ => return None,
        };
        Some(Sides {
            top,
            left,
            bottom,
            right,
        })
    }
}

impl Writer {
    /// Padding of a window.
    pub(super) fn padding(self, padding: Padding) -> Self {
        match padding {
            Padding::Valid => self,
            Padding::Same => self.value("padding", ValueKind::Text("same".to_owned())),
            Padding::Explicit(sides) => self.value("padding", sides_value(sides)),
        }
    }
}
