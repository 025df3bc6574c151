//! Models that come with the program.

use cnn_ir::diag::nearest;

/// A model that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Its model file.
    pub toml: &'static str,
    /// Trained weights as safetensors bytes.
    pub weights: Option<&'static [u8]>,
    /// Something to try it on.
    pub sample: Option<Sample>,
}

/// An image to try a model on.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// A PNG file of the input's very size.
    pub png: &'static [u8],
    /// What it shows.
    pub label: &'static str,
}

/// All of them.
pub const MODELS: &[Builtin] = &[Builtin {
    name: "lenet5",
    about: "LeNet-5 (LeCun et al., 1998), reads handwritten digits; trained on MNIST",
    toml: include_str!("../examples/models/lenet5.toml"),
    weights: Some(include_bytes!("../assets/lenet5-mnist.safetensors")),
    sample: Some(Sample {
        png: include_bytes!("../assets/digit.png"),
        label: "7",
    }),
}];

/// The model of that name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    MODELS.iter().find(|model| model.name == name)
}

/// What to say about a name that no built-in model bears.
pub(crate) fn unknown(name: &str) -> String {
    let names: Vec<_> = MODELS.iter().map(|model| format!("`{}`", model.name)).collect();
    let there = names.join(", ");
    match nearest(name, MODELS.iter().map(|model| model.name)) {
        Some(near) => format!("no built-in model is called `{name}`; did you mean `{near}`? (there is {there})"),
        None => format!("no built-in model is called `{name}` (there is {there})"),
    }
}
