//! The small networks of the course, small enough to be followed by hand, and the tables of the famous ones.

use cnn_ir::front::graph_from_toml;
use cnn_ir::graph::Graph;
use cnn_ir::validate::{Shapes, validate};
use cnn_runtime::weights::{MapSource, WeightSource};
use serde::Serialize;

use crate::data::{Data, Outline};
use crate::store::Explained;
use crate::{ExplainError, Origin, Subject, explain, layers};

/// What the course needs beside the reader's own network.
#[derive(Debug, Serialize)]
pub struct Course {
    /// Small networks with all their numbers.
    pub lessons: Vec<Lesson>,
    /// Famous networks as tables.
    pub outlines: Vec<Outline>,
}

/// A small network.
#[derive(Debug, Serialize)]
pub struct Lesson {
    /// What the course calls it.
    pub key: &'static str,
    /// It, explained.
    pub data: Data,
    /// Where its numbers begin among those of the page.
    pub at: usize,
}

/// A small network: its text, its tensors, one image.
struct Small {
    key: &'static str,
    toml: &'static str,
    tensors: &'static [(&'static str, &'static [usize], &'static [f32])],
    image: &'static [f32],
}

/// The slides' image.
const CROSS: [f32; 25] = [
    1., 1., 1., 0., 0., 0., 1., 1., 1., 0., 0., 0., 1., 1., 1., 0., 0., 1., 1., 0., 0., 1., 1., 0., 0.,
];
/// The slides' filter.
const DIAGONALS: [f32; 9] = [1., 0., 1., 0., 1., 0., 1., 0., 1.];

/// Red to the left, green at the bottom, a blue cross: 6 × 6 in three channels.
const COLOURS: [f32; 108] = [
    9., 8., 7., 1., 0., 0., 9., 8., 7., 1., 0., 0., 9., 8., 7., 1., 0., 0., 9., 8., 7., 1., 0., 0., 9., 8., 7., 1., 0.,
    0., 9., 8., 7., 1., 0., 0., //
    0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 1., 1., 1., 1., 1., 1., 5., 5., 5., 5., 5., 5., 8., 8., 8., 8., 8.,
    8., 9., 9., 9., 9., 9., 9., //
    0., 0., 4., 4., 0., 0., 0., 0., 4., 4., 0., 0., 4., 4., 4., 4., 4., 4., 4., 4., 4., 4., 4., 4., 0., 0., 4., 4., 0.,
    0., 0., 0., 4., 4., 0., 0.,
];
/// Vertical edges in red, horizontal ones in green, the middle of blue; and the other way round.
const EDGES: [f32; 54] = [
    1., 0., -1., 1., 0., -1., 1., 0., -1., 1., 1., 1., 0., 0., 0., -1., -1., -1., 0., 0., 0., 0., 1., 0., 0., 0.,
    0., //
    1., 1., 1., 0., 0., 0., -1., -1., -1., 1., 0., -1., 1., 0., -1., 1., 0., -1., 0., 1., 0., 1., -4., 1., 0., 1., 0.,
];
const RAMP: [f32; 16] = [1., 3., 2., 0., 4., 6., 5., 1., 0., 2., 8., 7., 1., 1., 3., 9.];

