//! The text form by hand: comments, defaults, outputs of other names, and what is wrong with a text.

#![cfg(all(feature = "json", feature = "render"))]

mod same;

use cnn_ir::{dot, front, json, render, text, validate};

const NET: &str = r#"
// A comment.
network "net \"1\"" {
  %image = input(shape = [8, 8, 3], layout = "hwc") -> [3, 8, 8]
  %c1 = conv(%image, filters = 4, kernel = [3, 1], padding = "same", bias = false,
             activation = { op = "leaky_relu", alpha = 0.1 }, weights = "features.0")
  %b = add(%d, %c1) // %d stands below
  %d = clip(%c1, min = -inf, max = 6)
  return first = %c1, %b
}
"#;

#[test]
fn a_text_by_hand() {
    let graph = text::parse(NET).unwrap();
    assert_eq!(graph.name, "net \"1\"");
    let shapes = validate::validate(&graph).unwrap();
    let printed = text::print(&graph, Some(&shapes));
    insta::assert_snapshot!(printed);
    same::assert_same(&graph, &text::parse(&printed).unwrap());
}

#[test]
fn dumps_for_other_programs() {
    let graph = text::parse(NET).unwrap();
    let shapes = validate::validate(&graph).unwrap();
    insta::assert_snapshot!(dot::print(&graph, Some(&shapes)));
    insta::assert_snapshot!(json::print(&graph, Some(&shapes)));
    assert!(json::to_json(&graph, None)["nodes"][0].get("shape").is_none());
}

#[test]
fn what_only_passes_make_is_read_back() {
    let text = r#"network "fused" {
  %x = input(shape = [4, 8, 8])
  %c = conv(%x, %x, filters = 4, kernel = 1, norm = { weights = "bn1", epsilon = 0.001 }, residual = true)
  return y = %c
}
"#;
    let graph = text::parse(text).unwrap();
    assert_eq!(text::print(&graph, None), text);
    // A model file cannot say that.
    let toml =
        "inputs.x = [4, 8, 8]\n[[layer]]\nname = \"c\"\nop = \"conv\"\nfilters = 4\nkernel = 1\nresidual = true\n";
    assert!(front::graph_from_toml(toml).is_err());
}

fn errors(text: &str) -> String {
    let errors = text::parse(text).expect_err("there should be an error");
    render::render(&errors, "net.txt", text, false)
}

#[test]
fn a_wrong_shape_is_an_error() {
    let text = NET.replace("[3, 8, 8]", "[8, 8, 3]");
    assert!(errors(&text).contains("the shape of `%image` is [3, 8, 8], not [8, 8, 3]"));
    let text = NET.replace("-> [3, 8, 8]", "-> [3, -8]");
    assert!(errors(&text).contains("not [3, -8]"));
}

#[test]
fn all_statements_with_errors_are_reported() {
    let text = r#"network "x" {
  %a = input(shape = [3, 8, 8]) ->
  %b = conv %a, filters = 3)
  %c = (%a)
  %d = relu(%a, x = relu)
  %e = rellu(%a)
  %f = relu(%zz)
  return %g,
}
}
"#;
    insta::assert_snapshot!(errors(text));
}

#[test]
fn a_text_without_head_or_tail() {
    for (text, word) in [
        ("", "expected `network`, found the end"),
        ("network {", "expected the network's name"),
        ("network \"x\" {", "expected `}`, found the end"),
        ("network \"x\" { }", "the network has no input"),
        ("network \"x\" { %a = input(shape = [8]) }", "the network has no layer"),
        (
            "network \"x\" { %a = input(shape = [8]) %b = relu(%a) }",
            "the network has no output",
        ),
        (
            "network \"x\" { %a = input(shape = [8]) %a = relu(%a) return %a }",
            "given twice",
        ),
        (
            "network \"x\" { %a = input(shape = [8]) %b = relu(%a, weights = 1) return %b }",
            "`weights` must be",
        ),
        (
            "network \"x\" { %a = input(shape = [8]) %b = relu(%b) return %b }",
            "its own result",
        ),
    ] {
        assert!(errors(text).contains(word), "{text}\n{}", errors(text));
    }
    let deep = format!("network \"x\" {{ %a = relu(x = {}", "[".repeat(100_000));
    assert!(errors(&deep).contains("nested too deeply"));
}
