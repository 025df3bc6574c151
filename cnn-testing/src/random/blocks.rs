//! Groups of layers as real networks have them, with the variations that fusing must notice.

use cnn_ir::shape::Shape;

use super::layers::pair;
use super::{CHANNELS, MAX_MACS, Model, Value};

/// A block of the model file: a convolution, batch norm and ReLU that keep the size.
pub(super) const UNIT: &str = r#"
[block.unit]
params = ["c", "k"]

[[block.unit.layer]]
name = "conv"
op = "conv"
filters = "$c"
kernel = "$k"
padding = "same"
bias = false
from = "in"

[[block.unit.layer]]
name = "bn"
op = "batch_norm"
activation = "relu"
"#;

impl Model {
    /// Appends a random block.
    pub(super) fn block(&mut self, x: &Value) -> Option<Value> {
        match self.rng.u32(0..7) {
            0..=1 => self.residual(x),
            2 => self.inception(x),
            3 => self.squeeze_excite(x),
            4 => {
                let padded = self.pad(x)?;
                // Drawn until a window fits.
                (0..4).find_map(|_| {
                    if self.one_in(3) {
                        self.pool(&padded)
                    } else {
                        self.conv(&padded)
                    }
                })
            }
            5 => self.unit(x),
            _ => self.twins(x),
        }
    }

