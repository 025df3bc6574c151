//! Blocks: every instance becomes its layers, with parameters, names, operands and weights filled in.
//!
//! Inner layer `conv1` of the instance `layer1.0` is called `layer1.0.conv1`, and the instance's own name stands for
//! the block's last layer. Inner layers' weights bear their names too, unless a `weights` key says otherwise: on the
//! instance it is the prefix of all inner layers, and the inner layers' own `weights` keys are relative to it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{BlockDecl, InputDecl, Key, LayerDecl, NetDecl, Value, ValueKind};
use crate::diag::{Diagnostic, nearest};
use crate::op::Op;
use crate::span::{Span, Spanned};

use super::inner::Inner;
use super::{Report, weights};

/// Blocks within blocks within blocks …
const MAX_NESTING: usize = 32;
/// Far more than any network has; a few nested blocks could ask for billions.
const MAX_LAYERS: usize = 100_000;
/// Bytes of names, operands and values that instances copy; far more than any network's, but a long list in many layers
/// could ask for terabytes.
const MAX_COPIED: usize = 64 << 20;

/// A network without blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Flat {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) inputs: Vec<InputDecl>,
    pub(crate) layers: Vec<FlatLayer>,
    /// Other names of layers: the instances', each with the name of its last layer.
    pub(crate) aliases: Vec<(Spanned<String>, String)>,
    pub(crate) outputs: Vec<FlatOutput>,
}

/// A layer with its full name and operands' full names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FlatLayer {
    pub(crate) layer: LayerDecl,
    /// Where the operands stand in the layer itself; those of an instance's first layer stand elsewhere.
    pub(crate) from: Option<Span>,
}

/// An output's name, and the input or layer that computes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FlatOutput {
    pub(crate) name: Spanned<String>,
    pub(crate) of: Spanned<String>,
}

/// Expands all instances of a declaration that [`super::check`] has looked at: what is said there is not repeated.
pub(super) fn expand(net: &NetDecl, report: &mut Report) -> Flat {
    let blocks = net
        .blocks
        .iter()
        .map(|block| (block.name.value.as_str(), (block, Inner::of(block))))
        .collect();
    let mut expander = Expander {
        blocks: &blocks,
        flat: Flat {
            name: net.name.clone(),
            inputs: net.inputs.clone(),
            ..Flat::default()
        },
        open: Vec::new(),
        recursive: BTreeSet::new(),
        left: MAX_COPIED,
        report,
    };
    for layer in &net.layers {
        expander.layer(layer, None);
    }
    let mut flat = expander.flat;
    let outputs = net
        .outputs
        .clone()
        .unwrap_or_else(|| net.layers.last().map(|layer| layer.name.clone()).into_iter().collect());
    flat.outputs = outputs
        .into_iter()
        .map(|name| FlatOutput { of: name.clone(), name })
        .collect();
    flat
}

/// What an inner layer sees of the instance that it belongs to.
struct Instance<'a> {
    name: String,
    block: &'a BlockDecl,
    inner: &'a Inner<'a>,
    arguments: BTreeMap<&'a str, &'a Value>,
    operands: Vec<Spanned<String>>,
    /// The prefix of its tensors, if a `weights` key gave one.
    weights: Option<Spanned<String>>,
    places: Vec<Span>,
}

struct Expander<'a> {
    blocks: &'a BTreeMap<&'a str, (&'a BlockDecl, Inner<'a>)>,
    flat: Flat,
    /// The blocks being expanded, outermost first.
    open: Vec<&'a str>,
    recursive: BTreeSet<BTreeSet<&'a str>>,
    /// Bytes that may still be copied.
    left: usize,
    report: &'a mut Report,
}

impl<'a> Expander<'a> {
    fn layer(&mut self, declared: &LayerDecl, within: Option<&Instance<'_>>) {
        let layer = self.substituted(declared, within);
        match self.blocks.get(layer.op.value.as_str()) {
            Some((block, inner)) if self.may_open(block, &layer) => self.instance(&layer, block, inner),
            Some(_) => self.push(silenced(layer), None),
            None if !Op::names().contains(&layer.op.value.as_str()) => self.push(silenced(layer), None),
            None => {
                let from = declared.from.as_ref().and_then(|from| span_of(from));
                self.push(layer, from);
            }
        }
    }

    fn push(&mut self, layer: LayerDecl, from: Option<Span>) {
        self.flat.layers.push(FlatLayer { layer, from });
    }

