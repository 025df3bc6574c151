//! A network as it was declared, with the place of every word.
//!
//! Every front end (TOML, the text form of the graph, the macro's tokens) makes a [`NetDecl`]; nothing is
//! checked here beyond the form. `front::expand` replaces block instances by their layers, and
//! `front::lower` turns the rest into a graph.

use crate::span::{Span, Spanned};

/// A declared network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetDecl {
    /// The network's name, if it was given one.
    pub name: Option<Spanned<String>>,
    /// The inputs in the order of declaration.
    pub inputs: Vec<InputDecl>,
    /// The names of the outputs; the last layer when absent.
    pub outputs: Option<Vec<Spanned<String>>>,
    /// Blocks: repeated modules.
    pub blocks: Vec<BlockDecl>,
    /// The layers in the order of declaration.
    pub layers: Vec<LayerDecl>,
}

/// An input: `image = [1, 32, 32]` or `image = { shape = [32, 32, 1], layout = "hwc" }`.
#[derive(Clone, Debug, PartialEq)]
pub struct InputDecl {
    /// The input's name.
    pub name: Spanned<String>,
    /// `shape` and perhaps `layout`.
    pub keys: Vec<Key>,
}

/// A block: layers with parameters, instantiated by naming it as an `op`.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockDecl {
    /// The block's name.
    pub name: Spanned<String>,
    /// The word that names the instance's operands inside it: `in` in a model file.
    pub input: String,
    /// Its parameters.
    pub params: Vec<Spanned<String>>,
    /// Its layers. The last one is its result.
    pub layers: Vec<LayerDecl>,
}

/// A layer: an operator or block, its operands and its keys.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerDecl {
    /// The layer's name.
    pub name: Spanned<String>,
    /// The operator's or block's name.
    pub op: Spanned<String>,
    /// The operands' names; the layer above when absent.
    pub from: Option<Vec<Spanned<String>>>,
    /// All other keys in the order written.
    pub keys: Vec<Key>,
    /// The whole layer.
    pub span: Span,
    /// The block instances this layer was expanded from, innermost first; empty as declared.
    pub instances: Vec<Span>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The key.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Value,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Where it stands.
    pub span: Span,
    /// For a value that replaced a block's parameter: where the parameter is used.
    pub used_at: Option<Span>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or exponent.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A string.
    Text(String),
    /// `[a, b]`.
    List(Vec<Value>),
    /// `{ op = "leaky_relu", alpha = 0.1 }`.
    Table(Vec<Key>),
    /// A block's parameter: `"$c1"`.
    Parameter(String),
}

impl ValueKind {
    /// What a reader would call it: "an integer", "a string" …
    pub fn describe(&self) -> &'static str {
        match self {
            ValueKind::Integer(_) => "an integer",
            ValueKind::Float(_) => "a number with a fraction",
            ValueKind::Boolean(_) => "a boolean",
            ValueKind::Text(_) => "a string",
            ValueKind::List(_) => "a list",
            ValueKind::Table(_) => "a table",
            ValueKind::Parameter(_) => "a block's parameter",
        }
    }
}

impl std::fmt::Display for ValueKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ValueKind::Integer(value) => write!(f, "{value}"),
            ValueKind::Float(value) => write!(f, "{value:?}"),
            ValueKind::Boolean(value) => write!(f, "{value}"),
            ValueKind::Text(value) => write!(f, "{value:?}"),
            ValueKind::List(values) => {
                f.write_str("[")?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, value.kind)?;
                }
                f.write_str("]")
            }
            ValueKind::Table(keys) => {
                f.write_str("{ ")?;
                for (i, key) in keys.iter().enumerate() {
                    write!(
                        f,
                        "{}{} = {}",
                        if i == 0 { "" } else { ", " },
                        key.name.value,
                        key.value.kind
                    )?;
                }
                f.write_str(" }")
            }
            ValueKind::Parameter(name) => write!(f, "\"${name}\""),
        }
    }
}

impl Value {
    /// A value that stands nowhere in a source, as printers make them.
    pub fn unplaced(kind: ValueKind) -> Value {
        Value {
            kind,
            span: Span::NONE,
            used_at: None,
        }
    }
}
