//! Windows over pixels: what convolutions and pools share. Kernels, strides, dilations and padding of one or two axes.

use cnn_ir::shape::Shape;

use crate::network::{Keys, pair, sides};
use crate::node::Node;
use crate::value::{Data, Value, frame};

/// A value as a map over which a window moves.
pub(super) struct Spatial {
    /// `[channels, height, width]`; one row for one-dimensional convolutions.
    pub(super) data: Data,
    /// How many axes the window has in the ONNX graph: 1 or 2.
    pub(super) rank: usize,
    /// Whether the tensor has a batch of its own in front: of 1, or of signals that are the map's rows.
    leading: bool,
}

impl Spatial {
    /// Reads an input as `[channels, length]` or `[channels, height, width]`.
    pub(super) fn of(node: &mut Node<'_>, value: &Value) -> Result<Spatial, String> {
        let value = node.standard(value)?;
        let (leading, dims) = match (node.network.batched, &*value.dims) {
            (true, dims) => (false, dims),
            (false, [1, dims @ ..]) => (true, dims),
            (false, _) => return Err("a tensor whose axis 0 is no batch cannot be an image".to_owned()),
        };
        let rank = dims.len().wrapping_sub(1);
        if !matches!(rank, 1 | 2) {
            return Err(format!(
                "works on {} axes of pixels; one (signals) and two (images) are possible",
                rank as isize
            ));
        }
        let shape = frame(dims).map_or(Shape::Flat(1), |frame| frame.shape);
        Ok(Spatial {
            data: node.shaped(&value.data, shape)?,
            rank,
            leading,
        })
    }

    /// The same for windows, which may be of one row: a tensor `[signals, channels, length]` without a batch is a map whose
    /// rows are the signals.
    pub(super) fn of_rows(node: &mut Node<'_>, value: &Value) -> Result<Spatial, String> {
        match *value.dims {
            [signals, channels, length] if signals != 1 && !node.network.batched => {
                let value = node.ordered(value, &[1, 0, 2])?;
                Ok(Spatial {
                    data: node.shaped(&value.data, Shape::map(channels, signals, length))?,
                    rank: 1,
                    leading: true,
                })
            }
            _ => Spatial::of(node, value),
        }
    }

    /// Channels, height, width.
    pub(super) fn size(&self) -> [usize; 3] {
        self.data.shape.extent()
    }

    /// What a layer made of it, as a value of as many axes.
    pub(super) fn value(&self, data: Data) -> Value {
        let mut dims = data.shape.dims();
        let signals = if self.rank == 1 { dims.remove(1) } else { 1 };
        match (self.leading, signals) {
            (true, 1) => dims.insert(0, 1),
            // In memory channels are first.
            (true, _) => return Value::plain(data, vec![dims[0], signals, dims[1]]).transposed(&[1, 0, 2]),
            (false, _) => {}
        }
        Value::plain(data, dims)
    }
}

/// A window as the language writes it: pairs are height, width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
    /// Top, left, bottom, right.
    pub(super) pads: [usize; 4],
}

/// A count from a file.
pub(super) fn size(what: &str, number: i64, least: usize) -> Result<usize, String> {
    usize::try_from(number)
        .ok()
        .filter(|&number| number >= least && number <= cnn_ir::shape::MAX_DIMENSION)
        .ok_or_else(|| format!("`{what}` holds {number}; from {least} up is possible"))
}

/// One number for each axis of pixels, as height and width.
pub(super) fn per_axis(what: &str, numbers: &[i64], rank: usize, least: usize) -> Result<[usize; 2], String> {
    match (numbers, rank) {
        (&[w], 1) => Ok([1.max(least), size(what, w, least)?]),
        (&[h, w], 2) => Ok([size(what, h, least)?, size(what, w, least)?]),
        _ => Err(format!(
            "`{what}` has {} numbers for {rank} axes of pixels",
            numbers.len()
        )),
    }
}

