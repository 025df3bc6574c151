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
pub const MODELS: &[Builtin] = &[
    Builtin {
        name: "lenet5",
        about: "LeNet-5 (LeCun et al., 1998), reads handwritten digits; with weights trained on MNIST",
        toml: include_str!("../examples/models/lenet5.toml"),
        weights: Some(include_bytes!("../assets/lenet5-mnist.safetensors")),
        sample: Some(Sample {
            png: include_bytes!("../assets/digit.png"),
            label: "7",
        }),
    },
    untrained(
        "alexnet",
        "AlexNet (Krizhevsky et al., 2012), with local response normalisation and two groups",
        include_str!("../examples/models/alexnet.toml"),
    ),
    untrained(
        "alexnet_torchvision",
        "AlexNet as torchvision has it (Krizhevsky, 2014)",
        include_str!("../examples/models/alexnet_torchvision.toml"),
    ),
    untrained(
        "vgg16",
        "VGG-16 (Simonyan & Zisserman, 2014)",
        include_str!("../examples/models/vgg16.toml"),
    ),
    untrained(
        "resnet18",
        "ResNet-18 (He et al., 2015)",
        include_str!("../examples/models/resnet18.toml"),
    ),
    untrained(
        "resnet34",
        "ResNet-34 (He et al., 2015)",
        include_str!("../examples/models/resnet34.toml"),
    ),
    untrained(
        "resnet50",
        "ResNet-50 (He et al., 2015)",
        include_str!("../examples/models/resnet50.toml"),
    ),
    untrained(
        "inception_naive",
        "one Inception module of the naive kind (Szegedy et al., 2014)",
        include_str!("../examples/models/inception_naive.toml"),
    ),
    untrained(
        "googlenet",
        "GoogLeNet (Szegedy et al., 2014)",
        include_str!("../examples/models/googlenet.toml"),
    ),
    untrained(
        "googlenet_torchvision",
        "GoogLeNet as torchvision has it, with batch norm",
        include_str!("../examples/models/googlenet_torchvision.toml"),
    ),
    untrained(
        "squeezenet1_1",
        "SqueezeNet 1.1 (Iandola et al., 2016)",
        include_str!("../examples/models/squeezenet1_1.toml"),
    ),
    untrained(
        "mobilenet_v2",
        "MobileNetV2 (Sandler et al., 2018)",
        include_str!("../examples/models/mobilenet_v2.toml"),
    ),
];

/// A model whose weights the user brings.
const fn untrained(name: &'static str, about: &'static str, toml: &'static str) -> Builtin {
    Builtin {
        name,
        about,
        toml,
        weights: None,
        sample: None,
    }
}

/// The model of that name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    MODELS.iter().find(|model| model.name == name)
}

/// What to say about a name that no built-in model bears.
pub(crate) fn unknown(name: &str) -> String {
    let names: Vec<_> = MODELS.iter().map(|model| format!("`{}`", model.name)).collect();
    let there = names.join(", ");
    match nearest(name, MODELS.iter().map(|model| model.name)) {
        Some(near) => format!("no built-in model is called `{name}`; did you mean `{near}`? (there are {there})"),
        None => format!("no built-in model is called `{name}` (there are {there})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;

    #[test]
    fn all_are_valid_and_bear_their_names() {
        for builtin in MODELS {
            let model = Model::builtin(builtin.name).unwrap();
            assert_eq!(model.name(), builtin.name);
            assert_eq!(model.warnings(false), "");
            assert!(model.parameters() > 0);
        }
    }

    #[test]
    fn all_model_files_are_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/models");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), MODELS.len());
    }
}
