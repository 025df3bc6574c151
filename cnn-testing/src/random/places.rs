//! Single layers that move elements, with random parameters.

use cnn_ir::shape::Shape;

use super::layers::pair;
use super::{Model, Value};

impl Model {
    /// Takes elements of `x` by their places, or averages them along axes.
    pub(super) fn places(&mut self, x: &Value) -> Option<Value> {
        let Shape::Map {
            channels,
            height,
            width,
        } = x.shape
        else {
            return Some(if self.rng.bool() { self.slice(x) } else { self.mean(x) });
        };
        match self.rng.u32(0..9) {
            0..=2 => Some(self.slice(x)),
            3 => Some(self.transpose(x)),
            4 => Some(self.mean(x)),
            5 => self.resize(x),
            6 => self.expand(x),
            7 => {
                let block = self.pick(&[1, 2, 2, 3]);
                let pixels = block * block;
                let out = Shape::map(channels / pixels, height * block, width * block);
                let mode = self.pick(&["\"crd\"", "\"dcr\""]).to_owned();
                let keys = [("block", block.to_string()), ("mode", mode)];
                let whole = channels.is_multiple_of(pixels);
                whole.then(|| self.layer("depth_to_space", &[x], &keys, out))
            }
            _ => {
                let fits = |block: &usize| height.is_multiple_of(*block) && width.is_multiple_of(*block);
                let blocks: Vec<usize> = (1..=4).filter(fits).collect();
                let block = self.pick(&blocks);
                let out = Shape::map(channels * block * block, height / block, width / block);
                Some(self.layer("space_to_depth", &[x], &[("block", block.to_string())], out))
            }
        }
    }

    /// Some of the places of one axis, forwards or backwards.
    fn slice(&mut self, x: &Value) -> Value {
        let dims = x.shape.dims();
        let axis = if self.rng.bool() {
            0
        } else {
            self.rng.usize(..dims.len())
        };
        let n = dims[axis];
        // Halves and whole blocks are what real networks have.
        let (start, end) = match self.rng.u32(0..4) {
            0 => (0, n.div_ceil(2)),
            1 => (n / 2, n),
            2 => (n / 16 * 8, n),
            _ => {
                let start = self.rng.usize(..n);
                (start, self.rng.usize(start + 1..=n))
            }
        };
        let step = self.pick(&[1, 1, 1, 2, 3]);
        let mut keys = vec![("axis", axis.to_string())];
        if self.one_in(4) {
            // From the last place on.
            keys.push(("start", (end as i64 - 1 - n as i64).to_string()));
            if start > 0 {
                keys.push(("end", (start - 1).to_string()));
            }
            keys.push(("step", format!("-{step}")));
        } else {
            keys.push(("start", start.to_string()));
            keys.push(("end", end.to_string()));
            keys.push(("step", step.to_string()));
        }
        let out = x.shape.with_size(axis, (end - start).div_ceil(step)).expect("an axis");
        self.layer("slice", &[x], &keys, out)
    }

    fn transpose(&mut self, x: &Value) -> Value {
        let mut order = [0, 1, 2];
        self.rng.shuffle(&mut order);
        let dims = x.shape.dims();
        let [c, h, w] = order.map(|axis| dims[axis]);
        self.layer(
            "transpose",
            &[x],
            &[("order", format!("{order:?}"))],
            Shape::map(c, h, w),
        )
    }

    fn mean(&mut self, x: &Value) -> Value {
        let axes: Vec<usize> = (0..x.shape.dims().len()).filter(|_| self.rng.bool()).collect();
        let all = 0..x.shape.dims().len();
        let keys = [("axes", format!("{axes:?}"))];
        let reduced: Vec<usize> = if axes.is_empty() { all.collect() } else { axes.clone() };
        let thin = |shape: Shape, &axis: &usize| shape.with_size(axis, 1).unwrap_or(shape);
        let out = reduced.iter().fold(x.shape, thin);
        self.layer("reduce_mean", &[x], &keys[usize::from(axes.is_empty())..], out)
    }

    /// Axes of size 1 become longer.
    fn expand(&mut self, x: &Value) -> Option<Value> {
        let size = |n: usize| if n == 1 { self.rng.usize(1..5) } else { n };
        let dims: Vec<usize> = x.shape.dims().into_iter().map(size).collect();
        let out = Shape::from_dims(&dims)?;
        Model::fits(out).then(|| self.layer("expand", &[x], &[("shape", format!("{dims:?}"))], out))
    }

    fn resize(&mut self, x: &Value) -> Option<Value> {
        let size = (self.rng.usize(1..20), self.rng.usize(1..20));
        let out = Shape::map(x.shape.channels(), size.0, size.1);
        let coordinates = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"];
        let rounding = ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"];
        let mut keys = vec![("size", pair(size))];
        keys.push(("coordinates", format!("{:?}", self.pick(&coordinates))));
        if self.rng.bool() {
            keys.push(("mode", "\"bilinear\"".to_owned()));
        } else {
            keys.push(("rounding", format!("{:?}", self.pick(&rounding))));
        }
        Model::fits(out).then(|| self.layer("resize", &[x], &keys, out))
    }

    /// A value that comes with the weights and can be joined with `x` element by element.
    pub(super) fn constant(&mut self, x: &Value) -> Value {
        let shape = self.thinned(x.shape);
        self.layer("constant", &[], &[("shape", format!("{:?}", shape.dims()))], shape)
    }

    pub(super) fn pad(&mut self, x: &Value) -> Option<Value> {
        let [channels, height, width] = x.map()?;
        let [top, left, bottom, right] = std::array::from_fn(|_| self.rng.usize(0..3));
        let out = Shape::map(channels, top + height + bottom, left + width + right);
        let mut keys = vec![("padding", format!("[{top}, {left}, {bottom}, {right}]"))];
        if self.one_in(4) {
            keys.push(("value", "0.25".to_owned()));
        }
        Model::fits(out).then(|| self.layer("pad", &[x], &keys, out))
    }

    pub(super) fn upsample(&mut self, x: &Value) -> Option<Value> {
        let [channels, height, width] = x.map()?;
        let scale = (self.pick(&[1, 2, 2, 3]), self.pick(&[1, 2, 2, 3]));
        let mode = self.pick(&["\"nearest\"", "\"bilinear\""]).to_owned();
        let out = Shape::map(channels, height * scale.0, width * scale.1);
        let keys = [("scale", pair(scale)), ("mode", mode)];
        Model::fits(out).then(|| self.layer("upsample", &[x], &keys, out))
    }

    pub(super) fn shuffle(&mut self, x: &Value) -> Value {
        let channels = x.shape.channels();
        let divisors: Vec<usize> = (1..=channels).filter(|g| channels.is_multiple_of(*g)).collect();
        let groups = self.pick(&divisors).to_string();
        self.layer("channel_shuffle", &[x], &[("groups", groups)], x.shape)
    }

    pub(super) fn reshape(&mut self, x: &Value) -> Value {
        let elements = x.shape.elements();
        let rows: Vec<usize> = (1..=16).filter(|n| elements.is_multiple_of(*n)).collect();
        let height = self.pick(&rows);
        let columns: Vec<usize> = (1..=16).filter(|n| (elements / height).is_multiple_of(*n)).collect();
        let width = self.pick(&columns);
        let out = if self.one_in(4) {
            Shape::Flat(elements)
        } else {
            Shape::map(elements / height / width, height, width)
        };
        self.layer("reshape", &[x], &[("shape", format!("{:?}", out.dims()))], out)
    }
}
