//! Text → graph. The text becomes a declaration, and the same code as for model files makes a graph of it.

use std::collections::BTreeMap;

use crate::ast::{InputDecl, Key, LayerDecl, Value, ValueKind};
use crate::diag::Diagnostic;
use crate::front::{Flat, FlatLayer, FlatOutput, Report, lower};
use crate::graph::{Graph, NodeId};
use crate::op::Dialect;
use crate::shape::Shape;
use crate::span::{Span, Spanned};
use crate::validate::validate;

use super::lex::{Token, tokens};

/// Lists and tables within each other.
const MAX_NESTING: usize = 32;

/// Reads the text form of a graph. Places in diagnostics are ranges of this text.
///
/// # Errors
/// Everything that is wrong with the text; where shapes are written, also everything that is wrong with the graph.
pub fn parse(text: &str) -> Result<Graph, Vec<Diagnostic>> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        flat: Flat::default(),
        shapes: Vec::new(),
        returned: false,
    };
    let mut report = Report::new(parser.network());
    let graph = lower(&parser.flat, Dialect::Dump, !report.has_errors(), &mut report);
    let (graph, _) = report.finish(graph)?;
    if !parser.shapes.is_empty() {
        check_shapes(&graph, &parser.shapes)?;
    }
    Ok(graph)
}