impl Window {
    /// Reads `kernel_shape` (or takes the weights' for it), `strides`, `dilations`; padding is for
    /// [`pad`](Self::pad).
    pub(super) fn read(node: &Node<'_>, rank: usize, weights: Option<&[usize]>) -> Result<Window, String> {
        let attribute = |name: &'static str, default: [usize; 2]| match node.attributes.ints(name)? {
            Some(numbers) => per_axis(name, numbers, rank, 1),
            None => Ok(default),
        };
        let inferred = match weights {
            Some(&[w]) => Some([1, w]),
            Some(&[h, w]) => Some([h, w]),
            _ => None,
        };
        let kernel = match (node.attributes.ints("kernel_shape")?, inferred) {
            (Some(numbers), inferred) => {
                let kernel = per_axis("kernel_shape", numbers, rank, 1)?;
                if inferred.is_some_and(|inferred| inferred != kernel) {
                    return Err(format!("`kernel_shape` {numbers:?} is not that of the weights"));
                }
                kernel
            }
            (None, Some(inferred)) => inferred,
            (None, None) => return Err("attribute `kernel_shape` is missing".to_owned()),
        };
        Ok(Window {
            kernel,
            stride: attribute("strides", [1, 1])?,
            dilation: attribute("dilations", [1, 1])?,
            pads: [0; 4],
        })
    }

    /// From the first to the last tap of the window, in each direction.
    pub(super) fn extent(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            (self.kernel[axis] - 1)
                .saturating_mul(self.dilation[axis])
                .saturating_add(1)
        })
    }

    /// Reads `auto_pad` and `pads` for an input of that height and width.
    pub(super) fn pad(&mut self, node: &Node<'_>, rank: usize, input: [usize; 2]) -> Result<(), String> {
        let auto = node.attributes.text("auto_pad", "NOTSET")?;
        let explicit = node.attributes.ints("pads")?;
        self.pads = match auto {
            "NOTSET" | "" => explicit.map_or(Ok([0; 4]), |numbers| pads(numbers, rank))?,
            "VALID" => [0; 4],
            "SAME_UPPER" | "SAME_LOWER" => {
                let extent = self.extent();
                let total = [0, 1].map(|axis| {
                    let outputs = input[axis].div_ceil(self.stride[axis]);
                    let covered = outputs.saturating_sub(1).saturating_mul(self.stride[axis]);
                    covered.saturating_add(extent[axis]).saturating_sub(input[axis])
                });
                split(total, auto == "SAME_UPPER")
            }
            other => {
                return Err(format!(
                    "`auto_pad` is {other:?}; NOTSET, VALID, SAME_UPPER and SAME_LOWER are possible"
                ));
            }
        };
        Ok(())
    }

    /// `stride`, `padding` and `dilation`, where they are not the defaults.
    pub(super) fn keys(&self, default_stride: [usize; 2]) -> Keys {
        let mut keys = Vec::new();
        if self.stride != default_stride {
            keys.push(("stride", pair(self.stride)));
        }
        if self.pads != [0; 4] {
            keys.push(("padding", sides(self.pads)));
        }
        if self.dilation != [1, 1] {
            keys.push(("dilation", pair(self.dilation)));
        }
        keys
    }
}

/// Padding of rows and columns, halved; an odd one goes after the image if `upper`.
pub(super) fn split([rows, columns]: [usize; 2], upper: bool) -> [usize; 4] {
    let before = |total: usize| if upper { total / 2 } else { total.div_ceil(2) };
    let (top, left) = (before(rows), before(columns));
    [top, left, rows - top, columns - left]
}

/// ONNX's `pads`: all starts, then all ends.
pub(super) fn pads(numbers: &[i64], rank: usize) -> Result<[usize; 4], String> {
    let size = |number| size("pads", number, 0);
    match (numbers, rank) {
        (&[left, right], 1) => Ok([0, size(left)?, 0, size(right)?]),
        (&[top, left, bottom, right], 2) => Ok([size(top)?, size(left)?, size(bottom)?, size(right)?]),
        _ => Err(format!(
            "`pads` has {} numbers for {rank} axes of pixels",
            numbers.len()
        )),
    }
}
