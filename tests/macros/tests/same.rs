//! A declaration in tokens means what the model file means: every fixture and every model, written as `cnn!` would
//! have it, gives the same graph.

use std::fs;
use std::path::{Path, PathBuf};

use cnn_codegen::macros::{Files, check, parse};
use cnn_ir::ast::{Key, LayerDecl, NetDecl, Value, ValueKind};
use cnn_ir::graph::Graph;
use cnn_ir::span::Spanned;
use cnn_ir::{front, text, validate};

/// What blocks' inputs are called.
const INPUT: &str = "block_input";

fn name(name: &str) -> String {
    let mut parts = name.split('.');
    let is_word = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic()) && !part.contains('-');
    let plain = parts.next().is_some_and(is_word)
        && parts.all(|part| is_word(part) || part == "0" || part.parse::<u32>().is_ok() && !part.starts_with('0'));
    if plain { name.to_owned() } else { format!("{name:?}") }
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn value(value: &Value) -> String {
    match &value.kind {
        ValueKind::Text(word) if word.chars().all(|c| c.is_ascii_lowercase() || c == '_') => word.clone(),
        ValueKind::List(items) => format!("[{}]", list(items, self::value)),
        ValueKind::Table(keys) => format!("{{ {} }}", list(keys, key)),
        ValueKind::Parameter(param) if front::is_valid(param) && !param.contains(['.', '-']) => param.clone(),
        other => other.to_string(),
    }
}

fn key(key: &Key) -> String {
    format!("{} = {}", key.name.value, value(&key.value))
}

fn operand(operand: &Spanned<String>) -> String {
    if operand.value == "in" {
        INPUT.to_owned()
    } else {
        name(&operand.value)
    }
}

fn layer(layer: &LayerDecl, above: &str) -> String {
    let operands = match &layer.from {
        Some(from) => vec![list(from, operand)],
        None if layer.op.value == "constant" => Vec::new(),
        None => vec![above.to_owned()],
    };
    let arguments = [operands, layer.keys.iter().map(key).collect()].concat();
    let op = layer.op.value.trim_start_matches('$');
    format!("{} = {op}({});\n", name(&layer.name.value), arguments.join(", "))
}

fn layers(layers: &[LayerDecl], input: &str) -> String {
    let mut above = input.to_owned();
    let mut text = String::new();
    for one in layers {
        text += &layer(one, &above);
        above = name(&one.name.value);
    }
    text
}

/// A declaration as the tokens of `cnn!`.
fn tokens(net: &NetDecl) -> String {
    let mut text = "network Same {\n".to_owned();
    for input in &net.inputs {
        let shape = match &*input.keys {
            [shape] => value(&shape.value),
            keys => format!("{{ {} }}", list(keys, key)),
        };
        text += &format!("input {}: {shape};\n", name(&input.name.value));
    }
    for block in &net.blocks {
        let params = list(&block.params, |param| param.value.clone());
        let body = layers(&block.layers, INPUT);
        text += &format!("block {}({INPUT}; {params}) {{\n{body}}}\n", block.name.value);
    }
    text += &layers(&net.layers, &name(&net.inputs[0].name.value));
    if let Some(outputs) = &net.outputs {
        text += &format!("return {};\n", list(outputs, operand));
    }
    text + "}\n"
}

fn shown(mut graph: Graph) -> String {
    graph.name.clear();
    let shapes = validate::validate(&graph).expect("valid");
    text::print(&graph, Some(&shapes))
}

fn assert_same(toml: &str, tokens: &str, what: &str) {
    let (declared, _) = front::graph_from_toml(toml).expect("a valid model file");
    let declarations = parse(tokens.parse().expect(what));
    let checked = check(&declarations.networks[0], Files::of(Path::new(""))).unwrap_or_else(|errors| {
        panic!("{what}: {errors:#?}\n{tokens}");
    });
    assert_eq!(shown(checked.graph), shown(declared), "{what}");
}

