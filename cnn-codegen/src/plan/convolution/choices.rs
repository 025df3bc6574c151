//! Which convolutions of a graph have a choice of algorithms, for whoever measures them.

use std::collections::HashMap;

use cnn_ir::graph::Graph;
use cnn_ir::op::{Conv, Op};
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;

use super::select;
use crate::plan::data::Algorithm;
use crate::plan::measured::Signature;
use crate::plan::options::PlanOptions;

/// A convolution that several algorithms can compute.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What it is known by.
    pub signature: Signature,
    /// One of the graph's layers of this signature.
    pub conv: Conv,
    /// That layer's name.
    pub layer: String,
    /// One image of its input.
    pub input: Shape,
    /// One image of its output, and of its residual.
    pub output: Shape,
    /// The algorithms that `options` allow, at least two.
    pub algorithms: Vec<Algorithm>,
    /// What all layers of this signature are predicted to take together, in nanoseconds.
    pub predicted: f64,
}

/// The choices that a graph leaves for `options`, each signature once, the costliest first.
pub fn choices(graph: &Graph, shapes: &Shapes, options: &PlanOptions) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    let mut places: HashMap<Signature, usize> = HashMap::new();
    let streams = select::streams(graph, shapes, options.caches);
    for id in graph.ids() {
        let Op::Conv(conv) = &graph[id].op else { continue };
        let (input, output) = (shapes[graph.operands(id)[0]], shapes[id]);
        let candidates = select::allowed(conv, input, output, streams, options);
        if candidates.len() < 2 {
            continue;
        }
        let fastest = candidates.iter().map(|one| one.predicted).fold(f64::INFINITY, f64::min);
        let signature = options.signature(conv, input, output);
        let place = *places.entry(signature.clone()).or_insert(choices.len());
        if let Some(known) = choices.get_mut(place) {
            known.predicted += fastest;
            continue;
        }
        choices.push(Choice {
            signature,
            conv: conv.clone(),
            layer: graph[id].name.clone(),
            input,
            output,
            algorithms: candidates.into_iter().map(|one| one.algorithm).collect(),
            predicted: fastest,
        });
    }
    choices.sort_by(|a, b| b.predicted.total_cmp(&a.predicted));
    choices
}

#[cfg(test)]
mod tests {
    use cnn_ir::front::graph_from_toml;
    use cnn_ir::validate::validate;

    use super::*;
    use crate::plan::{Accuracy, TileIsa};

    const LAYERS: &str = r#"
        [inputs]
        image = [16, 20, 20]
        [[layer]]
        name = "a"
        op = "conv"
        filters = 16
        kernel = 3
        padding = 1
        [[layer]]
        name = "b"
        op = "conv"
        filters = 16
        kernel = 3
        padding = 1
        [[layer]]
        name = "pointwise"
        op = "conv"
        filters = 16
        kernel = 1
        [[layer]]
        name = "c"
        op = "conv"
        filters = 64
        kernel = 5
        padding = "same"
        activation = "relu"
    "#;

    #[test]
    fn each_signature_once_and_the_costliest_first() {
        let (graph, _) = graph_from_toml(LAYERS).unwrap();
        let shapes = validate(&graph).unwrap();
        let options = PlanOptions {
            isa: TileIsa::Avx2Fma,
            threads: 2,
            ..PlanOptions::default()
        };
        let found = choices(&graph, &shapes, &options);
        let names: Vec<_> = found.iter().map(|choice| choice.signature.to_string()).collect();
        assert_eq!(
            names,
            [
                "conv [16, 20, 20] → [64, 20, 20], kernel 5×5, padding 2 2 2 2, relu; batch 1, 2 threads, AVX2",
                "conv [16, 20, 20] → [16, 20, 20], kernel 3×3, padding 1 1 1 1; batch 1, 2 threads, AVX2",
            ]
        );
        assert_eq!(
            found.iter().map(|choice| choice.algorithms.len()).collect::<Vec<_>>(),
            [2, 3]
        );
        let exact = PlanOptions {
            accuracy: Accuracy::Exact,
            ..options
        };
        assert!(choices(&graph, &shapes, &exact).is_empty());
    }
}
