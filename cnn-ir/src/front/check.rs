//! What can be said about a declaration before blocks are expanded: names, operators, parameters.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::ast::{BlockDecl, Key, LayerDecl, NetDecl, Value, ValueKind};
use crate::diag::Diagnostic;
use crate::op::Op;
use crate::span::{Span, Spanned};

use super::Report;
use super::inner::Inner;
use super::names;
use super::weights::parameters_in;

/// Words that a block's parameter cannot be called, because they mean something in every layer.
const RESERVED: [&str; 4] = ["name", "op", "from", "weights"];

/// Reports what is wrong with a declaration's words, one by one.
pub(super) fn check(net: &NetDecl, complete: bool, report: &mut Report) {
    let blocks: BTreeMap<&str, &BlockDecl> = net.blocks.iter().map(|b| (b.name.value.as_str(), b)).collect();
    for input in &net.inputs {
        name(&input.name, "an input", report);
    }
    let mut seen = BTreeMap::new();
    for block in &net.blocks {
        name(&block.name, "a block", report);
        unique(&block.name, &mut seen, report);
        if Op::names().contains(&block.name.value.as_str()) {
            report.add(
                Diagnostic::error(
                    block.name.span,
                    format!("`{}` is already an operator", block.name.value),
                )
                .note("give the block another name"),
            );
        }
        check_block(block, &blocks, complete, report);
    }
    for layer in &net.layers {
        name(&layer.name, "a layer", report);
        check_layer(layer, None, &blocks, report);
    }
    let used: BTreeSet<&str> = net
        .blocks
        .iter()
        .flat_map(|block| &block.layers)
        .chain(&net.layers)
        .map(|layer| layer.op.value.as_str())
        .collect();
    for block in net
        .blocks
        .iter()
        .filter(|block| !used.contains(block.name.value.as_str()))
    {
        report.add(Diagnostic::warning(
            block.name.span,
            format!("no layer uses the block `{}`", block.name.value),
        ));
    }
}

fn check_block(block: &BlockDecl, blocks: &BTreeMap<&str, &BlockDecl>, complete: bool, report: &mut Report) {
    let mut seen = BTreeMap::new();
    for param in &block.params {
        name(param, "a parameter", report);
        unique(param, &mut seen, report);
        if param.value.contains('.') {
            let message = format!("the parameter `{}` has a dot in its name", param.value);
            report.add(Diagnostic::error(param.span, message));
        }
        if param.value == block.input || RESERVED.contains(&param.value.as_str()) {
            report.add(
                Diagnostic::error(param.span, format!("a parameter cannot be called `{}`", param.value))
                    .note("the word has a meaning of its own in every layer"),
            );
        }
    }
    if block.layers.is_empty() && complete {
        let message = format!("the block `{}` has no layers", block.name.value);
        report.add(Diagnostic::error(block.name.span, message).note("its last layer would be its result"));
    }
    let mut seen = BTreeMap::new();
    for layer in &block.layers {
        name(&layer.name, "a layer", report);
        unique(&layer.name, &mut seen, report);
        if layer.name.value == block.input {
            let input = &block.input;
            report.add(
                Diagnostic::error(
                    layer.name.span,
                    format!("a layer of a block cannot be called `{input}`"),
                )
                .note(format!("inside a block `{input}` is what the block is applied to")),
            );
        }
        check_layer(layer, Some(block), blocks, report);
    }
    let inner = Inner::of(block);
    for operand in block.layers.iter().flat_map(|layer| layer.from.iter().flatten()) {
        if complete && !inner.holds(&operand.value) {
            let candidates = block
                .layers
                .iter()
                .map(|layer| layer.name.value.as_str())
                .chain([block.input.as_str()]);
            report.add(
                names::unknown(
                    operand,
                    &format!("layer of the block `{}`", block.name.value),
                    candidates,
                )
                .note(format!(
                    "a block sees its own layers and `{}`, which is what it is applied to",
                    block.input
                )),
            );
        }
    }
    let used: BTreeSet<String> = block
        .layers
        .iter()
        .flat_map(parameters)
        .map(|used| used.value)
        .collect();
    for param in block.params.iter().filter(|param| !used.contains(&param.value)) {
        report.add(Diagnostic::warning(
            param.span,
            format!(
                "the block `{}` does not use its parameter `{}`",
                block.name.value, param.value
            ),
        ));
    }
}

fn check_layer(
    layer: &LayerDecl,
    within: Option<&BlockDecl>,
    blocks: &BTreeMap<&str, &BlockDecl>,
    report: &mut Report,
) {
    let op = &layer.op;
    for parameter in parameters(layer) {
        known_parameter(&parameter, within, report);
    }
    if let Some(block) = blocks.get(op.value.as_str()) {
        check_instance(layer, block, report);
    } else if !op.value.is_empty() && !op.value.starts_with('$') && !Op::names().contains(&op.value.as_str()) {
        let candidates = Op::names().iter().copied().chain(blocks.keys().copied());
        report.add(names::unknown(op, "operator or block", candidates));
    }
    let mut seen = BTreeMap::new();
    for key in layer.keys.iter().filter(|key| key.name.value == "weights") {
        unique(&key.name, &mut seen, report);
        check_weights(key, report);
    }
    if within.is_none() {
        check_strays(layer, blocks, report);
    }
}

