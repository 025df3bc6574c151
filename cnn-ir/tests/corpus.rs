//! The corpus of operators and random networks: each file is read, its shapes fit, and every dump is right.

#![cfg(feature = "json")]

mod same;

use std::collections::BTreeMap;
use std::fs;

use cnn_ir::graph::Graph;
use cnn_ir::{dot, front, json, text, validate};
use cnn_testing::fixtures::{self, Fixture};

fn corpus() -> BTreeMap<String, Graph> {
    let graph = |fixture: Fixture| {
        let name = fixture.name.clone();
        let (graph, warnings) =
            front::graph_from_toml(&fixture.toml()).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        // The random networks do not mind a layer that nobody needs.
        assert!(
            warnings.iter().all(|w| w.message.starts_with("no output needs")),
            "{name}: {warnings:#?}"
        );
        assert_eq!(graph.name, name);
        (name, graph)
    };
    fixtures::all().into_iter().map(graph).collect()
}

/// Names and dimensions of the tensors in a safetensors file.
fn tensors(name: &str) -> BTreeMap<String, Vec<usize>> {
    let path = fixtures::folder().join(format!("{name}.safetensors"));
    let bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let dims = |tensor: &serde_json::Value| {
        tensor["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dim| dim.as_u64().unwrap() as usize)
            .collect()
    };
    header
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "__metadata__")
        .map(|(name, tensor)| (name.clone(), dims(tensor)))
        .collect()
}

#[test]
fn inputs_outputs_and_weights_are_those_of_the_other_system() {
    for (name, graph) in corpus() {
        let shapes = validate::validate(&graph).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        let mut expected = tensors(&name);
        let mut take = |tensor: &str| {
            let dims = expected.remove(tensor);
            dims.unwrap_or_else(|| panic!("{name}: no tensor {tensor}"))
        };
        for id in graph.inputs() {
            let cnn_ir::op::Op::Input(input) = &graph[*id].op else {
                panic!("{name}")
            };
            assert_eq!(
                take(&format!("input/{}", graph[*id].name))[1..],
                input.array_dims(),
                "{name}"
            );
        }
        for output in graph.outputs() {
            assert_eq!(
                take(&format!("output/{}", output.name))[1..],
                shapes[output.node].dims(),
                "{name}"
            );
        }
        for id in graph.ids() {
            let node = &graph[id];
            for weight in node.op.weights(&node.weights, &shapes.operands(&graph, id)) {
                assert_eq!(take(&weight.name), weight.shape, "{name}: {}", weight.name);
            }
        }
        assert!(expected.is_empty(), "{name}: nobody uses {expected:?}");
    }
}

#[test]
fn the_text_form_is_read_back_as_the_same_graph() {
    for (name, graph) in corpus() {
        let shapes = validate::validate(&graph).unwrap();
        for shapes in [None, Some(&shapes)] {
            let printed = text::print(&graph, shapes);
            let read = text::parse(&printed).unwrap_or_else(|errors| panic!("{name}: {errors:#?}\n{printed}"));
            same::assert_same(&graph, &read);
            let read_shapes = validate::validate(&read).unwrap();
            assert_eq!(text::print(&read, shapes.map(|_| &read_shapes)), printed, "{name}");
        }
    }
}

#[test]
fn json_and_dot_hold_every_node_and_edge() {
    for (name, graph) in corpus() {
        let shapes = validate::validate(&graph).unwrap();
        let json = json::to_json(&graph, Some(&shapes));
        let nodes = json["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), graph.len(), "{name}");
        for node in nodes {
            let id = graph.find(node["name"].as_str().unwrap()).unwrap();
            let operands: Vec<_> = graph.operands(id).iter().map(|id| graph[*id].name.clone()).collect();
            assert_eq!(node["operands"], serde_json::json!(operands), "{name}");
            assert_eq!(node["shape"], serde_json::json!(shapes[id].dims()), "{name}");
        }
        let dot = dot::print(&graph, Some(&shapes));
        let edges: usize = graph.ids().map(|id| graph.operands(id).len()).sum();
        assert_eq!(dot.matches(" -> ").count(), edges + graph.outputs().len(), "{name}");
        assert!(dot.matches("\\n").count() >= graph.len(), "{name}");
    }
}
