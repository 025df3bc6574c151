//! Writes a declaration as a TOML model file: the counterpart of the TOML front end, for importers.

use std::fmt::{Display, Write};

use crate::ast::{InputDecl, Key, LayerDecl, NetDecl, ValueKind};
use crate::span::Spanned;

/// The model file that reads back as `net`. Keys of every layer stand in the order in which the declaration has them.
pub fn toml(net: &NetDecl) -> String {
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    if let Some(name) = &net.name {
        line(format_args!("name = {}", quoted(&name.value)));
    }
    if let Some(outputs) = &net.outputs {
        line(format_args!("outputs = {}", names(outputs)));
    }
    if net.name.is_some() || net.outputs.is_some() {
        line(format_args!(""));
    }
    line(format_args!("[inputs]"));
    for input in &net.inputs {
        line(format_args!("{} = {}", key(&input.name.value), declared(input)));
    }
    for block in &net.blocks {
        line(format_args!("\n[block.{}]", key(&block.name.value)));
        line(format_args!("params = {}", names(&block.params)));
        for layer in &block.layers {
            line(format_args!("\n[[block.{}.layer]]", key(&block.name.value)));
            keys(layer).iter().for_each(|key| line(format_args!("{key}")));
        }
    }
    for layer in &net.layers {
        line(format_args!("\n[[layer]]"));
        keys(layer).iter().for_each(|key| line(format_args!("{key}")));
    }
    text
}

/// A layer's lines.
fn keys(layer: &LayerDecl) -> Vec<String> {
    let mut lines = vec![
        format!("name = {}", quoted(&layer.name.value)),
        format!("op = {}", quoted(&layer.op.value)),
    ];
    lines.extend(layer.from.as_deref().map(|from| match from {
        [one] => format!("from = {}", quoted(&one.value)),
        many => format!("from = {}", names(many)),
    }));
    let own = layer.keys.iter();
    lines.extend(own.map(|key| format!("{} = {}", self::key(&key.name.value), value(&key.value.kind))));
    lines
}

/// An input's shape alone, if it has no other key.
fn declared(input: &InputDecl) -> String {
    match &*input.keys {
        [only] if only.name.value == "shape" => value(&only.value.kind),
        keys => table(keys),
    }
}

fn names(names: &[Spanned<String>]) -> String {
    list(names.iter().map(|name| quoted(&name.value)))
}

fn list(items: impl Iterator<Item = impl Display>) -> String {
    let items: Vec<_> = items.map(|item| item.to_string()).collect();
    format!("[{}]", items.join(", "))
}

fn table(keys: &[Key]) -> String {
    let pair = |key: &Key| format!("{} = {}", self::key(&key.name.value), value(&key.value.kind));
    format!("{{ {} }}", keys.iter().map(pair).collect::<Vec<_>>().join(", "))
}

/// A key's value.
pub fn value(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Float(number) if number.is_nan() => "nan".to_owned(),
        ValueKind::Integer(_) | ValueKind::Float(_) | ValueKind::Boolean(_) => kind.to_string(),
        ValueKind::Text(text) => quoted(text),
        ValueKind::List(values) => list(values.iter().map(|item| value(&item.kind))),
        ValueKind::Table(keys) => table(keys),
        ValueKind::Parameter(name) => quoted(&format!("${name}")),
    }
}

/// A key: bare if TOML allows it.
fn key(name: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::{graph_from_toml, toml::parse};
    use super::*;

    const MODEL: &str = r#"name = "a \"name\" \u0007"
outputs = ["p.1", "c1"]

[inputs]
image = [3, 8, 8]
"a.b" = { shape = [8, 8, 3], layout = "hwc" }

[block.twice]
params = ["n", "act"]

[[block.twice.layer]]
name = "a"
op = "conv"
filters = "$n"
kernel = 1
activation = "$act"

[[layer]]
name = "both"
op = "add"
from = ["image", "a.b"]

[[layer]]
name = "t"
op = "twice"
n = 4
act = { op = "leaky_relu", alpha = 0.1 }

[[layer]]
name = "c1"
op = "clip"
from = "both"
min = -inf
max = 1e-5

[[layer]]
name = "p.1"
op = "dropout"
from = "t"
rate = 0.25
"#;

    #[test]
    fn what_is_written_reads_back() {
        let net = parse(MODEL).net;
        assert_eq!(toml(&net), MODEL);
        let (graph, _) = graph_from_toml(MODEL).expect("a valid model");
        assert_eq!(graph.outputs().len(), 2);
    }
}