fn check_weights(key: &Key, report: &mut Report) {
    let problem = match &key.value.kind {
        ValueKind::Text(text) if text.is_empty() => "an empty string".to_string(),
        ValueKind::Text(_) | ValueKind::Parameter(_) => return,
        other => other.describe().to_string(),
    };
    report.add(
        Diagnostic::error(
            key.value.span,
            format!("`weights` must be a prefix of tensor names, found {problem}"),
        )
        .note("for example \"features.0\", for the tensors `features.0.weight` and `features.0.bias`"),
    );
}

/// In TOML a network's key that is written below the first table becomes one of the last layer's.
fn check_strays(layer: &LayerDecl, blocks: &BTreeMap<&str, &BlockDecl>, report: &mut Report) {
    let is_parameter = |word: &str| {
        let block = blocks.get(layer.op.value.as_str());
        block.is_some_and(|block| block.params.iter().any(|param| param.value == word))
    };
    for key in &layer.keys {
        let word = key.name.value.as_str();
        if matches!(word, "outputs" | "inputs") && !is_parameter(word) {
            report.add(
                Diagnostic::error(
                    key.name.span,
                    format!("`{word}` is not a key of a layer but of the network"),
                )
                .note("in TOML a key belongs to the table above it: write this line above the first `[…]`"),
            );
        }
    }
}

/// The keys of an instance are the block's parameters.
fn check_instance(layer: &LayerDecl, block: &BlockDecl, report: &mut Report) {
    let name = &block.name.value;
    let params = block.params.iter().map(|param| param.value.as_str());
    let known: HashSet<&str> = params.clone().collect();
    let mut seen = BTreeMap::new();
    let mut misspelt = BTreeSet::new();
    for key in &layer.keys {
        if key.name.value != "weights" {
            unique(&key.name, &mut seen, report);
        }
        let elsewhere = matches!(key.name.value.as_str(), "weights" | "outputs" | "inputs");
        if !elsewhere && !known.contains(key.name.value.as_str()) {
            let candidates = params.clone().chain(["from", "weights"]);
            if let Some(meant) = crate::diag::nearest(&key.name.value, candidates.clone()) {
                misspelt.insert(meant);
            }
            report.add(
                names::unknown(&key.name, &format!("parameter of the block `{name}`"), candidates)
                    .also(block.name.span, "the block is declared here"),
            );
        }
    }
    let given: BTreeSet<&str> = layer.keys.iter().map(|key| key.name.value.as_str()).collect();
    for param in &block.params {
        if !given.contains(param.value.as_str()) && !misspelt.contains(param.value.as_str()) {
            report.add(
                Diagnostic::error(
                    layer.op.span,
                    format!("the block `{name}` needs the parameter `{}`", param.value),
                )
                .label(format!("`{}` is missing", param.value))
                .also(param.span, "declared here"),
            );
        }
    }
}

fn known_parameter(parameter: &Spanned<String>, within: Option<&BlockDecl>, report: &mut Report) {
    let Some(block) = within else {
        report.add(
            Diagnostic::error(
                parameter.span,
                format!("`${}` stands outside of a block", parameter.value),
            )
            .note("a string that begins with `$` is a parameter of the block it stands in"),
        );
        return;
    };
    let params = block.params.iter().map(|param| param.value.as_str());
    if !params.clone().any(|param| param == parameter.value) {
        report.add(names::unknown(
            parameter,
            &format!("parameter of the block `{}`", block.name.value),
            params,
        ));
    }
}

/// The parameters that a layer uses, with the places of use.
fn parameters(layer: &LayerDecl) -> Vec<Spanned<String>> {
    let mut found: Vec<_> = layer
        .op
        .value
        .strip_prefix('$')
        .map(|parameter| Spanned::new(parameter.to_string(), layer.op.span))
        .into_iter()
        .collect();
    for key in &layer.keys {
        if key.name.value == "weights" {
            let names = parameters_in(&key.value.kind).into_iter();
            found.extend(names.map(|name| Spanned::new(name, key.value.span)));
        } else {
            collect_parameters(&key.value, &mut found);
        }
    }
    found
}

fn collect_parameters(value: &Value, found: &mut Vec<Spanned<String>>) {
    match &value.kind {
        ValueKind::Parameter(name) => found.push(Spanned::new(name.clone(), value.span)),
        ValueKind::List(items) => items.iter().for_each(|item| collect_parameters(item, found)),
        ValueKind::Table(keys) => keys.iter().for_each(|key| collect_parameters(&key.value, found)),
        _ => {}
    }
}

fn name(name: &Spanned<String>, what: &str, report: &mut Report) {
    if let Some(error) = names::check(name, what) {
        report.add(error);
    }
}

fn unique<'a>(name: &'a Spanned<String>, seen: &mut BTreeMap<&'a str, Span>, report: &mut Report) {
    match seen.get(name.value.as_str()) {
        Some(first) => report.add(names::duplicate(name, *first)),
        None => {
            seen.insert(&name.value, name.span);
        }
    }
}
