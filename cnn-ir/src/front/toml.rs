//! TOML → [`NetDecl`], with the place of every word.
//!
//! Only the form is checked: which tables and keys there may be, and where text, lists and tables belong. Parsing
//! goes on behind every error. A layer that holds a syntax error, or has no `op`, keeps its name but gets an empty
//! `op`: later stages then know that it exists and say nothing more about it.

use std::collections::BTreeSet;

use toml::Spanned as Node;
use toml::de::{DeString, DeTable, DeValue};

use crate::ast::{BlockDecl, InputDecl, Key, LayerDecl, NetDecl, Value, ValueKind};
use crate::diag::{Diagnostic, nearest};
use crate::front::{Parsed, names};
use crate::span::{Span, Spanned};

const NETWORK_KEYS: [&str; 5] = ["name", "outputs", "inputs", "layer", "block"];
const BLOCK_KEYS: [&str; 2] = ["params", "layer"];

/// Reads a declaration. What could not be read is missing from it, and an error says so.
pub fn parse(text: &str) -> Parsed {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::default();
    for error in &errors {
        reader.syntax_error(text, error);
    }
    let mut net = reader.network(document.get_ref());
    reader.silence_broken_layers(&mut net);
    reader.disconnect_lost_layers(&mut net);
    Parsed {
        net,
        diagnostics: reader.diagnostics,
        complete: !reader.incomplete,
        inputs_broken: reader.inputs_broken,
    }
}

type Entry<'a, 'i> = (&'a Node<DeString<'i>>, &'a Node<DeValue<'i>>);

#[derive(Default)]
struct Reader {
    diagnostics: Vec<Diagnostic>,
    /// Where the text is not TOML.
    syntax: Vec<usize>,
    /// The lines that are not.
    lines: BTreeSet<usize>,
    /// Where tables begin.
    headers: Vec<usize>,
    /// Layers without `name` or `op`, by where they begin: no complaint if a syntax error is why.
    missing: Vec<(usize, Diagnostic)>,
    unnamed: usize,
    incomplete: bool,
    /// Where `[inputs]` begins.
    inputs: Vec<usize>,
    inputs_broken: bool,
    /// Where tables begin that may have been meant as layers but are not in the declaration.
    lost: Vec<usize>,
}

impl Reader {
    fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn syntax_error(&mut self, text: &str, error: &toml::de::Error) {
        // An error without a place is one at the end of the text; an empty range would show nothing.
        let range = error.span().unwrap_or(text.len()..text.len());
        let start = range.start.min(text.len());
        let end = range.end.clamp(start, text.len());
        // The parser stumbles on: only the first error of a line is the writer's.
        let line = text[..start].matches('\n').count();
        let first = self.lines.insert(line);
        self.syntax.push(start);
        self.incomplete = true;
        if !first {
            return;
        }
        let span = if start == end && end == 0 {
            Span::NONE
        } else {
            Span::from(start..end)
        };
        self.error(Diagnostic::error(span, format!("not valid TOML: {}", error.message())));
    }

    /// A layer whose text holds a syntax error lost something: what, nobody knows.
    fn silence_broken_layers(&mut self, net: &mut NetDecl) {
        self.headers.sort_unstable();
        let broken: Vec<usize> = self
            .syntax
            .iter()
            .filter_map(|error| self.headers.iter().rev().find(|header| *header <= error).copied())
            .collect();
        self.inputs_broken = self.inputs.iter().any(|header| broken.contains(header));
        let missing = std::mem::take(&mut self.missing);
        self.diagnostics.extend(
            missing
                .into_iter()
                .filter(|(header, _)| !broken.contains(header))
                .map(|(_, error)| error),
        );
        let blocks = net.blocks.iter_mut().flat_map(|block| &mut block.layers);
        for layer in net.layers.iter_mut().chain(blocks) {
            if broken.contains(&layer.span.start) {
                layer.op.value.clear();
            }
        }
    }