    /// The layer with full names and without parameters.
    fn substituted(&mut self, declared: &LayerDecl, within: Option<&Instance<'_>>) -> LayerDecl {
        let mut layer = declared.clone();
        let none = BTreeMap::new();
        let arguments = within.map_or(&none, |instance| &instance.arguments);
        let mut broken = false;
        if let Some(parameter) = layer.op.value.strip_prefix('$') {
            layer.op = match arguments.get(parameter).map(|value| (&value.kind, value.span)) {
                Some((ValueKind::Text(op), span)) if Op::names().contains(&op.as_str()) => {
                    Spanned::new(op.clone(), span)
                }
                Some((kind, span)) => {
                    let message = format!("the parameter `{parameter}` must name an operator, found {kind}");
                    self.report
                        .add(Diagnostic::error(span, message).also(layer.op.span, "used here as `op`"));
                    Spanned::new(String::new(), span)
                }
                None => Spanned::new(String::new(), layer.op.span),
            };
        }
        // A parameter that the block does not have was reported at its place: it stays, and nothing more is said about
        // that place. One that the instance does not give was reported elsewhere: the layer cannot be read.
        let given = |name: &str| {
            let declared = within.is_some_and(|instance| instance.block.params.iter().any(|p| p.value == name));
            !declared || arguments.contains_key(name)
        };
        // Without its `weights`, about which all has been said, the rest of a layer can still be read.
        let own_weights = layer
            .keys
            .iter()
            .find(|key| key.name.value == "weights")
            .and_then(|key| {
                let text = weights::text(&key.value.kind, arguments, |refused| {
                    let message = format!(
                        "a part of `weights` must be a string or an integer, found {}",
                        refused.kind
                    );
                    self.report
                        .add(Diagnostic::error(refused.span, message).also(key.value.span, "used here in `weights`"));
                });
                text.map(|text| Spanned::new(text, key.value.span))
            });
        layer.keys.retain(|key| key.name.value != "weights");
        let mut left = self.left;
        for key in &mut layer.keys {
            broken |= !substitute(&mut key.value, arguments, &given, &mut left);
        }
        let prefix = within.and_then(|instance| instance.weights.as_ref());
        let weights = match (prefix, own_weights) {
            (None, own) => own,
            (Some(prefix), Some(own)) => Some(Spanned::new(format!("{}.{}", prefix.value, own.value), own.span)),
            (Some(prefix), None) => Some(Spanned::new(
                format!("{}.{}", prefix.value, layer.name.value),
                prefix.span,
            )),
        };
        layer.keys.extend(weights.map(|weights| Key {
            name: Spanned::new("weights".to_string(), weights.span),
            value: Value {
                kind: ValueKind::Text(weights.value),
                span: weights.span,
                used_at: None,
            },
        }));
        if let Some(instance) = within {
            let first = instance
                .block
                .layers
                .first()
                .is_some_and(|first| first.name == declared.name);
            left = left.saturating_sub(instance.name.len() + layer.name.value.len());
            let mut operands = |name| {
                let names = inner_operands(name, instance);
                let bytes = |name: &Spanned<String>| size_of::<Spanned<String>>() + name.value.len();
                left = left.saturating_sub(names.iter().map(bytes).sum());
                if left == 0 { Vec::new() } else { names.into_owned() }
            };
            layer.from = match &declared.from {
                Some(names) => Some(names.iter().flat_map(operands).collect()),
                None if first => Some(operands(&Spanned::new(instance.block.input.clone(), layer.op.span))),
                None => None,
            };
            layer.name.value = format!("{}.{}", instance.name, layer.name.value);
            layer.instances = instance.places.clone();
        }
        if left == 0 && self.left > 0 {
            let place = layer.instances.last().copied().unwrap_or(layer.name.span);
            let message = format!(
                "the blocks expand to more than {} MiB of names and values",
                MAX_COPIED >> 20
            );
            self.report.add(Diagnostic::error(place, message));
        }
        self.left = left;
        if broken { silenced(layer) } else { layer }
    }

