//! What blocks expand to is counted before it is made.

use super::errors;

#[test]
fn an_explosion_of_layers_is_stopped() {
    let mut text = "inputs.image = [3, 8, 8]\n[[block.b0.layer]]\nname = \"r\"\nop = \"relu\"\n".to_string();
    for i in 1..20 {
        for name in ["a", "b", "c", "d"] {
            text += &format!("[[block.b{i}.layer]]\nname = \"{name}\"\nop = \"b{}\"\n", i - 1);
        }
    }
    text += "[[layer]]\nname = \"u\"\nop = \"b19\"\n";
    let found = errors(&text);
    assert!(
        found.len() == 1 && found[0].contains("more than 100000 layers"),
        "{found:#?}"
    );
}

#[test]
fn a_tower_of_blocks_is_stopped() {
    let mut text = "inputs.image = [3, 8, 8]\n[[block.b0.layer]]\nname = \"r\"\nop = \"relu\"\n".to_string();
    for i in 1..5000 {
        text += &format!("[[block.b{i}.layer]]\nname = \"a\"\nop = \"b{}\"\n", i - 1);
    }
    text += "[[layer]]\nname = \"u\"\nop = \"b4999\"\n";
    let found = errors(&text);
    assert!(found.len() == 1 && found[0].contains("nested more than"), "{found:#?}");
}

/// A long list in many layers, a list of lists of lists, operands by the thousand, a name of megabytes: what instances
/// copy is counted before it is copied.
#[test]
fn what_instances_copy_is_counted() {
    let list = |item: &str, times: usize| format!("[{}]", vec![item; times].join(", "));
    let layers = |key: &str| -> String {
        let layer = |i| format!("[[block.unit.layer]]\nname = \"r{i}\"\nop = \"relu\"\n{key}\n");
        (0..5000).map(layer).collect()
    };
    let head = "inputs.image = [3, 8, 8]\nblock.unit.params = [\"f\"]\n";
    let instance = "[[layer]]\nname = \"u\"\nop = \"unit\"\n";
    let long = instance.replace("\"u\"", &format!("\"{}\"", "u".repeat(1 << 20)));
    let (ones, images) = (list("1", 20_000), list("\"image\"", 20_000));
    let mut laughs = "inputs.image = [3, 8, 8]\n".to_owned();
    for i in 0..20 {
        let inner = if i == 0 {
            "relu".to_owned()
        } else {
            format!("b{}", i - 1)
        };
        let f = list("\"$f\"", 10);
        laughs +=
            &format!("[block.b{i}]\nparams = [\"f\"]\n[[block.b{i}.layer]]\nname = \"l\"\nop = \"{inner}\"\nf = {f}\n");
    }
    for (what, text) in [
        (
            "values",
            format!("{head}{}{instance}f = {ones}\n", layers("size = \"$f\"")),
        ),
        (
            "operands",
            format!("{head}{}{instance}f = 1\nfrom = {images}\n", layers("from = \"in\"")),
        ),
        ("names", format!("{head}{}{long}f = 1\n", layers(""))),
        ("lists", laughs + "[[layer]]\nname = \"u\"\nop = \"b19\"\nf = 1\n"),
    ] {
        let found = errors(&text);
        let said = found
            .iter()
            .any(|error| error.contains("more than 64 MiB of names and values"));
        assert!(said, "{what}: {} errors, {:.500}", found.len(), found[0]);
    }
}
