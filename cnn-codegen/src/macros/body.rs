//! A network's body: inputs, blocks, layers and what it returns.

use cnn_ir::ast::{BlockDecl, InputDecl, Key, NetDecl, Value, ValueKind};
use cnn_ir::diag::nearest;
use cnn_ir::front::Parsed;
use cnn_ir::span::{Span, Spanned};
use proc_macro2::{Delimiter, TokenTree};

use super::calls::{Operand, is_call};
use super::layers::{Assignment, Blocks, Layers};
use super::options::{FLAGS, OPTIONS, Options};
use super::tokens::{Cursor, Tree};
use super::values::Reader;

/// What the words mean that begin a statement.
const STATEMENTS: [&str; 3] = ["input", "block", "return"];
const INPUT_FORM: &str = "for example `input image: [3, 224, 224];`";
const BLOCK_FORM: &str = "for example `block unit(x; filters) { conv(x, filters = filters, kernel = 1) }`";

/// Statements as written, in a network or a block.
#[derive(Default)]
struct Statements {
    inputs: Vec<InputDecl>,
    blocks: Vec<Block>,
    assignments: Vec<Assignment>,
    /// What `return` or a last expression names.
    results: Option<Vec<Operand>>,
    /// Whether something could not be read that may have declared a name.
    lost: bool,
}

struct Block {
    name: Spanned<String>,
    input: String,
    params: Vec<Spanned<String>>,
    /// `None` if it, or what stands before it, could not be read.
    body: Option<Statements>,
}

/// Reads the statements of a network.
pub(super) fn read(
    name: Spanned<String>,
    mut cursor: Cursor<'_>,
    options: &mut Options,
    reader: &mut Reader,
) -> Parsed {
    let mut body = Body {
        reader,
        options: Some(options),
    };
    let statements = body.statements(&mut cursor);
    let lost = |block: &Block| block.body.as_ref().is_some_and(|body| body.lost);
    let complete = !statements.lost && !statements.blocks.iter().any(lost);
    let blocks = statements.blocks.iter();
    let blocks = blocks
        .map(|block| (block.name.value.clone(), block.body.is_some()))
        .collect();
    let mut net = NetDecl {
        name: Some(name),
        ..NetDecl::default()
    };
    net.blocks = (statements.blocks.into_iter())
        .filter_map(|block| declared(block, &blocks))
        .collect();
    let inputs = statements.inputs.iter().map(|input| input.name.value.clone());
    let mut layers = Layers::new(statements.assignments, inputs, &blocks);
    net.outputs = statements
        .results
        .map(|results| results.into_iter().map(|result| layers.result(result)).collect());
    net.layers = layers.layers;
    net.inputs = statements.inputs;
    Parsed {
        net,
        diagnostics: std::mem::take(&mut reader.diagnostics),
        complete,
        inputs_broken: false,
    }
}

fn declared(block: Block, blocks: &Blocks) -> Option<BlockDecl> {
    let body = block.body?;
    let mut layers = Layers::new(body.assignments, std::iter::once(block.input.clone()), blocks);
    if let Some(result) = body.results.and_then(|results| results.into_iter().next()) {
        let name = layers.result(result);
        layers.end_with(name);
    }
    Some(BlockDecl {
        name: block.name,
        input: block.input,
        params: block.params,
        layers: layers.layers,
    })
}

struct Body<'a> {
    reader: &'a mut Reader,
    /// A network's; `None` inside a block.
    options: Option<&'a mut Options>,
}