    /// The layer above is not the one meant if a table stands between that could not be read.
    fn disconnect_lost_layers(&self, net: &mut NetDecl) {
        let blocks = net.blocks.iter_mut().map(|block| &mut block.layers);
        for layers in blocks.chain([&mut net.layers]) {
            let mut above = 0;
            for layer in layers {
                let between = above..layer.span.start;
                above = layer.span.start;
                if layer.from.is_none() && self.lost.iter().any(|lost| between.contains(lost)) {
                    layer.from = Some(vec![unreadable(layer.op.span)]);
                }
            }
        }
    }

    fn network(&mut self, table: &DeTable<'_>) -> NetDecl {
        let mut net = NetDecl::default();
        for (key, value) in entries(table) {
            let word = key.get_ref().as_ref();
            let meant = if NETWORK_KEYS.contains(&word) {
                Some(word)
            } else {
                let error = names::unknown(&text_of(key), "table or key", NETWORK_KEYS);
                self.error(error);
                nearest(word, NETWORK_KEYS)
            };
            match meant {
                Some("name") => net.name = self.text(value, "the network's name"),
                Some("outputs") => net.outputs = self.outputs(value),
                // A table may stand under its name and a misspelt one.
                Some("inputs") => net.inputs.extend(self.inputs(value)),
                Some("layer") => net.layers.extend(self.layers(value, "[[layer]]")),
                Some("block") => net.blocks.extend(self.blocks(value)),
                _ => {
                    self.incomplete = true;
                    self.headers.push(value.span().start);
                    if let DeValue::Array(tables) = value.get_ref() {
                        self.lost.extend(tables.iter().map(|table| table.span().start));
                    }
                }
            }
        }
        net.layers.sort_by_key(|layer| layer.span.start);
        net
    }

    fn outputs(&mut self, value: &Node<DeValue<'_>>) -> Option<Vec<Spanned<String>>> {
        let outputs = self.texts(value, "`outputs`")?;
        if outputs.is_empty() && !self.incomplete {
            let error = Diagnostic::error(span_of(value), "`outputs` names no layer");
            self.error(error.note("without `outputs` the last layer is the output"));
            return None;
        }
        Some(outputs)
    }

    fn inputs(&mut self, value: &Node<DeValue<'_>>) -> Vec<InputDecl> {
        self.headers.push(value.span().start);
        self.inputs.push(value.span().start);
        let Some(table) = self.table(
            value,
            "`inputs`",
            "`[inputs]`, with a line `image = [3, 32, 32]` for each",
        ) else {
            return Vec::new();
        };
        let mut inputs = Vec::new();
        for (key, value) in entries(table) {
            let name = text_of(key);
            let keys = match value.get_ref() {
                DeValue::Table(table) => self.keys(entries(table)),
                _ => match self.value(value) {
                    Some(value) => vec![Key {
                        name: Spanned::new("shape".to_string(), name.span),
                        value,
                    }],
                    None => continue,
                },
            };
            inputs.push(InputDecl { name, keys });
        }
        inputs
    }

    fn blocks(&mut self, value: &Node<DeValue<'_>>) -> Vec<BlockDecl> {
        self.headers.push(value.span().start);
        let Some(table) = self.table(value, "`block`", "`[block.NAME]`") else {
            return Vec::new();
        };
        let mut blocks = Vec::new();
        for (key, value) in entries(table) {
            self.headers.push(value.span().start);
            let name = text_of(key);
            let header = format!("[block.{}]", name.value);
            let Some(table) = self.table(value, &format!("block `{}`", name.value), &format!("`{header}`")) else {
                continue;
            };
            let mut block = BlockDecl {
                name,
                input: "in".to_string(),
                params: Vec::new(),
                layers: Vec::new(),
            };
            for (key, value) in entries(table) {
                match key.get_ref().as_ref() {
                    "params" => block.params = self.texts(value, "`params`").unwrap_or_default(),
                    "layer" => block.layers = self.layers(value, &format!("[[block.{}.layer]]", block.name.value)),
                    _ => {
                        let error = names::unknown(&text_of(key), "key of a block", BLOCK_KEYS);
                        self.error(error);
                    }
                }
            }
            blocks.push(block);
        }
        blocks
    }

