//! Single layers with random parameters.

use cnn_ir::shape::Shape;

use super::{CHANNELS, MAX_MACS, Model, Value};

/// Padding of one axis, before and after.
type Margin = (usize, usize);

impl Model {
    /// Appends a random layer or block to `x`; `None` if what was drawn does not fit.
    pub(super) fn step(&mut self, x: &Value) -> Option<Value> {
        match x.shape {
            Shape::Map { .. } => match self.rng.u32(0..51) {
                0..=6 => self.conv(x),
                7..=9 => self.pool(x),
                10 => self.global_pool(x),
                11 => self.adaptive_pool(x),
                12 => Some(self.batch_norm(x)),
                13..=14 => Some(self.activation_layer(x)),
                15 => Some(self.softmax(x)),
                16 => Some(self.lrn(x)),
                17 => self.pad(x),
                18 => self.upsample(x),
                19 => Some(self.shuffle(x)),
                20 => Some(self.nothing(x)),
                21 => Some(self.reshape(x)),
                22 => Some(self.layer("flatten", &[x], &[], Shape::Flat(x.shape.elements()))),
                23..=25 => self.combine(x),
                26..=31 => self.places(x),
                32..=33 => self.conv_transpose(x),
                34 => self.matmul(x),
                35..=39 => self.sampled(x),
                40..=42 => self.integers(),
                _ => self.block(x),
            },
            Shape::Flat(_) => match self.rng.u32(0..15) {
                0..=3 => self.dense(x),
                4 => Some(self.batch_norm(x)),
                5 => Some(self.activation_layer(x)),
                6 => Some(self.softmax(x)),
                7 => Some(self.nothing(x)),
                8..=9 => Some(self.reshape(x)),
                10 => self.combine(x),
                11 => self.places(x),
                12..=13 => self.sampled(x),
                _ => Some(self.layer("flatten", &[x], &[], x.shape)),
            },
        }
    }

    /// An `activation` key's value.
    pub(super) fn activation(&mut self) -> String {
        let plain = [
            "relu",
            "relu6",
            "tanh",
            "sigmoid",
            "silu",
            "gelu",
            "hard_sigmoid",
            "hard_swish",
            "softplus",
            "leaky_relu",
            "elu",
        ];
        match self.rng.u32(0..14) {
            0 => "{ op = \"leaky_relu\", alpha = 0.2 }".to_owned(),
            1 => "{ op = \"elu\", alpha = 0.75 }".to_owned(),
            2 => "{ op = \"clip\", min = -0.5, max = 0.75 }".to_owned(),
            3..=6 => "\"relu\"".to_owned(),
            _ => format!("{:?}", self.pick(&plain)),
        }
    }

