//! What `cnn!` holds: networks with their attributes, visibility, options, and a body or a model file.

use cnn_ir::diag::{Diagnostic, nearest};
use cnn_ir::front::Parsed;
use cnn_ir::span::Spanned;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::body;
use super::options::Options;
use super::tokens::{Cursor, Source, SpanTable};
use super::values::Reader;

const FORM: &str = "a network is declared by `pub network Name { … }` or `pub network Name = \"model.toml\";`";

/// Everything that a macro call declares.
#[derive(Debug)]
pub struct Declarations {
    /// The networks in their order.
    pub networks: Vec<Declared>,
    /// What is wrong outside of them.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the places of all diagnostics are.
    pub spans: SpanTable,
}

/// A declared network, as far as its tokens say.
#[derive(Debug)]
pub struct Declared {
    /// Doc comments and other attributes, each `#[…]`.
    pub attributes: Vec<TokenStream>,
    /// `pub`, `pub(crate)` or nothing.
    pub visibility: TokenStream,
    /// The type's name.
    pub name: Ident,
    /// Where the name stands.
    pub place: cnn_ir::span::Span,
    /// Weights, bounds and so on.
    pub options: Options,
    /// Its layers, or where they are written.
    pub body: Body,
    /// What is wrong with all of it but the layers.
    pub diagnostics: Vec<Diagnostic>,
}

/// Where a network's layers are.
#[derive(Debug)]
pub enum Body {
    /// In the macro.
    Layers(Parsed),
    /// In a model file: its path, relative to the crate's folder.
    File(Spanned<String>),
    /// Nowhere: an error says so.
    Missing,
}

/// Reads the tokens of a macro call. What could not be read is missing, and a diagnostic says so.
pub fn parse(tokens: TokenStream) -> Declarations {
    let source = Source::new(tokens);
    let mut outside = Reader::default();
    for place in &source.too_deep {
        outside.error(*place, "this is nested too deeply");
    }
    let mut networks = Vec::new();
    let mut cursor = source.cursor();
    while !cursor.is_at_end() {
        if !cursor.eat(';') && !outside.constant(&mut cursor) {
            networks.extend(network(&mut cursor, &mut outside));
        }
    }
    Declarations {
        networks,
        diagnostics: outside.diagnostics,
        spans: source.spans,
    }
}

/// Reads a network; without its name there is none.
fn network(cursor: &mut Cursor<'_>, outside: &mut Reader) -> Option<Declared> {
    let attributes = attributes(cursor);
    let visibility = visibility(cursor);
    outside.broken = None;
    let name = keyword(cursor, outside).then(|| name(cursor, outside)).flatten();
    let Some((name, place)) = name else {
        skip(cursor);
        return None;
    };
    let mut reader = Reader {
        constants: outside.constants.clone(),
        ..Reader::default()
    };
    let mut options = Options::default();
    let mut body = Body::Missing;
    if cursor.eat('=') {
        match cursor.name().filter(|_| !cursor.is_at_end()) {
            Some(path) => body = Body::File(path),
            None => {
                reader.expected(cursor, "the path of a model file", FORM);
                skip_to_body(cursor);
            }
        }
    }
    header_options(cursor, &mut options, &mut reader);
    let mut diagnostics = std::mem::take(&mut reader.diagnostics);
    if let Some(braces) = cursor.group(Delimiter::Brace) {
        reader.broken = None;
        let title = Spanned::new(name.to_string(), place);
        let parsed = body::read(title, braces.content(), &mut options, &mut reader);
        body = match body {
            Body::File(path) => {
                let message = "a network has either a model file or layers of its own";
                diagnostics.push(Diagnostic::error(path.span, message).note(FORM));
                Body::Missing
            }
            Body::Layers(_) | Body::Missing => Body::Layers(parsed),
        };
    } else if matches!(body, Body::File(_)) {
        cursor.eat(';');
    } else {
        reader.expected(cursor, "`{`, `=` or `,`", FORM);
        cursor.eat(';');
    }
    diagnostics.append(&mut reader.diagnostics);
    Some(Declared {
        attributes,
        visibility,
        name,
        place,
        options,
        body,
        diagnostics,
    })
}

/// Takes `network`, perhaps misspelt.
fn keyword(cursor: &mut Cursor<'_>, outside: &mut Reader) -> bool {
    let word = cursor.word();
    let name_follows = cursor.nth(1).is_some_and(|tree| tree.word().is_some());
    match &word {
        Some(word) if word.value == "network" => {}
        Some(word) if name_follows && nearest(&word.value, ["network"]).is_some() => {
            let message = format!("unknown word `{}`; did you mean `network`?", word.value);
            outside.error(word.span, message);
        }
        _ => {
            outside.expected(cursor, "`network`", FORM);
            return false;
        }
    }
    cursor.next();
    true
}

fn name(cursor: &mut Cursor<'_>, outside: &mut Reader) -> Option<(Ident, cnn_ir::span::Span)> {
    match cursor.peek().map(|tree| (&tree.token, tree.span)) {
        Some((TokenTree::Ident(name), place)) => {
            cursor.next();
            Some((name.clone(), place))
        }
        _ => {
            outside.expected(cursor, "the network's name", FORM);
            None
        }
    }
}

/// `, weights = "…", no_std` before a body.
fn header_options(cursor: &mut Cursor<'_>, options: &mut Options, reader: &mut Reader) {
    while !is_at_body(cursor) {
        let clear = cursor.word().is_some() && cursor.is(1, '=');
        if cursor.eat(',') {
            if is_at_body(cursor) {
                return;
            }
        } else if clear {
            reader.missing(cursor, "`,`", "");
        } else {
            reader.expected(cursor, "`,`, `{` or `;`", "");
        }
        match cursor.word() {
            Some(name) if reader.broken.is_none() => {
                cursor.next();
                let value = cursor.eat('=').then(|| reader.value(cursor));
                options.set(name, value, reader);
            }
            _ => reader.expected(cursor, "an option", ""),
        }
        if reader.broken.is_some() {
            return skip_to_body(cursor);
        }
    }
}

fn attributes(cursor: &mut Cursor<'_>) -> Vec<TokenStream> {
    let mut attributes = Vec::new();
    while cursor.is(0, '#') && cursor.nth(1).and_then(|tree| tree.delimiter()) == Some(Delimiter::Bracket) {
        attributes.push(
            [cursor.next(), cursor.next()]
                .into_iter()
                .flatten()
                .map(|tree| tree.token.clone())
                .collect(),
        );
    }
    attributes
}

fn visibility(cursor: &mut Cursor<'_>) -> TokenStream {
    if !cursor.is_word("pub") {
        return TokenStream::new();
    }
    let public = cursor.next();
    let scope = cursor.group(Delimiter::Parenthesis);
    [public, scope]
        .into_iter()
        .flatten()
        .map(|tree| tree.token.clone())
        .collect()
}

fn is_at_body(cursor: &Cursor<'_>) -> bool {
    let brace = cursor.peek().and_then(|tree| tree.delimiter()) == Some(Delimiter::Brace);
    brace || cursor.is(0, ';') || cursor.is_at_end()
}

fn skip_to_body(cursor: &mut Cursor<'_>) {
    while !is_at_body(cursor) {
        cursor.next();
    }
}

/// Goes on behind the next `;` or `{…}`.
fn skip(cursor: &mut Cursor<'_>) {
    while let Some(tree) = cursor.next() {
        let semicolon = matches!(&tree.token, TokenTree::Punct(punct) if punct.as_char() == ';');
        if semicolon || tree.delimiter() == Some(Delimiter::Brace) {
            return;
        }
    }
}