    fn layers(&mut self, value: &Node<DeValue<'_>>, header: &str) -> Vec<LayerDecl> {
        match value.get_ref() {
            DeValue::Array(values) => values.iter().filter_map(|value| self.layer(value)).collect(),
            DeValue::Table(_) => {
                self.error(
                    Diagnostic::error(span_of(value), format!("a layer begins with `{header}`"))
                        .label("single brackets make a table, double brackets one of a list"),
                );
                self.layer(value).into_iter().collect()
            }
            _ => {
                self.expected(value, "`layer`", &format!("tables, each under `{header}`"));
                Vec::new()
            }
        }
    }

    fn layer(&mut self, value: &Node<DeValue<'_>>) -> Option<LayerDecl> {
        let header = span_of(value);
        self.headers.push(header.start);
        let Some(table) = self.table(value, "a layer", "a table with `name`, `op` and the operator's keys") else {
            self.lost.push(header.start);
            return None;
        };
        let (mut name, mut op, mut from, mut others) = (None, None, None, Vec::new());
        let mut span = header;
        let (mut has_name, mut has_op) = (false, false);
        for (key, value) in entries(table) {
            if !value.span().is_empty() {
                span = span.to(end_of(value));
            }
            match key.get_ref().as_ref() {
                "name" => {
                    has_name = true;
                    name = self.text(value, "`name`");
                }
                "op" => {
                    has_op = true;
                    op = self.text(value, "`op`");
                }
                "from" => from = Some(self.operands(value)),
                _ => others.push((key, value)),
            }
        }
        if !has_name {
            name = self.missing("name", header, header, &mut others);
        }
        if !has_op {
            op = self.missing(
                "op",
                header,
                name.as_ref().map_or(header, |name| name.span),
                &mut others,
            );
        }
        let name = name.unwrap_or_else(|| {
            self.unnamed += 1;
            self.incomplete = true;
            Spanned::new(names::placeholder(self.unnamed), header)
        });
        let keys = self.keys(others);
        Some(LayerDecl {
            name,
            op: op.unwrap_or_else(|| Spanned::new(String::new(), header)),
            from,
            keys,
            span,
            instances: Vec::new(),
        })
    }

    /// Complains that `name` or `op` is missing; a misspelt one is taken for it.
    fn missing(
        &mut self,
        wanted: &str,
        header: Span,
        place: Span,
        others: &mut Vec<Entry<'_, '_>>,
    ) -> Option<Spanned<String>> {
        let misspelt = others.iter().position(|(key, value)| {
            matches!(value.get_ref(), DeValue::String(_)) && nearest(key.get_ref(), [wanted]).is_some()
        });
        let Some(position) = misspelt else {
            let error = Diagnostic::error(place, format!("this layer has no `{wanted}`"));
            self.missing.push((header.start, error));
            return None;
        };
        let (key, value) = others.remove(position);
        let error = names::unknown(&text_of(key), "key", [wanted]);
        self.error(error);
        self.text(value, wanted)
    }