    fn instance(&mut self, layer: &LayerDecl, block: &'a BlockDecl, inner: &'a Inner<'a>) {
        let above = self.flat.layers.last().map(|above| &above.layer.name);
        let above = above.or(self.flat.inputs.first().map(|input| &input.name));
        let misspelt = layer.keys.iter().map(|key| &key.name).find(|key| {
            let means_something = key.value == "weights" || block.params.iter().any(|param| param.value == key.value);
            !means_something && nearest(&key.value, ["from"]).is_some()
        });
        let operands = match (&layer.from, misspelt) {
            (Some(from), _) => from.clone(),
            // What it is applied to was said, but not read.
            (None, Some(key)) => vec![Spanned::new(String::new(), key.span)],
            (None, None) => above
                .map(|name| Spanned::new(name.value.clone(), layer.op.span))
                .into_iter()
                .collect(),
        };
        let weights = layer.keys.iter().find(|key| key.name.value == "weights");
        let mut places = vec![layer.name.span];
        places.extend(&layer.instances);
        let instance = Instance {
            name: layer.name.value.clone(),
            block,
            inner,
            arguments: layer
                .keys
                .iter()
                .map(|key| (key.name.value.as_str(), &key.value))
                .collect(),
            operands,
            weights: weights.and_then(|key| match &key.value.kind {
                ValueKind::Text(text) => Some(Spanned::new(text.clone(), key.value.span)),
                _ => None,
            }),
            places,
        };
        self.open.push(&block.name.value);
        for inner in &block.layers {
            if self.left == 0 {
                break;
            }
            self.layer(inner, Some(&instance));
        }
        self.open.pop();
        if let Some(last) = self.flat.layers.last() {
            self.flat
                .aliases
                .push((layer.name.clone(), last.layer.name.value.clone()));
        }
    }

    /// Whether an instance can be expanded here.
    fn may_open(&mut self, block: &'a BlockDecl, layer: &LayerDecl) -> bool {
        let name = block.name.value.as_str();
        if let Some(start) = self.open.iter().position(|open| *open == name) {
            let chain = &self.open[start..];
            if self.recursive.insert(chain.iter().copied().collect()) {
                let path: Vec<_> = chain.iter().chain([&name]).map(|name| format!("`{name}`")).collect();
                self.report.add(
                    Diagnostic::error(
                        layer.op.span,
                        format!("the block `{name}` uses itself: {}", path.join(" → ")),
                    )
                    .also(block.name.span, "declared here")
                    .note("blocks may use other blocks, but not themselves"),
                );
            }
            return false;
        }
        if self.open.len() >= MAX_NESTING {
            let message = format!("blocks are nested more than {MAX_NESTING} deep");
            self.report.add(Diagnostic::error(block.name.span, message));
            return false;
        }
        if self.left == 0 {
            return false;
        }
        if self.flat.layers.len() > MAX_LAYERS {
            let place = layer.instances.last().copied().unwrap_or(layer.name.span);
            let message = format!("the blocks expand to more than {MAX_LAYERS} layers");
            self.report.add(Diagnostic::error(place, message));
            return false;
        }
        !block.layers.is_empty()
    }
}

/// The layer as one about which everything has been said.
fn silenced(mut layer: LayerDecl) -> LayerDecl {
    layer.op.value.clear();
    layer
}

/// What an operand's name means inside an instance. One that means nothing there becomes the empty name.
fn inner_operands<'i>(name: &Spanned<String>, instance: &'i Instance<'_>) -> Cow<'i, [Spanned<String>]> {
    if name.value == instance.block.input {
        return Cow::Borrowed(&instance.operands);
    }
    let meant = match instance.inner.holds(&name.value) {
        true => format!("{}.{}", instance.name, name.value),
        false => String::new(),
    };
    Cow::Owned(vec![Spanned::new(meant, name.span)])
}

/// Replaces parameters inside a value, as long as no more than `left` bytes are copied; `false` if one is not given.
fn substitute(
    value: &mut Value,
    arguments: &BTreeMap<&str, &Value>,
    given: &impl Fn(&str) -> bool,
    left: &mut usize,
) -> bool {
    match &mut value.kind {
        ValueKind::Parameter(name) => {
            let Some(argument) = arguments.get(name.as_str()) else {
                return given(name);
            };
            *left = left.saturating_sub(bytes(argument));
            if *left == 0 {
                return false;
            }
            let used_at = value.span;
            *value = (*argument).clone();
            value.used_at = Some(used_at);
            true
        }
        ValueKind::List(items) => items.iter_mut().all(|item| substitute(item, arguments, given, left)),
        ValueKind::Table(keys) => keys
            .iter_mut()
            .all(|key| substitute(&mut key.value, arguments, given, left)),
        _ => true,
    }
}

/// About how much memory a copy of a value takes.
fn bytes(value: &Value) -> usize {
    let content = match &value.kind {
        ValueKind::List(items) => items.iter().map(bytes).sum(),
        ValueKind::Table(keys) => keys.iter().map(|key| key.name.value.len() + bytes(&key.value)).sum(),
        ValueKind::Text(text) | ValueKind::Parameter(text) => text.len(),
        ValueKind::Integer(_) | ValueKind::Float(_) | ValueKind::Boolean(_) => 0,
    };
    size_of::<Value>() + content
}

/// From the first name to the last.
fn span_of(names: &[Spanned<String>]) -> Option<Span> {
    let spans = names.iter().map(|name| name.span);
    spans.reduce(Span::to)
}