    /// Sometimes adds an `activation` key.
    pub(super) fn maybe_activation(&mut self, keys: &mut Vec<(&'static str, String)>) {
        if self.rng.bool() {
            let activation = self.activation();
            keys.push(("activation", activation));
        }
    }

    pub(super) fn conv(&mut self, x: &Value) -> Option<Value> {
        let [channels, height, width] = x.map()?;
        let divisors: Vec<usize> = (2..=channels).filter(|g| channels.is_multiple_of(*g)).collect();
        let groups = if divisors.is_empty() || !self.one_in(3) {
            1
        } else if self.rng.bool() {
            channels
        } else {
            self.pick(&divisors)
        };
        let filters = match groups {
            1 => self.pick(&CHANNELS),
            _ => groups * self.pick(&[1, 1, 2, 3]),
        };
        let (kh, kw) = (self.kernel(), self.kernel());
        let square = self.rng.bool();
        let kernel = (kh, if square { kh } else { kw });
        let stride = (self.pick(&[1, 1, 1, 2, 3]), self.pick(&[1, 1, 1, 2]));
        let dilation = (self.pick(&[1, 1, 1, 2]), self.pick(&[1, 1, 1, 2, 3]));
        let (padding, rows, columns) = self.padding(kernel);
        let rows = rows.unwrap_or_else(|| same(height, kernel.0, stride.0, dilation.0));
        let columns = columns.unwrap_or_else(|| same(width, kernel.1, stride.1, dilation.1));
        let out = Shape::map(
            filters,
            windows(height, kernel.0, stride.0, dilation.0, rows)?,
            windows(width, kernel.1, stride.1, dilation.1, columns)?,
        );
        let macs = out.elements() * (channels / groups) * kernel.0 * kernel.1;
        if !Model::fits(out) || macs > MAX_MACS {
            return None;
        }
        let mut keys = vec![("filters", filters.to_string()), ("kernel", pair(kernel))];
        let optional = [
            (stride != (1, 1), ("stride", pair(stride))),
            (padding != "\"valid\"", ("padding", padding)),
            (dilation != (1, 1), ("dilation", pair(dilation))),
            (groups != 1, ("groups", groups.to_string())),
            (self.one_in(3), ("bias", "false".to_owned())),
        ];
        keys.extend(optional.into_iter().filter(|(present, _)| *present).map(|(_, key)| key));
        if self.one_in(3) {
            self.maybe_activation(&mut keys);
        }
        Some(self.layer("conv", &[x], &keys, out))
    }

    fn conv_transpose(&mut self, x: &Value) -> Option<Value> {
        let [channels, height, width] = x.map()?;
        let divisors: Vec<usize> = (1..=channels).filter(|g| channels.is_multiple_of(*g)).collect();
        let groups = if self.rng.bool() { 1 } else { self.pick(&divisors) };
        let filters = match groups {
            1 => self.pick(&CHANNELS),
            _ => groups * self.pick(&[1, 1, 2, 3]),
        };
        let mut axis = |n: usize| {
            let (kernel, stride) = (self.kernel(), self.pick(&[1, 2, 2, 3, 4]));
            let dilation = self.pick(&[1, 1, 1, 2, 3]);
            let extent = dilation * (kernel - 1) + 1;
            let cut: Margin = (self.rng.usize(..extent), self.rng.usize(..extent));
            let more = self.rng.usize(..stride.max(dilation));
            let size = ((n - 1) * stride + extent + more).checked_sub(cut.0 + cut.1);
            (kernel, stride, dilation, cut, more, size.unwrap_or(0))
        };
        let (kh, sh, dh, (top, bottom), mh, rows) = axis(height);
        let (kw, sw, dw, (left, right), mw, columns) = axis(width);
        let out = Shape::map(filters, rows, columns);
        let macs = x.shape.elements() * filters / groups * kh * kw;
        if rows == 0 || columns == 0 || !Model::fits(out) || macs > MAX_MACS {
            return None;
        }
        let mut keys = vec![
            ("filters", filters.to_string()),
            ("kernel", pair((kh, kw))),
            ("stride", pair((sh, sw))),
            ("dilation", pair((dh, dw))),
            ("padding", format!("[{top}, {left}, {bottom}, {right}]")),
            ("output_padding", pair((mh, mw))),
            ("groups", groups.to_string()),
        ];
        if self.one_in(3) {
            keys.push(("bias", "false".to_owned()));
        }
        self.maybe_activation(&mut keys);
        Some(self.layer("conv_transpose", &[x], &keys, out))
    }

    fn kernel(&mut self) -> usize {
        self.pick(&[1, 1, 2, 3, 3, 3, 4, 5])
    }

    /// A `padding` key's value and what it means on each axis; `None` for `same`.
    fn padding(&mut self, window: (usize, usize)) -> (String, Option<Margin>, Option<Margin>) {
        let (h, w) = window;
        match self.rng.u32(0..5) {
            0 => ("\"valid\"".to_owned(), Some((0, 0)), Some((0, 0))),
            1 => ("\"same\"".to_owned(), None, None),
            2 => {
                let (h, w) = (h / 2, w / 2);
                (pair((h, w)), Some((h, h)), Some((w, w)))
            }
            _ => {
                let mut below = |n: usize| self.rng.usize(0..n);
                let (top, left, bottom, right) = (below(h), below(w), below(h), below(w));
                (
                    format!("[{top}, {left}, {bottom}, {right}]"),
                    Some((top, bottom)),
                    Some((left, right)),
                )
            }
        }
    }

    pub(super) fn pool(&mut self, x: &Value) -> Option<Value> {
        let [channels, height, width] = x.map()?;
        let op = self.pick(&["max_pool", "avg_pool", "min_pool"]);
        let size = (self.pick(&[1, 2, 2, 3, 3]), self.pick(&[1, 2, 2, 3, 3, 4]));
        let stride = match self.rng.u32(0..3) {
            0 => size,
            1 => (1, 1),
            _ => (self.pick(&[1, 2, 3]), self.pick(&[1, 2])),
        };
        let dilation = if self.one_in(4) {
            (2, self.pick(&[1, 2]))
        } else {
            (1, 1)
        };
        let ceil = self.one_in(3);
        let (padding, rows, columns) = self.padding(size);
        // Rounding up is already part of `same`.
        let ceil = ceil && rows.is_some();
        let rows = rows.unwrap_or_else(|| same(height, size.0, stride.0, dilation.0));
        let columns = columns.unwrap_or_else(|| same(width, size.1, stride.1, dilation.1));
        let axis = |n, size, stride, dilation, margin: Margin| {
            // PyTorch's limit.
            if margin.0 == margin.1 && 2 * margin.0 > dilation * (size - 1) + 1 {
                return None;
            }
            let mut count = windows(n, size, stride, dilation, margin)?;
            let rest = (n + margin.0 + margin.1 - (dilation * (size - 1) + 1)) % stride;
            if ceil && rest != 0 && count * stride < n + margin.0 {
                count += 1;
            }
            // A window with nothing but padding has no greatest element.
            let hits = |i: usize| (0..size).any(|k| (margin.0..margin.0 + n).contains(&(i * stride + k * dilation)));
            (0..count).all(hits).then_some(count)
        };
        let out = Shape::map(
            channels,
            axis(height, size.0, stride.0, dilation.0, rows)?,
            axis(width, size.1, stride.1, dilation.1, columns)?,
        );
        let optional = [
            (stride != size, ("stride", pair(stride))),
            (padding != "\"valid\"", ("padding", padding)),
            (dilation != (1, 1), ("dilation", pair(dilation))),
            (ceil, ("ceil", "true".to_owned())),
            (
                op == "avg_pool" && self.rng.bool(),
                ("count_include_pad", "true".to_owned()),
            ),
        ];
        let mut keys = vec![("size", pair(size))];
        keys.extend(optional.into_iter().filter(|(present, _)| *present).map(|(_, key)| key));
        Model::fits(out).then(|| self.layer(op, &[x], &keys, out))
    }

    pub(super) fn global_pool(&mut self, x: &Value) -> Option<Value> {
        let op = self.pick(&["global_avg_pool", "global_avg_pool", "global_max_pool"]);
        Some(self.layer(op, &[x], &[], Shape::map(x.shape.channels(), 1, 1)))
    }

    fn adaptive_pool(&mut self, x: &Value) -> Option<Value> {
        let size = (self.rng.usize(1..=7), self.rng.usize(1..=7));
        let out = Shape::map(x.shape.channels(), size.0, size.1);
        Model::fits(out).then(|| self.layer("adaptive_avg_pool", &[x], &[("size", pair(size))], out))
    }

    pub(super) fn batch_norm(&mut self, x: &Value) -> Value {
        let mut keys = Vec::new();
        if self.one_in(3) {
            keys.push(("epsilon", self.pick(&["1e-3", "0.1"]).to_owned()));
        }
        if self.one_in(3) {
            self.maybe_activation(&mut keys);
        }
        self.layer("batch_norm", &[x], &keys, x.shape)
    }

    /// An activation as a layer of its own, or PReLU.
    pub(super) fn activation_layer(&mut self, x: &Value) -> Value {
        if self.one_in(6) {
            return self.layer("prelu", &[x], &[], x.shape);
        }
        let activation = self.activation();
        let Some(table) = activation.strip_prefix("{ op = \"") else {
            let op = activation.trim_matches('"').to_owned();
            return self.layer(&op, &[x], &[], x.shape);
        };
        let (op, keys) = table.split_once("\", ").expect("a table has keys");
        let keys: Vec<_> = keys
            .trim_end_matches(" }")
            .split(", ")
            .filter_map(|key| key.split_once(" = "))
            .map(|(key, value)| (key, value.to_owned()))
            .collect();
        self.layer(op, &[x], &keys, x.shape)
    }

    fn softmax(&mut self, x: &Value) -> Value {
        let op = self.pick(&["softmax", "log_softmax"]);
        let axis = self.rng.usize(..x.shape.dims().len());
        let keys = [("axis", axis.to_string())];
        self.layer(op, &[x], &keys[..axis.min(1)], x.shape)
    }

    fn lrn(&mut self, x: &Value) -> Value {
        let size = self.pick(&[1, 2, 3, 4, 5]).to_string();
        let alpha = self.pick(&["1e-4", "0.5"]).to_owned();
        let keys = [("size", size), ("alpha", alpha), ("beta", "0.6".to_owned())];
        self.layer("lrn", &[x], &keys, x.shape)
    }

    /// A layer without effect.
    pub(super) fn nothing(&mut self, x: &Value) -> Value {
        if self.rng.bool() {
            self.layer("identity", &[x], &[], x.shape)
        } else {
            self.layer("dropout", &[x], &[("rate", "0.5".to_owned())], x.shape)
        }
    }

    pub(super) fn dense(&mut self, x: &Value) -> Option<Value> {
        // Not 1: where the only sum is nearly 0, its rounding errors are large beside the largest element.
        let units = self.pick(&[2, 3, 7, 8, 10, 16, 19, 33, 70]);
        if units * x.shape.elements() > MAX_MACS {
            return None;
        }
        let mut keys = vec![("units", units.to_string())];
        if self.one_in(4) {
            keys.push(("bias", "false".to_owned()));
        }
        self.maybe_activation(&mut keys);
        Some(self.layer("dense", &[x], &keys, Shape::Flat(units)))
    }
}

/// Height and width as the file writes them: one number if they are equal.
pub(super) fn pair((h, w): (usize, usize)) -> String {
    if h == w { h.to_string() } else { format!("[{h}, {w}]") }
}

/// TensorFlow's padding before and after.
fn same(n: usize, window: usize, stride: usize, dilation: usize) -> Margin {
    let total = ((n.div_ceil(stride) - 1) * stride + dilation * (window - 1) + 1).saturating_sub(n);
    (total / 2, total - total / 2)
}

/// How many windows fit; `None` if not even one does.
fn windows(n: usize, window: usize, stride: usize, dilation: usize, margin: Margin) -> Option<usize> {
    let free = (n + margin.0 + margin.1).checked_sub(dilation * (window - 1) + 1)?;
    Some(free / stride + 1)
}