const SMALL: [Small; 10] = [
    Small {
        key: "convolution",
        toml: "name = \"convolution\"\ninputs.image = [1, 5, 5]\n\n[[layer]]\nname = \"filter\"\nop = \"conv\"\nfilters = 1\nkernel = 3\nbias = false\n",
        tensors: &[("filter.weight", &[1, 1, 3, 3], &DIAGONALS)],
        image: &CROSS,
    },
    Small {
        key: "count",
        toml: "name = \"count\"\ninputs.image = [1, 4, 4]\n\n[[layer]]\nname = \"filter\"\nop = \"conv\"\nfilters = 1\nkernel = 3\nbias = false\n",
        tensors: &[("filter.weight", &[1, 1, 3, 3], &DIAGONALS)],
        image: &RAMP,
    },
    Small {
        key: "channels",
        toml: "name = \"channels\"\ninputs.image = [3, 6, 6]\n\n[[layer]]\nname = \"filter\"\nop = \"conv\"\nfilters = 1\nkernel = 3\nbias = false\n",
        tensors: &[("filter.weight", &[1, 3, 3, 3], EDGES.split_at(27).0)],
        image: &COLOURS,
    },
    Small {
        key: "filters",
        toml: "name = \"filters\"\ninputs.image = [3, 6, 6]\n\n[[layer]]\nname = \"filter\"\nop = \"conv\"\nfilters = 2\nkernel = 3\nbias = false\n",
        tensors: &[("filter.weight", &[2, 3, 3, 3], &EDGES)],
        image: &COLOURS,
    },
    Small {
        key: "stride",
        toml: "name = \"stride\"\ninputs.image = [1, 5, 5]\n\n[[layer]]\nname = \"filter\"\nop = \"conv\"\nfilters = 1\nkernel = 3\nstride = 2\nbias = false\n",
        tensors: &[("filter.weight", &[1, 1, 3, 3], &DIAGONALS)],
        image: &CROSS,
    },
    Small {
        key: "padding",
        toml: "name = \"padding\"\ninputs.image = [1, 5, 5]\n\n[[layer]]\nname = \"filter\"\nop = \"conv\"\nfilters = 1\nkernel = 3\npadding = \"same\"\nbias = false\n",
        tensors: &[("filter.weight", &[1, 1, 3, 3], &DIAGONALS)],
        image: &CROSS,
    },
    Small {
        key: "one",
        toml: "name = \"one\"\ninputs.image = [3, 6, 6]\n\n[[layer]]\nname = \"mix\"\nop = \"conv\"\nfilters = 2\nkernel = 1\nbias = false\n",
        tensors: &[("mix.weight", &[2, 3, 1, 1], &[0.25, 0.5, 0.25, 1., 0., -1.])],
        image: &COLOURS,
    },
    Small {
        key: "activation",
        toml: "name = \"activation\"\ninputs.image = [1, 5, 5]\n\n[[layer]]\nname = \"filter\"\nop = \"conv\"\nfilters = 1\nkernel = 3\nactivation = \"relu\"\n",
        tensors: &[
            ("filter.weight", &[1, 1, 3, 3], &DIAGONALS),
            ("filter.bias", &[1], &[-3.]),
        ],
        image: &CROSS,
    },
    Small {
        key: "pooling",
        toml: "name = \"pooling\"\noutputs = [\"max\", \"avg\"]\ninputs.image = [1, 4, 4]\n\n[[layer]]\nname = \"max\"\nop = \"max_pool\"\nsize = 2\n\n[[layer]]\nname = \"avg\"\nop = \"avg_pool\"\nsize = 2\nfrom = \"image\"\n",
        tensors: &[],
        image: &RAMP,
    },
    Small {
        key: "residual",
        toml: "name = \"residual\"\ninputs.image = [1, 5, 5]\n\n[[layer]]\nname = \"filter\"\nop = \"conv\"\nfilters = 1\nkernel = 3\npadding = \"same\"\nbias = false\n\n[[layer]]\nname = \"sum\"\nop = \"add\"\nfrom = [\"filter\", \"image\"]\nactivation = \"relu\"\n",
        tensors: &[(
            "filter.weight",
            &[1, 1, 3, 3],
            &[0., -1., 0., -1., 4., -1., 0., -1., 0.],
        )],
        image: &CROSS,
    },
];

/// The module `inception_naive` with 1×1 convolutions that reduce what the larger filters see.
const REDUCED: &str = r#"name = "inception_reduced"
inputs.image = [192, 28, 28]
layer = [
    { name = "b1", op = "conv", filters = 64, kernel = 1, activation = "relu" },
    { name = "b3_reduce", op = "conv", from = "image", filters = 96, kernel = 1, activation = "relu" },
    { name = "b3", op = "conv", filters = 128, kernel = 3, padding = "same", activation = "relu" },
    { name = "b5_reduce", op = "conv", from = "image", filters = 16, kernel = 1, activation = "relu" },
    { name = "b5", op = "conv", filters = 32, kernel = 5, padding = "same", activation = "relu" },
    { name = "pool", op = "max_pool", from = "image", size = 3, stride = 1, padding = "same" },
    { name = "bp", op = "conv", filters = 32, kernel = 1, activation = "relu" },
    { name = "out", op = "concat", from = ["b1", "b3", "b5", "bp"] },
]
"#;

fn read(text: &str) -> Result<(Graph, Shapes), ExplainError> {
    let internal = |faults| ExplainError::Internal(format!("a network of the course is wrong: {faults:?}"));
    let (graph, _) = graph_from_toml(text).map_err(internal)?;
    let shapes = validate(&graph).map_err(internal)?;
    Ok((graph, shapes))
}

fn outline(graph: &Graph, shapes: &Shapes) -> Outline {
    let order = graph.order().unwrap_or_default();
    layers::outline(graph, shapes, &order)
}

/// The course, with the tables of the networks given; the numbers of its lessons are put after `numbers`.
pub(crate) fn course(famous: &[(&Graph, &Shapes)], numbers: &mut Vec<u8>) -> Result<Course, ExplainError> {
    let mut lessons = Vec::with_capacity(SMALL.len());
    for small in &SMALL {
        let Explained { data, numbers: own } = explained(small)?;
        numbers.resize(numbers.len().next_multiple_of(4), 0);
        lessons.push(Lesson {
            key: small.key,
            data,
            at: numbers.len(),
        });
        numbers.extend(own);
    }
    let (graph, shapes) = read(REDUCED)?;
    let famous = famous.iter().map(|(graph, shapes)| outline(graph, shapes));
    Ok(Course {
        lessons,
        outlines: famous.chain([outline(&graph, &shapes)]).collect(),
    })
}

fn explained(small: &Small) -> Result<Explained, ExplainError> {
    let (graph, shapes) = read(small.toml)?;
    let mut weights = MapSource::new();
    for (name, shape, elements) in small.tensors {
        weights.insert(*name, shape, elements.to_vec())?;
    }
    let none = Origin {
        kind: "none",
        text: String::new(),
    };
    let subject = Subject {
        graph: &graph,
        shapes: &shapes,
        text: small.toml,
        text_name: format!("{}.toml", small.key),
        about: String::new(),
        labels: Vec::new(),
        inputs: vec![small.image],
        input_origin: none.clone(),
        weight_origin: none,
        compiled: None,
        beside: None,
        famous: None,
        max_memory: None,
    };
    explain(&subject, &weights as &dyn WeightSource)
}
