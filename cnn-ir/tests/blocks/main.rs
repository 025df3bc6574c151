//! Blocks: names, operands, weights and parameters of what they expand to, and what can be wrong with them.

#![cfg(feature = "render")]

mod counted;

use cnn_ir::graph::Graph;
use cnn_ir::{front, text, validate};

fn graph(text: &str) -> Graph {
    let (graph, warnings) = front::graph_from_toml(text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(warnings, []);
    graph
}

/// `line: message` of every error.
fn errors(text: &str) -> Vec<String> {
    let errors = match front::graph_from_toml(text) {
        Err(errors) => errors,
        Ok((graph, _)) => validate::validate(&graph).expect_err("there should be an error"),
    };
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    errors
        .iter()
        .map(|d| {
            format!(
                "{}: {}",
                d.primary.as_ref().map_or(0, |p| line(p.span.start)),
                d.message
            )
        })
        .collect()
}

#[track_caller]
fn assert_errors(text: &str, expected: &[&str]) {
    let found = errors(text);
    let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| f.starts_with(e));
    assert!(fits, "found {found:#?}\nexpected {expected:#?}");
}

#[test]
fn a_constant_has_no_operand_wherever_it_stands() {
    let text = r#"
inputs.x = [3, 8, 8]
[block.shift]
[[block.shift.layer]]
name = "offset"
op = "constant"
shape = [3, 1, 1]
[[block.shift.layer]]
name = "sum"
op = "add"
from = ["in", "offset"]
[[layer]]
name = "scale"
op = "constant"
shape = [3, 1, 1]
[[layer]]
name = "scaled"
op = "mul"
from = ["x", "scale"]
[[layer]]
name = "shifted"
op = "shift"
"#;
    let graph = graph(text);
    let operands = |name: &str| {
        let id = graph.find(name).expect("a layer");
        let names = graph.operands(id).into_iter().map(|id| graph[id].name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(operands("scale"), Vec::<String>::new());
    assert_eq!(operands("shifted.offset"), Vec::<String>::new());
    assert_eq!(operands("shifted.sum"), ["scaled", "shifted.offset"]);
    let given = text.replace(
        "shape = [3, 1, 1]\n[[layer]]",
        "shape = [3, 1, 1]\nfrom = \"x\"\n[[layer]]",
    );
    assert_errors(&given, &["16: scale: `constant` takes no operand, but has 1"]);
}

/// A ResNet's beginning, with the names of torchvision's state dict.
const RESNET: &str = r#"
name = "resnet"
[inputs]
image = [3, 32, 32]

[block.basic]
params = ["filters", "stride", "shortcut"]
[[block.basic.layer]]
name = "conv1"
op = "conv"
filters = "$filters"
kernel = 3
stride = "$stride"
padding = 1
bias = false
[[block.basic.layer]]
name = "bn1"
op = "batch_norm"
activation = "relu"
[[block.basic.layer]]
name = "conv2"
op = "conv"
filters = "$filters"
kernel = 3
padding = 1
bias = false
[[block.basic.layer]]
name = "bn2"
op = "batch_norm"
[[block.basic.layer]]
name = "downsample.0"
op = "conv"
filters = "$filters"
kernel = 1
stride = "$stride"
bias = false
from = "in"
[[block.basic.layer]]
name = "downsample.1"
op = "batch_norm"
[[block.basic.layer]]
name = "out"
op = "add"
from = ["bn2", "downsample.1"]
activation = "$shortcut"

[[layer]]
name = "layer1.0"
op = "basic"
filters = 8
stride = 1
shortcut = "relu"
[[layer]]
name = "layer2.0"
op = "basic"
filters = 16
stride = [2, 2]
shortcut = { op = "leaky_relu", alpha = 0.1 }
"#;

#[test]
fn a_residual_block_bears_the_names_of_a_state_dict() {
    let graph = graph(RESNET);
    let shapes = validate::validate(&graph).unwrap();
    insta::assert_snapshot!(text::print(&graph, Some(&shapes)));
    assert_eq!(graph.outputs()[0].name, "layer2.0");
    let node = &graph[graph.find("layer1.0.downsample.0").unwrap()];
    assert_eq!(node.weights, "layer1.0.downsample.0");
    assert_eq!(node.place.instances.len(), 1);
}

#[test]
fn the_text_form_of_expanded_blocks_is_read_back() {
    let graph = graph(RESNET);
    let printed = text::print(&graph, None);
    assert_eq!(text::print(&text::parse(&printed).unwrap(), None), printed);
}

#[test]
fn weights_of_instances_are_prefixes() {
    let text = r#"
[inputs]
image = [3, 8, 8]
[block.unit]
[[block.unit.layer]]
name = "squeeze"
op = "conv"
filters = 3
kernel = 1
[[block.unit.layer]]
name = "act"
op = "prelu"
weights = "relu.0"
[block.twice]
params = ["n", "w"]
[[block.twice.layer]]
name = "a"
op = "unit"
[[block.twice.layer]]
name = "b"
op = "unit"
weights = "second"
[[block.twice.layer]]
name = "c"
op = "prelu"
weights = "$w.$n.c"
[[layer]]
name = "plain"
op = "unit"
[[layer]]
name = "fire"
op = "unit"
weights = "features.3"
[[layer]]
name = "nest"
op = "twice"
n = 1
w = "x"
[[layer]]
name = "deep"
op = "twice"
n = 2
w = "y"
weights = "features.9"
"#;
    let graph = graph(text);
    let prefixes: Vec<_> = graph
        .ids()
        .skip(1)
        .map(|id| (graph[id].name.as_str(), graph[id].weights.as_str()))
        .collect();
    assert_eq!(
        prefixes,
        [
            ("plain.squeeze", "plain.squeeze"),
            ("plain.act", "relu.0"),
            ("fire.squeeze", "features.3.squeeze"),
            ("fire.act", "features.3.relu.0"),
            ("nest.a.squeeze", "nest.a.squeeze"),
            ("nest.a.act", "relu.0"),
            ("nest.b.squeeze", "second.squeeze"),
            ("nest.b.act", "second.relu.0"),
            ("nest.c", "x.1.c"),
            ("deep.a.squeeze", "features.9.a.squeeze"),
            ("deep.a.act", "features.9.a.relu.0"),
            ("deep.b.squeeze", "features.9.second.squeeze"),
            ("deep.b.act", "features.9.second.relu.0"),
            ("deep.c", "features.9.y.2.c"),
        ]
    );
}

#[test]
fn operands_cross_the_border_only_by_in() {
    let text = r#"
outputs = ["sum", "join.first"]
[inputs]
a = [2, 4, 4]
b = [2, 4, 4]
[block.join]
params = ["act"]
[[block.join.layer]]
name = "last"
op = "add"
from = ["first", "in"]
[[block.join.layer]]
name = "first"
op = "$act"
from = "other"
[[block.join.layer]]
name = "other"
op = "concat"
from = "in"
[[block.join.layer]]
name = "end"
op = "identity"
from = "last"
[[layer]]
name = "sum"
op = "add"
from = ["join", "join.last"]
[[layer]]
name = "join"
op = "join"
act = "tanh"
from = ["a", "b"]
"#;
    let graph = graph(text);
    let operands = |name: &str| -> Vec<&str> {
        graph
            .operands(graph.find(name).unwrap())
            .into_iter()
            .map(|id| graph[id].name.as_str())
            .collect()
    };
    assert_eq!(operands("join.last"), ["join.first", "a", "b"]);
    assert_eq!(operands("join.other"), ["a", "b"]);
    assert_eq!(operands("sum"), ["join.end", "join.last"]);
    assert_eq!(graph[graph.find("join.first").unwrap()].op.name(), "tanh");
    let outputs: Vec<_> = graph
        .outputs()
        .iter()
        .map(|o| (o.name.as_str(), graph[o.node].name.as_str()))
        .collect();
    assert_eq!(outputs, [("sum", "sum"), ("join.first", "join.first")]);
}

fn with_block(layers: &str, instances: &str) -> String {
    format!("[inputs]\nimage = [3, 8, 8]\n[block.unit]\nparams = [\"f\"]\n{layers}{instances}")
}

const CONV: &str = "[[block.unit.layer]]\nname = \"c\"\nop = \"conv\"\nfilters = \"$f\"\nkernel = 1\n";
const USE: &str = "[[layer]]\nname = \"u\"\nop = \"unit\"\nf = 4\n";

#[test]
fn mistakes_inside_a_block_are_reported_once() {
    let twice = format!("{USE}{}", USE.replace("\"u\"", "\"v\""));
    let layers = CONV.replace("kernel = 1", "kernal = 1\nstride = \"$g\"\nfrom = \"image\"");
    assert_errors(
        &with_block(&layers, &twice),
        &[
            "9: `conv` has no key `kernal`; did you mean `kernel`?",
            "10: unknown parameter of the block `unit` `g`; did you mean `f`?",
            "11: unknown layer of the block `unit` `image`",
        ],
    );
    let layers = CONV.replace("kernel = 1", "kernal = 1");
    assert_errors(
        &with_block(&layers, &twice),
        &["9: `conv` has no key `kernal`; did you mean `kernel`?"],
    );
}

#[test]
fn mistakes_of_an_instance() {
    let text = with_block(
        CONV,
        "[[layer]]\nname = \"u\"\nop = \"unit\"\nF = 4\n[[layer]]\nname = \"v\"\nop = \"unit\"\nfilters = 3\n[[layer]]\nname = \"w\"\nop = \"unti\"\n[[layer]]\nname = \"x\"\nop = \"relu\"\nfrom = [\"w.c\", \"u.c\", \"u.d\"]\n",
    );
    assert_errors(
        &text,
        &[
            "13: unknown parameter of the block `unit` `F`; did you mean `f`?",
            "16: the block `unit` needs the parameter `f`",
            "17: unknown parameter of the block `unit` `filters`",
            "20: unknown operator or block `unti`; did you mean `unit`?",
            "24: unknown layer or input `u.d`",
        ],
    );
}

#[test]
fn arguments_of_the_wrong_kind() {
    let layers = format!("{CONV}weights = \"x.$f\"\n");
    let list = USE.replace("f = 4", "f = [4]");
    assert_errors(
        &with_block(&layers, &list),
        &["14: a part of `weights` must be a string or an integer, found [4]"],
    );
    let layers = CONV.replace("\"conv\"", "\"$f\"");
    assert_errors(
        &with_block(&layers, &list),
        &["13: the parameter `f` must name an operator, found [4]"],
    );
    let block = USE.replace("f = 4", "f = \"unit\"");
    assert_errors(
        &with_block(&layers, &block),
        &["13: the parameter `f` must name an operator, found \"unit\""],
    );
}

#[test]
fn parameters_stand_only_inside_blocks() {
    let text = with_block(
        CONV,
        &format!("{USE}[[layer]]\nname = \"r\"\nop = \"conv\"\nfilters = \"$f\"\nkernel = 1\n"),
    );
    assert_errors(&text, &["17: `$f` stands outside of a block"]);
}

#[test]
fn names_inside_a_block() {
    let layers = format!("{CONV}{CONV}{}", CONV.replace("\"c\"", "\"in\""));
    assert_errors(
        &with_block(&layers, USE),
        &[
            "11: the name `c` is given twice",
            "16: a layer of a block cannot be called `in`",
        ],
    );
    let params = with_block(CONV, USE).replace("[\"f\"]", "[\"f\", \"f\", \"op\"]");
    assert_errors(
        &params,
        &[
            "4: the name `f` is given twice",
            "4: a parameter cannot be called `op`",
            "12: the block `unit` needs the parameter `op`",
        ],
    );
}

#[test]
fn a_block_cannot_be_an_operator_or_empty() {
    let text = with_block(CONV, USE).replace("unit", "conv");
    assert!(errors(&text)[0].starts_with("3: `conv` is already an operator"));
    assert_errors(&with_block("", USE), &["3: the block `unit` has no layers"]);
}

#[test]
fn recursion_over_several_blocks_names_the_chain_once() {
    let text = r#"
inputs.image = [3, 8, 8]
[[block.a.layer]]
name = "x"
op = "b"
[[block.b.layer]]
name = "y"
op = "a"
[[layer]]
name = "u"
op = "a"
[[layer]]
name = "v"
op = "b"
[[layer]]
name = "w"
op = "add"
from = ["u.x.y", "v"]
"#;
    assert_errors(text, &["8: the block `a` uses itself: `a` → `b` → `a`"]);
}

#[test]
fn the_wrong_value_is_shown_where_it_is_given_and_used() {
    let text = with_block(CONV, "[[layer]]\nname = \"u\"\nop = \"unit\"\nf = \"four\"\n");
    let errors = front::graph_from_toml(&text).unwrap_err();
    let rendered = cnn_ir::render::render(&errors, "net.toml", &text, false);
    insta::assert_snapshot!(rendered);
}

#[test]
fn what_a_block_does_not_need_is_warned_of() {
    let text = with_block(CONV, USE)
        .replace("[\"f\"]", "[\"f\", \"g\"]")
        .replace("f = 4", "f = 4\ng = 1")
        + "[[block.spare.layer]]\nname = \"r\"\nop = \"relu\"\n";
    let (_, warnings) = front::graph_from_toml(&text).unwrap();
    let messages: Vec<_> = warnings.into_iter().map(|w| w.message).collect();
    assert_eq!(
        messages,
        [
            "the block `unit` does not use its parameter `g`",
            "no layer uses the block `spare`"
        ]
    );
}
