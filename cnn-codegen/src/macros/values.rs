//! Values of keys: numbers, words, strings, lists and tables.

use std::collections::{BTreeMap, BTreeSet};

use cnn_ir::ast::{Key, Value, ValueKind};
use cnn_ir::diag::{Diagnostic, nearest};
use cnn_ir::span::{Span, Spanned};
use proc_macro2::{Delimiter, TokenTree};
use syn::Lit;

use super::tokens::{Cursor, Tree};

/// What reading has found wrong, and what words mean where it reads.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The parameters of the block that is being read.
    pub(super) params: BTreeSet<String>,
    /// What `const` declares, and where.
    pub(super) constants: BTreeMap<String, (ValueKind, Span)>,
    /// Where the statement that is being read is not well formed. What is read behind that place may not be what was
    /// meant, and nothing more is said about it.
    pub(super) broken: Option<Span>,
}

impl Reader {
    pub(super) fn error(&mut self, place: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic::error(place, message));
        let last = self.diagnostics.len() - 1;
        &mut self.diagnostics[last]
    }

    /// The statement is not well formed: says what is expected where the cursor is, and perhaps an example.
    pub(super) fn expected(&mut self, cursor: &Cursor<'_>, what: &str, note: &str) {
        if self.broken.is_none() {
            self.missing(cursor, what, note);
            self.broken = Some(cursor.place());
        }
    }

    /// Says what is missing where the cursor is, if it is clear what was meant.
    pub(super) fn missing(&mut self, cursor: &Cursor<'_>, what: &str, note: &str) {
        if self.broken.is_none() {
            let message = format!("expected {what}, found {}", cursor.found());
            let error = self.error(cursor.place(), message);
            error.notes.extend((!note.is_empty()).then(|| note.to_owned()));
        }
    }

    /// Takes the comma between the items of a list.
    pub(super) fn comma(&mut self, cursor: &mut Cursor<'_>) {
        const VALUES: &str = "a value is a number, a word, a string or a list of them: nothing is computed here";
        if cursor.is_at_end() || cursor.eat(',') {
            return;
        }
        match cursor.peek().map(|tree| &tree.token) {
            Some(TokenTree::Ident(_)) if cursor.is(1, '=') => self.missing(cursor, "`,`", ""),
            Some(TokenTree::Punct(_)) => {
                self.expected(cursor, "`,`", VALUES);
                cursor.skip_past(',');
            }
            _ => self.expected(cursor, "`,`", ""),
        }
    }

    /// `const K: usize = 16;`, if that stands here. The type says nothing that the value does not.
    pub(super) fn constant(&mut self, cursor: &mut Cursor<'_>) -> bool {
        if !cursor.is_word("const") || cursor.nth(1).is_none_or(|tree| tree.word().is_none()) {
            return false;
        }
        cursor.next();
        let Some(name) = cursor.word() else { return false };
        cursor.next();
        if cursor.eat(':') {
            while !cursor.is_at_end() && !cursor.is(0, '=') && !cursor.is(0, ';') {
                cursor.next();
            }
        }
        if !cursor.eat('=') {
            self.expected(cursor, "`=`", CONSTANT);
            return true;
        }
        let value = self.value(cursor);
        match self.constants.get(&name.value) {
            Some(&(_, first)) => {
                let message = format!("the constant `{}` is declared twice", name.value);
                let error = self.error(name.span, message);
                *error = error.clone().also(first, "first here");
            }
            None => drop(self.constants.insert(name.value, (value.kind, name.span))),
        }
        if !cursor.is_at_end() && !cursor.eat(';') {
            self.expected(cursor, "`;`", CONSTANT);
        }
        true
    }

    /// `key = value, …` up to the end.
    pub(super) fn keys(&mut self, mut cursor: Cursor<'_>) -> Vec<Key> {
        let mut keys = Vec::new();
        while !cursor.is_at_end() {
            match self.key(&mut cursor) {
                Some(key) => {
                    keys.push(key);
                    self.comma(&mut cursor);
                }
                None => {
                    self.expected(&cursor, "`key = value`", "");
                    cursor.skip_past(',');
                }
            }
        }
        keys
    }

    /// `key = value`, if that stands here.
    pub(super) fn key(&mut self, cursor: &mut Cursor<'_>) -> Option<Key> {
        let name = cursor.word().filter(|_| cursor.is(1, '='))?;
        cursor.next();
        cursor.next();
        let value = self.value(cursor);
        Some(Key { name, value })
    }

    /// The value that stands here. After an error one that stands at the same place: that it is wrong is then known.
    pub(super) fn value(&mut self, cursor: &mut Cursor<'_>) -> Value {
        let start = cursor.place();
        if !cursor.eat('-') {
            return self.unsigned(cursor, false);
        }
        let number_follows = cursor.peek().is_some_and(|tree| match &tree.token {
            TokenTree::Literal(_) => true,
            TokenTree::Ident(word) => is_number(word),
            TokenTree::Punct(_) | TokenTree::Group(_) => false,
        });
        if !number_follows {
            self.expected(cursor, "a number", "");
            return value(ValueKind::Text("-".into()), start);
        }
        let mut value = self.unsigned(cursor, true);
        value.span = start.to(value.span);
        value
    }

    fn unsigned(&mut self, cursor: &mut Cursor<'_>, negative: bool) -> Value {
        let Some(tree) = cursor.peek() else {
            self.expected(cursor, "a value", "");
            return value(ValueKind::Text(String::new()), cursor.place());
        };
        let number = |number: f64| ValueKind::Float(if negative { -number } else { number });
        match &tree.token {
            TokenTree::Literal(_) => {
                cursor.next();
                value(self.literal(tree, negative), tree.span)
            }
            TokenTree::Ident(ident) if is_number(ident) => {
                cursor.next();
                let kind = number(if *ident == "inf" { f64::INFINITY } else { f64::NAN });
                value(kind, tree.span)
            }
            TokenTree::Ident(_) => self.word(cursor, tree),
            TokenTree::Group(group) => {
                cursor.next();
                let kind = match group.delimiter() {
                    Delimiter::Brace => ValueKind::Table(self.keys(tree.content())),
                    Delimiter::Bracket | Delimiter::Parenthesis | Delimiter::None => {
                        ValueKind::List(self.list(tree.content()))
                    }
                };
                value(kind, tree.span)
            }
            TokenTree::Punct(_) => {
                self.expected(cursor, "a value", "");
                if !cursor.is(0, ',') && !cursor.is(0, ';') {
                    cursor.next();
                }
                value(ValueKind::Text(String::new()), tree.span)
            }
        }
    }

    fn list(&mut self, mut cursor: Cursor<'_>) -> Vec<Value> {
        let mut items = Vec::new();
        while !cursor.is_at_end() {
            items.push(self.value(&mut cursor));
            self.comma(&mut cursor);
        }
        items
    }

    /// A word: `true`, a block's parameter, `same`; or an operator with its keys, `leaky_relu(alpha = 0.1)`.
    fn word(&mut self, cursor: &mut Cursor<'_>, tree: &Tree) -> Value {
        let Some(name) = cursor.name() else {
            return value(ValueKind::Text(String::new()), tree.span);
        };
        if let Some(group) = cursor.group(Delimiter::Parenthesis) {
            let op = Key {
                name: Spanned::new("op".to_owned(), name.span),
                value: value(ValueKind::Text(name.value), name.span),
            };
            let keys = std::iter::once(op).chain(self.keys(group.content())).collect();
            return value(ValueKind::Table(keys), name.span.to(group.span));
        }
        let kind = match name.value.as_str() {
            "true" => ValueKind::Boolean(true),
            "false" => ValueKind::Boolean(false),
            word if self.params.contains(word) => ValueKind::Parameter(name.value),
            word => match self.constants.get(word) {
                Some((constant, _)) => constant.clone(),
                None if is_capital(word) => {
                    self.unknown_constant(&name);
                    ValueKind::Text(name.value)
                }
                None => ValueKind::Text(name.value),
            },
        };
        value(kind, name.span)
    }

    fn unknown_constant(&mut self, name: &Spanned<String>) {
        let hint = match nearest(&name.value, self.constants.keys().map(String::as_str)) {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => String::new(),
        };
        let message = format!("no constant `{}` is declared above{hint}", name.value);
        let error = self.error(name.span, message);
        error
            .notes
            .push(format!("{CONSTANT}; constants of the program around are not seen"));
    }

    fn literal(&mut self, tree: &Tree, negative: bool) -> ValueKind {
        let TokenTree::Literal(literal) = &tree.token else {
            return ValueKind::Text(String::new());
        };
        let sign = if negative { "-" } else { "" };
        let (digits, suffix, kind) = match Lit::new(literal.clone()) {
            Lit::Int(number) => {
                let digits = format!("{sign}{}", number.base10_digits());
                let kind = digits.parse().map(ValueKind::Integer).unwrap_or_else(|_| {
                    self.error(tree.span, "this number does not fit into 64 bits");
                    ValueKind::Integer(if negative { i64::MIN } else { i64::MAX })
                });
                (digits, number.suffix().to_owned(), kind)
            }
            Lit::Float(number) => {
                let digits = format!("{sign}{}", number.base10_digits());
                let kind = ValueKind::Float(digits.parse().unwrap_or(f64::NAN));
                (digits, number.suffix().to_owned(), kind)
            }
            Lit::Str(text) if !negative => {
                let text = text.value();
                return match text.strip_prefix('$') {
                    Some(parameter) => ValueKind::Parameter(parameter.to_owned()),
                    None => ValueKind::Text(text),
                };
            }
            _ => {
                let message = format!("expected a number, a word or a string, found `{sign}{literal}`");
                self.error(tree.span, message);
                return ValueKind::Text(literal.to_string());
            }
        };
        if !suffix.is_empty() {
            let message = format!("a number has no type here: write `{digits}` without `{suffix}`");
            self.error(tree.span, message);
        }
        kind
    }
}

/// How a constant is declared.
const CONSTANT: &str = "for example `const K: usize = 16;` in the network or before it";

/// Whether a word is written as Rust's constants are; no operator, layout or padding is.
fn is_capital(word: &str) -> bool {
    word.chars().any(|c| c.is_ascii_uppercase()) && !word.chars().any(|c| c.is_ascii_lowercase())
}

/// Whether a word is a number, as in TOML.
fn is_number(word: &proc_macro2::Ident) -> bool {
    *word == "inf" || *word == "nan"
}

fn value(kind: ValueKind, span: Span) -> Value {
    Value {
        kind,
        span,
        used_at: None,
    }
}