    /// A convolution that keeps height and width.
    fn same_conv(
        &mut self,
        x: &Value,
        filters: usize,
        kernel: usize,
        more: &[(&'static str, String)],
    ) -> Option<Value> {
        let Shape::Map { height, width, .. } = x.shape else {
            return None;
        };
        let out = Shape::map(filters, height, width);
        if !Model::fits(out) || out.elements() * x.shape.channels() * kernel * kernel > MAX_MACS {
            return None;
        }
        let mut keys = vec![
            ("filters", filters.to_string()),
            ("kernel", kernel.to_string()),
            ("padding", "\"same\"".to_owned()),
        ];
        keys.extend_from_slice(more);
        Some(self.layer("conv", &[x], &keys, out))
    }

    /// Convolution, batch norm and activation, each perhaps missing, with perhaps a dropout or an output between.
    fn conv_norm_act(&mut self, x: &Value, filters: usize, activation: bool) -> Option<Value> {
        let kernel = self.pick(&[1, 1, 3, 3, 5]);
        let mut y = self.same_conv(x, filters, kernel, &[])?;
        if self.one_in(12) {
            self.values.push(y.clone());
            self.output(&y);
        }
        if self.one_in(8) {
            y = self.nothing(&y);
        }
        for _ in 0..self.pick(&[0, 1, 1, 1, 2]) {
            y = self.batch_norm(&y);
        }
        if activation {
            y = self.activation_layer(&y);
        }
        if self.one_in(12) {
            self.values.push(y.clone());
        }
        Some(y)
    }

    /// `x`, or a projection of it, plus a branch of convolutions (He et al., 2016).
    fn residual(&mut self, x: &Value) -> Option<Value> {
        let filters = if self.rng.bool() {
            x.shape.channels()
        } else {
            self.pick(&CHANNELS)
        };
        let inner = self.conv_norm_act(x, filters, true)?;
        let last = self.rng.u32(0..4) == 0;
        let branch = self.conv_norm_act(&inner, filters, last)?;
        let shortcut = if filters == x.shape.channels() && !self.one_in(4) {
            x.clone()
        } else {
            self.conv_norm_act(x, filters, false)?
        };
        let mut operands = [&branch, &shortcut];
        if self.rng.bool() {
            operands.reverse();
        }
        let mut keys = Vec::new();
        self.maybe_activation(&mut keys);
        let sum = self.layer("add", &operands, &keys, branch.shape);
        Some(if self.rng.bool() {
            self.activation_layer(&sum)
        } else {
            sum
        })
    }

    /// Parallel branches, concatenated (Szegedy et al., 2015).
    fn inception(&mut self, x: &Value) -> Option<Value> {
        let [channels, height, width] = x.map()?;
        let mut branches = Vec::new();
        for _ in 0..self.rng.usize(1..=4) {
            let filters = self.pick(&CHANNELS);
            let branch = match self.rng.u32(0..6) {
                0 => x.clone(),
                1 => {
                    let op = self.pick(&["max_pool", "avg_pool"]);
                    let keys = [
                        ("size", "3".to_owned()),
                        ("stride", "1".to_owned()),
                        ("padding", "\"same\"".to_owned()),
                    ];
                    let pooled = self.layer(op, &[x], &keys, Shape::map(channels, height, width));
                    self.same_conv(&pooled, filters, 1, &[])?
                }
                2 => {
                    let reduced = self.same_conv(x, 4, 1, &[("activation", "\"relu\"".to_owned())])?;
                    self.same_conv(&reduced, filters, 3, &[("activation", "\"relu\"".to_owned())])?
                }
                _ => self.conv_norm_act(x, filters, true)?,
            };
            branches.push(branch);
        }
        let total = branches.iter().map(|branch| branch.shape.channels()).sum();
        let out = Shape::map(total, height, width);
        if !Model::fits(out) {
            return None;
        }
        let operands: Vec<_> = branches.iter().collect();
        Some(self.layer("concat", &operands, &[], out))
    }

    /// Channels weighted by what the whole map holds (Hu et al., 2018).
    fn squeeze_excite(&mut self, x: &Value) -> Option<Value> {
        let channels = x.shape.channels();
        let squeezed = self.global_pool(x)?;
        let hidden = self.same_conv(
            &squeezed,
            channels.div_ceil(4),
            1,
            &[("activation", "\"relu\"".to_owned())],
        )?;
        let gate = self.same_conv(&hidden, channels, 1, &[])?;
        let gate = self.layer("sigmoid", &[&gate], &[], gate.shape);
        let mut operands = [x, &gate];
        if self.one_in(3) {
            operands.reverse();
        }
        let op = self.pick(&["mul", "mul", "add"]);
        let mut keys = Vec::new();
        self.maybe_activation(&mut keys);
        Some(self.layer(op, &operands, &keys, x.shape))
    }

    /// An instance of the block `unit`.
    fn unit(&mut self, x: &Value) -> Option<Value> {
        let [channels, height, width] = x.map()?;
        let (filters, kernel) = (self.pick(&CHANNELS), self.pick(&[1, 3]));
        let out = Shape::map(filters, height, width);
        if !Model::fits(out) || out.elements() * channels * kernel * kernel > MAX_MACS {
            return None;
        }
        self.uses_unit = true;
        let keys = [("c", filters.to_string()), ("k", pair((kernel, kernel)))];
        Some(self.layer("unit", &[x], &keys, out))
    }

    /// Two convolutions that share their weights, on a map and on what the first made of it.
    fn twins(&mut self, x: &Value) -> Option<Value> {
        let channels = x.shape.channels();
        let shared = [
            ("weights", format!("\"shared{channels}\"")),
            ("groups", channels.to_string()),
        ];
        let first = self.same_conv(x, channels, 3, &shared)?;
        let between = self.activation_layer(&first);
        let second = self.same_conv(&between, channels, 3, &shared)?;
        let mut keys = Vec::new();
        self.maybe_activation(&mut keys);
        Some(self.layer("add", &[&second, &first], &keys, x.shape))
    }

    /// Joins `x` with earlier values, element by element or in a concatenation.
    pub(super) fn combine(&mut self, x: &Value) -> Option<Value> {
        if self.rng.bool() {
            return self.elementwise(x);
        }
        let alike = |value: &&Value| match (value.shape, x.shape) {
            (
                Shape::Map { height, width, .. },
                Shape::Map {
                    height: h, width: w, ..
                },
            ) => (height, width) == (h, w),
            (Shape::Flat(_), Shape::Flat(_)) => true,
            _ => false,
        };
        let joinable: Vec<Value> = self.values.iter().filter(alike).cloned().collect();
        let mut operands = vec![x];
        for _ in 0..self.rng.usize(1..=2) {
            if !joinable.is_empty() {
                operands.push(&joinable[self.rng.usize(..joinable.len())]);
            }
        }
        let total = operands.iter().map(|value| value.shape.channels()).sum();
        let out = match x.shape {
            Shape::Map { height, width, .. } => Shape::map(total, height, width),
            Shape::Flat(_) => Shape::Flat(total),
        };
        Model::fits(out).then(|| self.layer("concat", &operands, &[], out))
    }

    /// The product of `x` and an earlier value, or of `x` and what it is with rows and columns exchanged.
    pub(super) fn matmul(&mut self, x: &Value) -> Option<Value> {
        let [channels, height, width] = x.map()?;
        let columns = |shape: Shape| match shape {
            Shape::Map {
                channels: c,
                height: h,
                width: w,
            } if h == width && (c == channels || c == 1 || channels == 1) => Some((c, w)),
            Shape::Map { .. } | Shape::Flat(_) => None,
        };
        let fitting: Vec<Value> = (self.values.iter())
            .filter(|value| columns(value.shape).is_some())
            .cloned()
            .collect();
        let other = if fitting.is_empty() || self.rng.bool() {
            let turned = Shape::map(channels, width, height);
            self.layer("transpose", &[x], &[("order", "[0, 2, 1]".to_owned())], turned)
        } else {
            fitting[self.rng.usize(..fitting.len())].clone()
        };
        let (c, w) = columns(other.shape)?;
        let out = Shape::map(channels.max(c), height, w);
        Model::fits(out).then(|| self.layer("matmul", &[x, &other], &[], out))
    }

    /// Joins `x` with earlier values element by element, where sizes are the same or 1.
    fn elementwise(&mut self, x: &Value) -> Option<Value> {
        let op = self.pick(&["add", "add", "mul", "sub", "div", "max", "min"]);
        let count = match op {
            "sub" | "div" => 1,
            _ => self.pick(&[1, 1, 1, 2]),
        };
        let mut operands = vec![x.clone()];
        let mut out = x.shape;
        for _ in 0..count {
            let fitting = |value: &&Value| value.shape.broadcast(out).is_some_and(Model::fits);
            let fitting: Vec<Value> = self.values.iter().filter(fitting).cloned().collect();
            let other = if fitting.is_empty() || self.one_in(4) {
                self.constant(x)
            } else {
                fitting[self.rng.usize(..fitting.len())].clone()
            };
            out = other.shape.broadcast(out)?;
            operands.push(other);
        }
        if op == "div" {
            // Well away from 0, or rounding errors become large.
            operands[1] = self.layer("sigmoid", &[&operands[1]], &[], operands[1].shape);
        } else {
            self.rng.shuffle(&mut operands);
        }
        let mut keys = Vec::new();
        self.maybe_activation(&mut keys);
        let operands: Vec<&Value> = operands.iter().collect();
        Some(self.layer(op, &operands, &keys, out))
    }
}