impl Body<'_> {
    fn statements(&mut self, cursor: &mut Cursor<'_>) -> Statements {
        let mut statements = Statements::default();
        let mut ended = false;
        while !cursor.is_at_end() {
            if cursor.eat(';') {
                continue;
            }
            if statements.results.is_some() && !ended {
                self.reader.error(cursor.place(), "nothing can stand behind the result");
                ended = true;
            }
            // What stands there is read all the same, so that its names are known.
            self.reader.broken = None;
            self.statement(cursor, &mut statements);
            if self.reader.broken.is_some() {
                skip(cursor);
            }
        }
        self.reader.broken = None;
        statements
    }

    fn statement(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        if cursor.is_word("let") && cursor.nth(1).is_some_and(|tree| tree.word().is_some()) {
            self.reader.error(cursor.place(), "a layer is declared without `let`");
            cursor.next();
        }
        if self.reader.constant(cursor) {
            return;
        }
        if let Some(word) = self.keyword(cursor) {
            return match word {
                "input" => self.input(cursor, statements),
                "block" => self.block(cursor, statements),
                _ => self.results(cursor, statements),
            };
        }
        if is_call(cursor) {
            return self.expression(cursor, statements);
        }
        let start = *cursor;
        match cursor.name() {
            Some(name) if FLAGS.contains(&name.value.as_str()) && (cursor.is_at_end() || cursor.is(0, ';')) => {
                self.option(name, None);
            }
            Some(name) if cursor.is_at_end() => statements.results = Some(vec![Operand::Name(name)]),
            Some(name) => self.assignment(name, cursor, statements),
            None => {
                let what = "a layer (`c1 = relu(image);`), `input`, `block`, `return` or an option";
                self.reader.expected(&start, what, "");
                statements.lost = true;
            }
        }
    }

    /// Takes the word that begins a statement, perhaps misspelt.
    fn keyword(&mut self, cursor: &mut Cursor<'_>) -> Option<&'static str> {
        let word = cursor.word()?;
        let next = cursor.nth(1)?;
        if is_call(cursor) || cursor.is(1, '=') || cursor.is(1, '.') || cursor.is(1, ';') && word.value != "return" {
            return None;
        }
        let mut meant = STATEMENTS.into_iter().find(|statement| *statement == word.value);
        // Two words one after the other are no layer.
        if meant.is_none() && next.word().is_some() {
            meant = nearest(&word.value, STATEMENTS);
            if let Some(meant) = meant {
                let message = format!("unknown word `{}`; did you mean `{meant}`?", word.value);
                self.reader.error(word.span, message);
            }
        }
        if meant.is_some() {
            cursor.next();
        }
        meant
    }

    /// `= conv(…);` behind a name, or an option's value.
    fn assignment(&mut self, name: Spanned<String>, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        if cursor.eat('=') {
            let is_option = |word: &str| OPTIONS.contains(&word) || nearest(word, OPTIONS).is_some();
            let is_constant = cursor
                .word()
                .is_some_and(|word| self.reader.constants.contains_key(&word.value));
            if (is_literal(cursor) || is_constant) && is_option(&name.value) {
                let value = self.reader.value(cursor);
                self.option(name, Some(value));
                return self.semicolon(cursor);
            }
        } else if is_call(cursor) {
            self.reader.missing(cursor, "`=`", "");
        } else {
            self.reader.expected(cursor, "`=`", "");
        }
        let start = *cursor;
        let call = self.reader.call(cursor);
        if call.is_none() {
            let example = format!("for example `{} = relu(image);`", name.value);
            self.reader.expected(&start, "an operator with its operands", &example);
        }
        self.semicolon(cursor);
        let call = call.filter(|_| self.reader.broken.is_none());
        let span = call.as_ref().map_or(name.span, |call| name.span.to(call.span));
        statements.assignments.push(Assignment { name, call, span });
    }

    /// A last expression: what the network or block computes.
    fn expression(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        let Some(call) = self.reader.call(cursor) else { return };
        if self.reader.broken.is_some() {
            // Whatever it was to be.
            statements.lost = true;
        } else if cursor.is_at_end() {
            statements.results = Some(vec![Operand::Call(call)]);
        } else {
            let op = &call.op.value;
            let error = self
                .reader
                .error(call.op.span, format!("the result of `{op}` has no name"));
            let advice = format!("write `name = {op}(…);`, or as the last expression `{op}(…)` without `;`");
            error.notes.push(advice);
            skip(cursor);
        }
    }

    fn option(&mut self, name: Spanned<String>, value: Option<Value>) {
        match &mut self.options {
            Some(options) => options.set(name, value, self.reader),
            None => {
                let message = format!("`{}` belongs to the network, not into a block", name.value);
                self.reader.error(name.span, message);
            }
        }
    }

    fn results(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        let mut results = Vec::new();
        let start = *cursor;
        while !cursor.is_at_end() && !cursor.is(0, ';') && self.reader.broken.is_none() {
            self.reader.operand(cursor, &mut results);
            if !cursor.is_at_end() && !cursor.is(0, ';') && !cursor.eat(',') {
                self.reader.expected(cursor, "`,` or `;`", "");
            }
        }
        if results.is_empty() {
            self.reader.expected(&start, "the name of a layer", "");
        } else if self.options.is_none() && results.len() > 1 {
            self.reader.error(start.place(), "a block has one result");
        }
        if self.reader.broken.is_none() {
            statements.results = Some(results);
        }
        self.semicolon(cursor);
    }

    fn input(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        let start = *cursor;
        let Some(name) = cursor.name() else {
            self.reader.expected(&start, "the input's name", INPUT_FORM);
            statements.lost = true;
            return;
        };
        if self.options.is_none() {
            let error = self.reader.error(name.span, "a block has no inputs of its own");
            error
                .notes
                .push(format!("what it is applied to stands in its parentheses, {BLOCK_FORM}"));
            return skip(cursor);
        }
        if !cursor.eat(':') {
            let clear = cursor.is(0, '=') || cursor.peek().is_some_and(|tree| tree.delimiter().is_some());
            match clear {
                true => self.reader.missing(cursor, "`:`", INPUT_FORM),
                false => self.reader.expected(cursor, "`:`", INPUT_FORM),
            }
            cursor.eat('=');
        }
        let mut keys = match cursor.group(Delimiter::Brace) {
            Some(table) => self.reader.keys(table.content()),
            None => vec![shape(self.reader.value(cursor), name.span)],
        };
        if cursor.is_word("as") {
            cursor.next();
            keys.push(Key {
                name: Spanned::new("layout".to_owned(), cursor.place()),
                value: self.reader.value(cursor),
            });
        }
        self.semicolon(cursor);
        if let Some(place) = self.reader.broken {
            // Its name is known. About this place no more is said.
            keys = vec![shape(nothing(place), name.span)];
        }
        statements.inputs.push(InputDecl { name, keys });
    }

    fn block(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        let start = *cursor;
        let Some(name) = cursor.name() else {
            self.reader.expected(&start, "the block's name", BLOCK_FORM);
            statements.lost = true;
            return;
        };
        let (mut input, mut params) = (String::new(), Vec::new());
        match cursor.group(Delimiter::Parenthesis) {
            Some(tree) => (input, params) = self.parameters(tree.content()),
            None => self.reader.expected(cursor, "`(`", BLOCK_FORM),
        }
        let braces = cursor.group(Delimiter::Brace);
        if braces.is_none() {
            self.reader.expected(cursor, "`{`", BLOCK_FORM);
        }
        let well_formed = self.reader.broken.is_none();
        let body = braces.filter(|_| well_formed).map(|braces| self.inner(&params, braces));
        if braces.is_some() {
            // What follows is another statement.
            self.reader.broken = None;
        }
        if self.options.is_some() {
            statements.blocks.push(Block {
                name,
                input,
                params,
                body,
            });
        } else {
            let error = self
                .reader
                .error(name.span, "a block cannot be declared inside another");
            error
                .notes
                .push("declare it in the network: blocks may use each other there".to_owned());
        }
    }

    /// The statements of a block.
    fn inner(&mut self, params: &[Spanned<String>], braces: &Tree) -> Statements {
        let params = params.iter().map(|param| param.value.clone()).collect();
        let outer = std::mem::replace(&mut self.reader.params, params);
        let mut inner = Body {
            reader: self.reader,
            options: None,
        };
        let statements = inner.statements(&mut braces.content());
        self.reader.params = outer;
        statements
    }

    /// `x; c1, r3, c3`: what a block is applied to, then its parameters.
    fn parameters(&mut self, mut cursor: Cursor<'_>) -> (String, Vec<Spanned<String>>) {
        let mut params = Vec::new();
        let Some(input) = cursor.word() else {
            self.reader
                .expected(&cursor, "a name for what the block is applied to", BLOCK_FORM);
            return (String::new(), params);
        };
        cursor.next();
        if cursor.is(0, ',') {
            self.reader.missing(
                &cursor,
                "`;`",
                "a block has one operand; its parameters stand behind a `;`",
            );
            cursor.next();
        } else if !cursor.is_at_end() && !cursor.eat(';') {
            self.reader.expected(&cursor, "`;`", BLOCK_FORM);
        }
        while !cursor.is_at_end() && self.reader.broken.is_none() {
            match cursor.word() {
                Some(param) => {
                    cursor.next();
                    params.push(param);
                    self.reader.comma(&mut cursor);
                }
                None => self.reader.expected(&cursor, "a parameter's name", ""),
            }
        }
        (input.value, params)
    }

    /// The end of a statement; that of the last may be missing.
    fn semicolon(&mut self, cursor: &mut Cursor<'_>) {
        if cursor.is_at_end() || self.reader.broken.is_some() || cursor.eat(';') {
            return;
        }
        match cursor.word() {
            Some(_) => self.reader.missing(cursor, "`;`", ""),
            None => self.reader.expected(cursor, "`;`", ""),
        }
    }
}

/// Goes on behind the next `;` or `{…}`, or before what looks like the next layer.
fn skip(cursor: &mut Cursor<'_>) {
    while !cursor.is_at_end() && !cursor.eat(';') {
        let ends = cursor.next().and_then(Tree::delimiter) == Some(Delimiter::Brace);
        let mut ahead = *cursor;
        if ends || ahead.name().is_some() && ahead.eat('=') && is_call(&ahead) {
            return;
        }
    }
}

fn is_literal(cursor: &Cursor<'_>) -> bool {
    let is_literal = cursor
        .peek()
        .is_some_and(|tree| matches!(tree.token, TokenTree::Literal(_)));
    is_literal || cursor.is(0, '-')
}

/// The key that an input's shape is, written without a word.
fn shape(value: Value, name: Span) -> Key {
    Key {
        name: Spanned::new("shape".to_owned(), name),
        value,
    }
}

/// Stands for a value that could not be read.
fn nothing(place: Span) -> Value {
    Value {
        kind: ValueKind::Text(String::new()),
        span: place,
        used_at: None,
    }
}