fn models(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let files = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

#[test]
fn constants_are_what_they_stand_for() {
    let with = |constants: &str, inner: &str, [k, shape, pad, batch]: [&str; 4]| {
        let source = format!(
            "{constants} network Same {{ {inner} batch = {batch}; input image: {shape}; \
             block unit(x; f) {{ conv(x, filters = f, kernel = [{k}, 3], padding = {pad}) }} \
             a = unit(image, f = {k}); b = leaky_relu(a, alpha = 0.25); }}"
        );
        let declared = parse(source.parse().unwrap()).networks.remove(0);
        assert!(declared.diagnostics.is_empty(), "{:?}", declared.diagnostics);
        assert_eq!(
            declared.options.batch.as_ref().map(|batch| batch.value),
            Some(2),
            "{source}"
        );
        let files = Files {
            package: Path::new("."),
            build: None,
            import: |_| None,
        };
        shown(check(&declared, files).unwrap().graph)
    };
    let expected = with("", "", ["5", "[3, 9, 9]", "same", "2"]);
    let constants = "const K: usize = 5; const SHAPE: [usize; 3] = [3, 9, 9]; const PAD: &str = \"same\"; const N = 2;";
    assert_eq!(with(constants, "", ["K", "SHAPE", "PAD", "N"]), expected);
    assert_eq!(with("", constants, ["K", "SHAPE", "PAD", "N"]), expected);
    let other = "const SIDE: usize = 9; const A: usize = SIDE;";
    assert_eq!(with(constants, other, ["K", "[3, A, SIDE]", "PAD", "N"]), expected);
}

#[test]
fn every_fixture_and_model() {
    let fixtures = cnn_testing::fixtures::all().into_iter().map(|fixture| fixture.model);
    for path in fixtures.chain(models("examples/models")) {
        let toml = fs::read_to_string(&path).expect("a text");
        let net = front::toml::parse(&toml).net;
        assert_same(&toml, &tokens(&net), &path.display().to_string());
    }
}

const MODEL: &str = r#"
outputs = ["y", "x.in.relu"]

[inputs]
image = { shape = [8, 6, 3], layout = "hwc" }
flat = [10]

[block.unit]
params = ["f", "act", "at"]

[[block.unit.layer]]
name = "conv"
op = "conv"
from = "in"
filters = "$f"
kernel = [3, 1]
weights = "part.$at"

[[block.unit.layer]]
name = "result"
op = "$act"

[[layer]]
name = "x.in.relu"
op = "relu"
from = "image"

[[layer]]
name = "x"
op = "unit"
f = 4
act = "tanh"
at = 0

[[layer]]
name = "y.flatten"
op = "flatten"
from = "x"

[[layer]]
name = "y.flatten_2"
op = "flatten"
from = "x.conv"

[[layer]]
name = "y.concat"
op = "concat"
from = ["y.flatten", "y.flatten_2", "flat"]

[[layer]]
name = "y"
op = "dense"
units = 5
bias = false
activation = { op = "clip", min = -1, max = inf }
"#;

#[test]
fn nested_calls_blocks_and_words() {
    let tokens = "
        network Same {
            input image: [8, 6, 3] as hwc;
            input flat: (10,);
            block unit(z; f, act, at) {
                conv = conv(z, filters = f, kernel = (3, 1), weights = \"part.$at\");
                act(conv)
            }
            x = unit(relu(image), f = 4, act = tanh, at = 0);
            y = dense(
                concat([flatten(x), flatten(x.conv), flat]),
                units = 5,
                bias = false,
                activation = clip(min = -1, max = inf),
            );
            return y, x.in.relu
        }";
    // The block's last expression is called after what it computes, here a parameter.
    let model = MODEL.replace("name = \"result\"", "name = \"act\"");
    assert_same(&model, tokens, "nested calls");
}

#[test]
fn results() {
    let model = |output: &str| {
        format!(
            "outputs = [{output:?}]\n[inputs]\nx = [4]\n[[layer]]\nname = \"a\"\nop = \"relu\"\n[[layer]]\nname = \"tanh\"\nop = \"tanh\"\n"
        )
    };
    let input = "network Same { input x: [4];";
    assert_same(
        &model("tanh"),
        &format!("{input} a = relu(x); tanh(a) }}"),
        "a last expression",
    );
    assert_same(
        &model("tanh"),
        &format!("{input} a = relu(x); return tanh(a); }}"),
        "return with a call",
    );
    assert_same(
        &model("tanh"),
        &format!("{input} a = relu(x); tanh = tanh(a) }}"),
        "the last layer",
    );
    assert_same(
        &model("a"),
        &format!("{input} a = relu(x); tanh = tanh(a); a }}"),
        "a last name",
    );
}

#[test]
fn a_blocks_result_may_be_an_earlier_layer() {
    let model = "[inputs]\nx = [4]\n[block.b]\nparams = []\n\
        [[block.b.layer]]\nname = \"p\"\nop = \"relu\"\n[[block.b.layer]]\nname = \"q\"\nop = \"tanh\"\n\
        [[block.b.layer]]\nname = \"result\"\nop = \"identity\"\nfrom = \"p\"\n[[layer]]\nname = \"y\"\nop = \"b\"\n";
    let tokens = "network Same { input x: [4]; block b(z) { p = relu(z); q = tanh(p); return p; } y = b(x); }";
    assert_same(model, tokens, "an earlier layer");
}
