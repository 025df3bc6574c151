//! What the page is told, against the interpreter, for every operator's fixture.

use std::fs;
use std::path::Path;

use cnn_codegen::interp::Interpreter;
use cnn_explain::{Explained, Origin, Subject, explain, page};
use cnn_ir::front::graph_from_toml;
use cnn_ir::graph::Graph;
use cnn_ir::op::Op;
use cnn_ir::validate::{Shapes, validate};
use cnn_runtime::weights::{Synthetic, synthetic_input};
use serde_json::Value;

fn read(text: &str) -> (Graph, Shapes) {
    let (graph, _) = graph_from_toml(text).unwrap();
    let shapes = validate(&graph).unwrap();
    (graph, shapes)
}

fn inputs(graph: &Graph) -> Vec<Vec<f32>> {
    let input = |id: &cnn_ir::graph::NodeId| match &graph[*id].op {
        Op::Input(input) => synthetic_input(&graph[*id].name, input.shape.elements(), 0),
        _ => Vec::new(),
    };
    graph.inputs().iter().map(input).collect()
}

fn explained(text: &str) -> Explained {
    let (graph, shapes) = read(text);
    let inputs = inputs(&graph);
    let random = Origin {
        kind: "random",
        text: String::new(),
    };
    let subject = Subject {
        graph: &graph,
        shapes: &shapes,
        text,
        text_name: "net.toml".into(),
        about: String::new(),
        labels: Vec::new(),
        inputs: inputs.iter().map(Vec::as_slice).collect(),
        input_origin: random.clone(),
        weight_origin: random,
        compiled: None,
        beside: None,
        famous: None,
    };
    explain(&subject, &Synthetic { seed: 0 }).unwrap()
}

/// The elements of a layer's value, which must all be there.
fn elements(explained: &Explained, layer: &Value) -> Vec<f32> {
    let part = &layer["value"]["parts"][0];
    assert_eq!(part["size"], layer["value"]["extent"], "{}", layer["name"]);
    let number = |key: &str| part["blob"][key].as_u64().unwrap() as usize;
    let bytes = &explained.numbers[number("at")..][..4 * number("count")];
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// Values come layer by layer, each rounded to f32: they stay near those of the interpreter, which rounds none.
#[test]
fn values_are_the_interpreters() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/ops");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let explained = explained(&text);
        let data = serde_json::to_value(&explained.data).unwrap();
        let (graph, shapes) = read(&text);
        let inputs = inputs(&graph);
        let slices: Vec<_> = inputs.iter().map(Vec::as_slice).collect();
        let interpreter = Interpreter::new(&graph, &shapes, &Synthetic { seed: 0 }).unwrap();
        interpreter
            .run_all(&slices, 1, |_, values| {
                for layer in data["layers"].as_array().unwrap() {
                    let id = graph.find(layer["name"].as_str().unwrap()).unwrap();
                    let expected = &values.get(id).unwrap().data;
                    let found = elements(&explained, layer);
                    assert_eq!(found.len(), expected.len());
                    let largest = expected
                        .iter()
                        .filter(|x| x.is_finite())
                        .fold(1.0f64, |most, x| most.max(x.abs()));
                    for (found, expected) in found.iter().zip(expected) {
                        let near = (f64::from(*found) - expected).abs() <= 1e-5 * largest;
                        let same = *expected as f32 == *found || expected.is_nan() && found.is_nan();
                        assert!(near || same, "{}: {} {found} {expected}", path.display(), layer["name"]);
                    }
                }
            })
            .unwrap();
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn large_networks_keep_what_their_cells_need() {
    let text = "inputs.x = [64, 96, 96]\n[[layer]]\nname = 'a'\nop = 'conv'\nfilters = 64\nkernel = 3\npadding = 1\n\
                [[layer]]\nname = 'b'\nop = 'conv'\nfilters = 64\nkernel = 3\nstride = 2\n";
    let explained = explained(text);
    let data = serde_json::to_value(&explained.data).unwrap();
    assert_eq!(data["reduced"], true);
    assert!(explained.numbers.len() < 4 << 20, "{}", explained.numbers.len());
    // The middle of `a`: all 64 channels under the windows of the cells kept of `b`.
    let parts = data["layers"][1]["value"]["parts"].as_array().unwrap();
    assert!(parts.iter().any(|part| part["size"][0] == 64), "{parts:?}");
    assert!(data["layers"][1]["value"]["picture"]["scale"].as_u64().unwrap() > 1);
}

/// Whatever a model file is called, nothing of it stands in the page but as base64.
#[test]
fn names_are_no_markup() {
    let hostile = "</script><script>alert(1)</script>";
    let text = format!("name = \"{hostile}\"\ninputs.x = [1, 4, 4]\n# {hostile}\n[[layer]]\nname = 'a'\nop = 'relu'\n");
    let page = page::fill(&explained(&text)).unwrap();
    assert!(!page.contains("alert(1)"));
    let plain = page::fill(&explained("inputs.x = [1, 4, 4]\n[[layer]]\nname = 'a'\nop = 'relu'\n")).unwrap();
    assert_eq!(page.matches("<script").count(), plain.matches("<script").count());
}
