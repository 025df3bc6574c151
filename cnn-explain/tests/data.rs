//! What the page is told, against the interpreter, for every operator's fixture.

use std::fs;
use std::path::Path;

use cnn_codegen::interp::Interpreter;
use cnn_codegen::jit;
use cnn_codegen::plan::{self, PlanOptions};
use cnn_explain::{Compiled, Explained, Machine, Origin, Subject, explain, page};
use cnn_ir::front::graph_from_toml;
use cnn_ir::graph::Graph;
use cnn_ir::validate::{Shapes, validate};
use cnn_runtime::weights::{Synthetic, synthetic_input};
use serde_json::Value;

fn read(text: &str) -> (Graph, Shapes) {
    let (graph, _) = graph_from_toml(text).unwrap();
    let shapes = validate(&graph).unwrap();
    (graph, shapes)
}

fn inputs(graph: &Graph) -> Vec<Vec<f32>> {
    graph
        .declared_inputs()
        .map(|(node, input)| synthetic_input(&node.name, input.shape.elements(), 0))
        .collect()
}

fn explained(text: &str) -> Explained {
    with_code(text, None)
}

fn with_code(text: &str, compiled: Option<Compiled<'_>>) -> Explained {
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
        compiled,
        beside: None,
        famous: None,
        max_memory: None,
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

/// A call in the loop code is a call in CLIF and in the machine code, of the same kernel.
#[test]
fn code_knows_the_line_it_came_from() {
    let text = "inputs.x = [3, 20, 20]\n[[layer]]\nname = 'a'\nop = 'conv'\nfilters = 8\nkernel = 3\npadding = 1\n\
                [[layer]]\nname = 'b'\nop = 'max_pool'\nsize = 2\n";
    let (graph, shapes) = read(text);
    let plan = plan::build(&graph, &shapes, &PlanOptions::default()).unwrap();
    let listing = jit::listing(&plan).unwrap();
    let compiled = Compiled {
        plan: &plan,
        listing: &listing,
        machine: Machine::default(),
    };
    let data = serde_json::to_value(with_code(text, Some(compiled)).data).unwrap();
    let (mut functions, mut calls) = (0, 0);
    for code in data["compiler"]["planned"]["code"].as_array().unwrap() {
        let loops = code["loops"].as_array().unwrap();
        if loops.is_empty() {
            continue;
        }
        functions += 1;
        // The lines of a text that came from a line of the loop code.
        let from = |column: &str, origin: usize| {
            let lines = code[column]["lines"].as_array().unwrap().iter();
            let texts = code[column]["text"].as_str().unwrap().lines();
            let both: Vec<_> = texts.zip(lines.map(|line| line.as_u64().unwrap() as usize)).collect();
            assert!(both.iter().all(|(_, line)| *line <= loops.len()), "{}", code["name"]);
            let own = both.into_iter().filter(|(_, line)| *line == origin);
            own.map(|(text, _)| text.to_owned()).collect::<Vec<_>>()
        };
        for (index, line) in loops.iter().enumerate() {
            let line = line.as_str().unwrap().trim();
            let clif = from("clif", index + 1);
            if line.starts_with("tile_") {
                calls += 1;
                assert!(clif.iter().any(|text| text.contains("call ")), "{line}: {clif:?}");
                #[cfg(target_arch = "x86_64")]
                {
                    let kernel = line.split('(').next().unwrap();
                    let asm = from("asm", index + 1);
                    let called = |text: &String| text.contains("call ") && text.contains(&format!("; {kernel}_"));
                    assert!(asm.iter().any(called), "{line}: {asm:?}");
                }
            }
            if line.starts_with("for ") {
                assert!(clif.iter().any(|text| text.contains("icmp slt")), "{line}: {clif:?}");
            }
        }
    }
    assert!(functions >= 2 && calls > 0, "{functions} {calls}");
}
