//! Random valid networks as model files: small, of every operator, and the same for the same seed everywhere.
//!
//! Built to meet what compilers get wrong: odd sizes, channel counts beside a multiple of the vector width, windows
//! that leave a rest, asymmetric padding, values used several times, branches that join, outputs in the middle,
//! shared weights, layers nobody needs, and chains that a pass can fuse or must not.

mod blocks;
mod integers;
mod layers;
mod places;
mod sampled;

use std::fmt::Write as _;

use cnn_ir::shape::Shape;
use cnn_ir::value::{ElementType, ValueType};
use fastrand::Rng;

pub use sampled::UNSTEADY;

/// Elements a value may have, so that thousands of networks run quickly.
const MAX_ELEMENTS: usize = 4000;
/// Multiply-accumulates a layer may need.
const MAX_MACS: usize = 150_000;
/// Channels: around the vector widths 4, 8 and 16.
const CHANNELS: [usize; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 24, 33];

/// A value of the network that is being written.
#[derive(Clone, Debug)]
struct Value {
    name: String,
    shape: Shape,
    element: ElementType,
}

impl Value {
    fn value_type(&self) -> ValueType {
        ValueType {
            element: self.element,
            shape: self.shape,
        }
    }

    /// Channels, height and width; `None` for a vector.
    fn map(&self) -> Option<[usize; 3]> {
        match self.shape {
            Shape::Map {
                channels,
                height,
                width,
            } => Some([channels, height, width]),
            Shape::Flat(_) => None,
        }
    }
}

/// A model file under construction.
struct Model {
    rng: Rng,
    /// All layers so far, as TOML.
    layers: String,
    /// All real values so far that later layers may use, the inputs first.
    values: Vec<Value>,
    /// All values so far that hold 8-bit integers.
    integers: Vec<Value>,
    /// How many inputs there are.
    input_count: usize,
    outputs: Vec<String>,
    /// Whether an instance of the block `unit` was written.
    uses_unit: bool,
    count: usize,
}

/// The model file that belongs to `seed`.
pub fn model(seed: u64) -> String {
    let mut model = Model {
        rng: Rng::with_seed(seed),
        layers: String::new(),
        values: Vec::new(),
        integers: Vec::new(),
        input_count: 0,
        outputs: Vec::new(),
        uses_unit: false,
        count: 0,
    };
    let inputs = model.inputs();
    let mut trunk = model.values[0].clone();
    for _ in 0..model.rng.usize(1..=8) {
        if let Some(next) = model.step(&trunk) {
            model.values.push(next.clone());
            trunk = next;
        }
        match model.rng.u32(0..24) {
            0 => model.output(&trunk),
            // Begin another branch somewhere earlier; what hangs on the old one may be dead.
            1 => {
                let place = model.rng.usize(..model.values.len());
                trunk = model.values[place].clone();
            }
            _ => {}
        }
    }
    if model.values.len() == model.input_count {
        let next = model.activation_layer(&trunk);
        model.values.push(next);
    }
    // An input itself would be no output that anything computes.
    let last = model.values[model.values.len() - 1].clone();
    model.output(&last);
    let mut text = format!(
        "name = \"random_{seed}\"\noutputs = {:?}\n\n[inputs]\n{inputs}",
        model.outputs
    );
    if model.uses_unit {
        text.push_str(blocks::UNIT);
    }
    text + &model.layers
}

impl Model {
    /// Declares one to three inputs.
    fn inputs(&mut self) -> String {
        let mut text = String::new();
        for i in 0..self.pick(&[1, 1, 1, 2, 3]) {
            let name = ["image", "second", "third"][i];
            let shape = if self.rng.u32(0..10) == 0 {
                Shape::Flat(self.rng.usize(1..60))
            } else {
                Shape::map(
                    self.pick(&CHANNELS).min(17),
                    self.rng.usize(1..=14),
                    self.rng.usize(1..=14),
                )
            };
            // Inputs of one shape, or of one size where they differ, can be added.
            let shape = match self.values.first().map(|first| first.shape) {
                Some(first) if self.rng.bool() => self.thinned(first),
                _ => shape,
            };
            match shape {
                Shape::Map {
                    channels,
                    height,
                    width,
                } if self.rng.u32(0..4) == 0 => {
                    let _ = writeln!(
                        text,
                        "{name} = {{ shape = [{height}, {width}, {channels}], layout = \"hwc\" }}"
                    );
                }
                _ => {
                    let _ = writeln!(text, "{name} = {:?}", shape.dims());
                }
            }
            self.values.push(Value {
                name: name.to_owned(),
                shape,
                element: ElementType::F32,
            });
        }
        self.input_count = self.values.len();
        text
    }

    /// A shape with some sizes made 1, or none.
    fn thinned(&mut self, shape: Shape) -> Shape {
        let size = |n: usize| if self.rng.u32(0..3) == 0 { 1 } else { n };
        let dims: Vec<usize> = shape.dims().into_iter().map(size).collect();
        Shape::from_dims(&dims).unwrap_or(shape)
    }

    fn output(&mut self, value: &Value) {
        if !self.outputs.contains(&value.name) && self.values[..].iter().any(|known| known.name == value.name) {
            let is_input = ["image", "second", "third"].contains(&&*value.name);
            if !is_input {
                self.outputs.push(value.name.clone());
            }
        }
    }

    /// Writes a layer and returns its value, which holds real numbers.
    fn layer(&mut self, op: &str, from: &[&Value], keys: &[(&str, String)], shape: Shape) -> Value {
        let name = format!("l{}_{op}", self.count);
        self.count += 1;
        let _ = writeln!(self.layers, "\n[[layer]]\nname = \"{name}\"\nop = \"{op}\"");
        match from {
            [] => {}
            [one] => {
                let _ = writeln!(self.layers, "from = \"{}\"", one.name);
            }
            many => {
                let names: Vec<_> = many.iter().map(|value| &value.name).collect();
                let _ = writeln!(self.layers, "from = {names:?}");
            }
        }
        for (key, value) in keys {
            let _ = writeln!(self.layers, "{key} = {value}");
        }
        Value {
            name,
            shape,
            element: ElementType::F32,
        }
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.usize(..choices.len())]
    }

    /// True once in `n` times.
    fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(0..n) == 0
    }

    /// Whether a value of this shape is small enough.
    fn fits(shape: Shape) -> bool {
        shape.elements() <= MAX_ELEMENTS
    }
}