    fn keys<'a, 'i: 'a>(&mut self, entries: impl IntoIterator<Item = Entry<'a, 'i>>) -> Vec<Key> {
        let mut keys = Vec::new();
        for (key, value) in entries {
            if let Some(value) = self.value(value) {
                keys.push(Key {
                    name: text_of(key),
                    value,
                });
            }
        }
        keys
    }

    fn value(&mut self, node: &Node<DeValue<'_>>) -> Option<Value> {
        let span = span_of(node);
        let kind = match node.get_ref() {
            DeValue::String(text) => match text.strip_prefix('$') {
                Some(parameter) => ValueKind::Parameter(parameter.to_string()),
                None => ValueKind::Text(text.to_string()),
            },
            DeValue::Integer(number) => {
                ValueKind::Integer(
                    i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
                        // Later stages see the nearest number, so that the key is not missing besides.
                        self.error(Diagnostic::error(span, "this number does not fit into 64 bits"));
                        if number.as_str().starts_with('-') {
                            i64::MIN
                        } else {
                            i64::MAX
                        }
                    }),
                )
            }
            DeValue::Float(number) => ValueKind::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => ValueKind::Boolean(*value),
            DeValue::Array(values) => ValueKind::List(values.iter().filter_map(|value| self.value(value)).collect()),
            DeValue::Table(table) => ValueKind::Table(self.keys(entries(table))),
            DeValue::Datetime(date) => {
                self.error(Diagnostic::error(span, "a date or time means nothing in a network"));
                ValueKind::Text(date.to_string())
            }
        };
        Some(Value {
            kind,
            span,
            used_at: None,
        })
    }

    fn text(&mut self, node: &Node<DeValue<'_>>, what: &str) -> Option<Spanned<String>> {
        match node.get_ref() {
            DeValue::String(text) => Some(Spanned::new(text.to_string(), span_of(node))),
            _ => {
                self.expected(node, what, "a string");
                None
            }
        }
    }

    /// A string or a list of strings.
    fn texts(&mut self, node: &Node<DeValue<'_>>, what: &str) -> Option<Vec<Spanned<String>>> {
        match node.get_ref() {
            DeValue::String(text) => Some(vec![Spanned::new(text.to_string(), span_of(node))]),
            DeValue::Array(values) => Some(
                values
                    .iter()
                    .filter_map(|v| self.text(v, &format!("each of {what}")))
                    .collect(),
            ),
            _ => {
                self.expected(node, what, "a name or a list of names, as strings");
                None
            }
        }
    }

    /// A layer's `from`. What is not a name becomes an unreadable one.
    fn operands(&mut self, node: &Node<DeValue<'_>>) -> Vec<Spanned<String>> {
        match node.get_ref() {
            DeValue::Array(values) => {
                let mut name = |value| {
                    self.text(value, "each of `from`")
                        .unwrap_or_else(|| unreadable(span_of(value)))
                };
                values.iter().map(&mut name).collect()
            }
            _ => self
                .texts(node, "`from`")
                .unwrap_or_else(|| vec![unreadable(span_of(node))]),
        }
    }

    fn table<'a, 'i>(&mut self, node: &'a Node<DeValue<'i>>, what: &str, form: &str) -> Option<&'a DeTable<'i>> {
        match node.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                self.expected(node, what, form);
                None
            }
        }
    }

    fn expected(&mut self, node: &Node<DeValue<'_>>, what: &str, expected: &str) {
        self.incomplete = true;
        // What a syntax error left without a value has no place: that was reported.
        if node.span().is_empty() {
            return;
        }
        let found = match node.get_ref() {
            DeValue::Integer(_) => "an integer",
            DeValue::Array(_) => "a list",
            other => match other.type_str() {
                "string" => "a string",
                "float" => "a number with a fraction",
                "boolean" => "a boolean",
                "table" => "a table",
                _ => "a date or time",
            },
        };
        self.error(
            Diagnostic::error(span_of(node), format!("{what} must be {expected}")).label(format!("found {found}")),
        );
    }
}

/// An operand that was written but is not a name: nothing is called like it.
fn unreadable(place: Span) -> Spanned<String> {
    Spanned::new(String::new(), place)
}

/// The entries in the order written.
fn entries<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn span_of<T>(node: &Node<T>) -> Span {
    Span::from(node.span())
}

fn text_of(key: &Node<DeString<'_>>) -> Spanned<String> {
    Spanned::new(key.get_ref().to_string(), span_of(key))
}

/// The place of the last word of a value: a table under its own header stands above its entries.
fn end_of(node: &Node<DeValue<'_>>) -> Span {
    let own = span_of(node);
    match node.get_ref() {
        DeValue::Table(table) => table.iter().fold(own, |span, (_, value)| match end_of(value) {
            Span::NONE => span,
            end => span.to(end),
        }),
        _ => own,
    }
}