/// Compares the written shapes with those that the graph has.
fn check_shapes(graph: &Graph, written: &[(String, Spanned<Vec<i64>>)]) -> Result<(), Vec<Diagnostic>> {
    let shapes = validate(graph)?;
    let by_name: BTreeMap<&str, NodeId> = graph.ids().map(|id| (graph[id].name.as_str(), id)).collect();
    let mut errors = Vec::new();
    for (name, dims) in written {
        let Some(shape) = by_name.get(name.as_str()).and_then(|id| shapes.get(*id)) else {
            continue;
        };
        let read: Option<Vec<usize>> = dims.value.iter().map(|dim| usize::try_from(*dim).ok()).collect();
        if read.and_then(|dims| Shape::from_dims(&dims)) != Some(shape) {
            let message = format!("the shape of `%{name}` is {shape}, not {:?}", dims.value);
            errors.push(Diagnostic::error(dims.span, message));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

type Parsed<T> = Result<T, Diagnostic>;

struct Parser {
    /// Ends with [`Token::End`].
    tokens: Vec<Spanned<Token>>,
    at: usize,
    flat: Flat,
    shapes: Vec<(String, Spanned<Vec<i64>>)>,
    returned: bool,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].value
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    /// The place of the token that was taken last.
    fn last(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn take(&mut self) -> Spanned<Token> {
        let token = self.tokens[self.at].clone();
        if token.value != Token::End {
            self.at += 1;
        }
        token
    }

    fn accept(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        if found {
            self.take();
        }
        found
    }

    fn expect(&mut self, token: &Token) -> Parsed<Span> {
        match self.accept(token) {
            true => Ok(self.last()),
            false => Err(self.expected(&token.to_string())),
        }
    }

    fn expected(&self, what: &str) -> Diagnostic {
        Diagnostic::error(self.span(), format!("expected {what}, found {}", self.peek()))
    }

    fn name(&mut self) -> Parsed<Spanned<String>> {
        match self.peek().clone() {
            Token::Name(name) => Ok(Spanned::new(name, self.take().span)),
            _ => Err(self.expected("a node's name, such as `%c1`")),
        }
    }

    fn word(&mut self, what: &str) -> Parsed<Spanned<String>> {
        match self.peek().clone() {
            Token::Word(word) => Ok(Spanned::new(word, self.take().span)),
            _ => Err(self.expected(what)),
        }
    }

    fn network(&mut self) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        if let Err(error) = self.header() {
            return vec![error];
        }
        loop {
            match self.peek() {
                Token::Mark('}') => break,
                Token::End => {
                    errors.push(self.expected("`}`"));
                    return errors;
                }
                _ => {}
            }
            if let Err(error) = self.statement() {
                errors.push(error);
                self.skip_statement();
            }
        }
        self.take();
        if *self.peek() != Token::End {
            errors.push(self.expected("nothing behind the network"));
        }
        errors
    }

    fn header(&mut self) -> Parsed<()> {
        self.expect(&Token::Word("network".to_string()))?;
        match self.peek().clone() {
            Token::Text(name) => self.flat.name = Some(Spanned::new(name, self.take().span)),
            _ => return Err(self.expected("the network's name, as a string")),
        }
        self.expect(&Token::Mark('{')).map(|_| ())
    }

    fn statement(&mut self) -> Parsed<()> {
        if *self.peek() == Token::Word("return".to_string()) {
            return self.outputs();
        }
        let name = self.name()?;
        self.expect(&Token::Mark('='))?;
        let op = self.word("an operator")?;
        self.expect(&Token::Mark('('))?;
        let mut operands = Vec::new();
        let mut keys = Vec::new();
        while *self.peek() != Token::Mark(')') {
            match self.peek() {
                Token::Name(_) if keys.is_empty() => operands.push(self.name()?),
                Token::Word(_) => keys.push(self.key(0)?),
                _ => return Err(self.expected("an operand, a key or `)`")),
            }
            if !self.accept(&Token::Mark(',')) {
                break;
            }
        }
        let end = self.expect(&Token::Mark(')'))?;
        let span = name.span.to(end);
        if self.accept(&Token::Arrow) {
            let start = self.span();
            let dims = self.dims()?;
            self.shapes
                .push((name.value.clone(), Spanned::new(dims, start.to(self.last()))));
        }
        let from = operands.iter().map(|operand| operand.span).reduce(Span::to);
        if op.value == "input" {
            if let Some(from) = from {
                return Err(Diagnostic::error(from, "an input has no operands"));
            }
            self.flat.inputs.push(InputDecl { name, keys });
            return Ok(());
        }
        let layer = LayerDecl {
            name,
            op,
            from: Some(operands),
            keys,
            span,
            instances: Vec::new(),
        };
        self.flat.layers.push(FlatLayer { layer, from });
        Ok(())
    }

    fn outputs(&mut self) -> Parsed<()> {
        let word = self.take().span;
        if std::mem::replace(&mut self.returned, true) {
            return Err(Diagnostic::error(word, "a network has only one `return`"));
        }
        loop {
            let output = match self.peek() {
                Token::Word(_) => {
                    let name = self.word("an output's name")?;
                    self.expect(&Token::Mark('='))?;
                    FlatOutput { name, of: self.name()? }
                }
                _ => {
                    let name = self.name()?;
                    FlatOutput { of: name.clone(), name }
                }
            };
            self.flat.outputs.push(output);
            if !self.accept(&Token::Mark(',')) {
                return Ok(());
            }
        }
    }

    fn dims(&mut self) -> Parsed<Vec<i64>> {
        self.expect(&Token::Mark('['))?;
        let mut dims = Vec::new();
        loop {
            match *self.peek() {
                Token::Integer(dim) => dims.push(dim),
                _ => return Err(self.expected("a dimension")),
            }
            self.take();
            if !self.accept(&Token::Mark(',')) {
                self.expect(&Token::Mark(']'))?;
                return Ok(dims);
            }
        }
    }

    fn key(&mut self, depth: usize) -> Parsed<Key> {
        let name = self.word("a key")?;
        self.expect(&Token::Mark('='))?;
        let value = self.value(depth)?;
        Ok(Key { name, value })
    }

    fn value(&mut self, depth: usize) -> Parsed<Value> {
        if depth > MAX_NESTING {
            return Err(Diagnostic::error(self.span(), "lists and tables are nested too deeply"));
        }
        let start = self.span();
        let kind = match self.peek().clone() {
            Token::Integer(number) => ValueKind::Integer(number),
            Token::Float(number) => ValueKind::Float(number),
            Token::Text(text) => ValueKind::Text(text),
            Token::Word(word) => match word.as_str() {
                "true" => ValueKind::Boolean(true),
                "false" => ValueKind::Boolean(false),
                "inf" => ValueKind::Float(f64::INFINITY),
                "NaN" => ValueKind::Float(f64::NAN),
                _ => return Err(self.expected("a value").note("text stands in quotes")),
            },
            Token::Mark('[') => {
                self.take();
                let mut items = Vec::new();
                while *self.peek() != Token::Mark(']') {
                    items.push(self.value(depth + 1)?);
                    if !self.accept(&Token::Mark(',')) {
                        break;
                    }
                }
                self.close(']')?;
                ValueKind::List(items)
            }
            Token::Mark('{') => {
                self.take();
                let mut keys = Vec::new();
                while *self.peek() != Token::Mark('}') {
                    keys.push(self.key(depth + 1)?);
                    if !self.accept(&Token::Mark(',')) {
                        break;
                    }
                }
                self.close('}')?;
                ValueKind::Table(keys)
            }
            _ => return Err(self.expected("a value")),
        };
        self.take();
        Ok(Value {
            kind,
            span: start.to(self.last()),
            used_at: None,
        })
    }

    /// Checks that the next token closes a list or table, and leaves it there.
    fn close(&self, mark: char) -> Parsed<()> {
        match self.peek() {
            Token::Mark(found) if *found == mark => Ok(()),
            _ => Err(self.expected(&format!("`,` or `{mark}`"))),
        }
    }

    /// Goes to where the next statement seems to begin.
    fn skip_statement(&mut self) {
        loop {
            let next = self.tokens.get(self.at + 1).map(|token| &token.value);
            match self.peek() {
                Token::End => return,
                Token::Name(_) if next == Some(&Token::Mark('=')) => return,
                Token::Word(word) if word == "return" && !self.returned => return,
                Token::Mark('}') if next == Some(&Token::End) => return,
                _ => {
                    self.take();
                }
            }
        }
    }
}
