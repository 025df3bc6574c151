//! A network's body: inputs, blocks, layers and what it returns.

use std::collections::BTreeSet;

use cnn_ir::ast::{BlockDecl, InputDecl, Key, NetDecl, Value, ValueKind};
use cnn_ir::diag::nearest;
use cnn_ir::front::Parsed;
use cnn_ir::span::{Span, Spanned};
use proc_macro2::{Delimiter, TokenTree};

use super::calls::{Operand, is_call};
use super::layers::{Assignment, Layers};
use super::options::{OPTIONS, Options};
use super::tokens::{Cursor, Tree};
use super::values::Reader;

/// What the words mean that begin a statement.
const STATEMENTS: [&str; 3] = ["input", "block", "return"];

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
    body: Statements,
}

/// Reads the statements of a network.
pub(super) fn read(name: Spanned<String>, mut cursor: Cursor<'_>, options: &mut Options, reader: &mut Reader) -> Parsed {
    let mut body = Body {
        reader,
        options: Some(options),
    };
    let statements = body.statements(&mut cursor);
    let complete = !statements.lost && !statements.blocks.iter().any(|block| block.body.lost);
    let block_names = statements.blocks.iter().map(|block| block.name.value.clone()).collect();
    let mut net = NetDecl {
        name: Some(name),
        ..NetDecl::default()
    };
    net.blocks.extend(statements.blocks.into_iter().map(|block| declared(block, &block_names)));
    let input_names = statements.inputs.iter().map(|input| input.name.value.clone());
    let mut layers = Layers::new(statements.assignments, input_names, &block_names);
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

fn declared(block: Block, blocks: &BTreeSet<String>) -> BlockDecl {
    let mut layers = Layers::new(block.body.assignments, std::iter::once(block.input.clone()), blocks);
    if let Some(result) = block.body.results.and_then(|results| results.into_iter().next()) {
        let name = layers.result(result);
        layers.end_with(name);
    }
    BlockDecl {
        name: block.name,
        input: block.input,
        params: block.params,
        layers: layers.layers,
    }
}

struct Body<'a> {
    reader: &'a mut Reader,
    /// A network's; `None` inside a block.
    options: Option<&'a mut Options>,
}

impl Body<'_> {
    fn statements(&mut self, cursor: &mut Cursor<'_>) -> Statements {
        let mut statements = Statements::default();
        while !cursor.is_at_end() {
            if cursor.eat(';') {
                continue;
            }
            if statements.results.is_some() {
                self.reader.error(cursor.place(), "nothing can stand behind the result");
                // What stands there is read all the same, so that its names are known.
                while !cursor.is_at_end() {
                    self.statement(cursor, &mut statements);
                }
                break;
            }
            self.statement(cursor, &mut statements);
        }
        statements
    }

    fn statement(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        if cursor.is_word("let") && cursor.nth(1).is_some_and(|tree| tree.word().is_some()) {
            self.reader.error(cursor.place(), "a layer is declared without `let`");
            cursor.next();
        }
        if let Some(word) = self.keyword(cursor) {
            match word {
                "input" => self.input(cursor, statements),
                "block" => self.block(cursor, statements),
                _ => self.results(cursor, statements),
            }
            return;
        }
        if cursor.is_word("no_std") && (cursor.nth(1).is_none() || cursor.is(1, ';')) {
            let name = cursor.word();
            cursor.next();
            self.option(name, None);
        } else if is_call(cursor) {
            self.expression(cursor, statements);
            return;
        } else if let Some(name) = self.reader.name(cursor) {
            if cursor.is_at_end() {
                statements.results = Some(vec![Operand::Name(name)]);
                return;
            }
            if !self.assignment(name, cursor, statements) {
                return;
            }
        } else {
            self.reader.expected(
                cursor,
                "a layer (`c1 = relu(image);`), `input`, `block`, `return` or an option",
            );
            statements.lost = true;
            skip(cursor);
            return;
        }
        self.semicolon(cursor);
    }

    /// Takes the word that begins a statement, perhaps misspelt.
    fn keyword(&mut self, cursor: &mut Cursor<'_>) -> Option<&'static str> {
        let word = cursor.word()?;
        let next = cursor.nth(1)?;
        if cursor.is(1, '=') || cursor.is(1, '.') || cursor.is(1, ';') && word.value != "return" || is_call(cursor) {
            return None;
        }
        let meant = STATEMENTS.into_iter().find(|statement| *statement == word.value);
        if meant.is_none() {
            // Two words one after the other are no layer.
            next.word()?;
            let meant = nearest(&word.value, STATEMENTS)?;
            let message = format!("unknown word `{}`; did you mean `{meant}`?", word.value);
            self.reader.error(word.span, message);
            cursor.next();
            return Some(meant);
        }
        cursor.next();
        meant
    }

    /// `= conv(…)` behind a name, or an option's value. `false` if what stands here cannot be read to its end.
    fn assignment(&mut self, name: Spanned<String>, cursor: &mut Cursor<'_>, statements: &mut Statements) -> bool {
        let start = name.span;
        let mut broken = !cursor.eat('=');
        if broken {
            self.reader.expected(cursor, "`=`");
            // If that is all that is wrong, the layer can be read.
            broken = !is_call(cursor);
        } else if is_literal(cursor) {
            let word = name.value.as_str();
            if OPTIONS.contains(&word) || nearest(word, OPTIONS).is_some() {
                let value = self.reader.value(cursor);
                self.option(Some(name), Some(value));
                return true;
            }
        }
        let call = match broken {
            true => None,
            false => {
                let call = self.reader.call(cursor);
                if call.is_none() {
                    let error = self.reader.expected(cursor, "an operator with its operands");
                    error.notes.push(format!("for example `{} = relu(image);`", name.value));
                }
                call
            }
        };
        let read = call.is_some();
        let span = call.as_ref().map_or(start, |call| start.to(call.span));
        statements.assignments.push(Assignment { name, call, span });
        if !read {
            skip(cursor);
        }
        read
    }

    /// A last expression: what the network or block computes.
    fn expression(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        let Some(call) = self.reader.call(cursor) else { return };
        if cursor.is_at_end() {
            statements.results = Some(vec![Operand::Call(call)]);
            return;
        }
        let op = &call.op.value;
        let message = format!("the result of `{op}` has no name");
        let error = self.reader.error(call.op.span, message);
        error.notes.push(format!("write `name = {op}(…);`, or as the last expression `{op}(…)` without `;`"));
        if !cursor.eat(';') {
            skip(cursor);
        }
    }

    fn option(&mut self, name: Option<Spanned<String>>, value: Option<Value>) {
        let Some(name) = name else { return };
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
        while !cursor.is_at_end() && !cursor.is(0, ';') {
            self.reader.operand(cursor, &mut results);
            if !cursor.is(0, ';') && !cursor.is_at_end() && !cursor.eat(',') {
                self.reader.expected(cursor, "`,` or `;`");
                if !cursor.peek().is_some_and(|tree| tree.word().is_some()) {
                    skip(cursor);
                    break;
                }
            }
        }
        if results.is_empty() {
            self.reader.expected(cursor, "the name of a layer");
        } else if self.options.is_none() && results.len() > 1 {
            let place = cursor.place();
            self.reader.error(place, "a block has one result");
        }
        // An empty list would be one more error.
        statements.results = Some(results).filter(|results| !results.is_empty());
        self.semicolon(cursor);
    }

    fn input(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        let place = cursor.place();
        let Some(name) = self.reader.name(cursor) else {
            self.reader.expected(cursor, "the input's name").notes.push(INPUT.to_owned());
            statements.lost = true;
            return skip(cursor);
        };
        if self.options.is_none() {
            self.reader.error(place, "a block has no inputs of its own")
                .notes
                .push("what it is applied to is called as its first parenthesis says: `block unit(x; filters)`".into());
            return skip(cursor);
        }
        if !cursor.eat(':') {
            self.reader.expected(cursor, "`:`").notes.push(INPUT.to_owned());
            let value_follows = cursor.peek().is_some_and(|tree| tree.delimiter().is_some());
            if !value_follows && !cursor.eat('=') {
                let keys = vec![shape(nothing(cursor.place()), name.span)];
                statements.inputs.push(InputDecl { name, keys });
                return skip(cursor);
            }
        }
        let keys = match cursor.group(Delimiter::Brace) {
            Some(table) => self.reader.keys(table.content()),
            None => {
                let value = self.reader.value(cursor);
                let mut keys = vec![shape(value, name.span)];
                if cursor.is_word("as") {
                    cursor.next();
                    keys.push(Key {
                        name: Spanned::new("layout".to_owned(), cursor.place()),
                        value: self.reader.value(cursor),
                    });
                }
                keys
            }
        };
        statements.inputs.push(InputDecl { name, keys });
        self.semicolon(cursor);
    }

    fn block(&mut self, cursor: &mut Cursor<'_>, statements: &mut Statements) {
        const FORM: &str = "for example `block unit(x; filters) { conv(x, filters = filters, kernel = 1) }`";
        let Some(name) = self.reader.name(cursor) else {
            self.reader.expected(cursor, "the block's name").notes.push(FORM.to_owned());
            statements.lost = true;
            return skip(cursor);
        };
        if self.options.is_none() {
            self.reader.error(name.span, "a block cannot be declared inside another")
                .notes
                .push("declare it in the network: blocks may use each other there".to_owned());
        }
        let parameters = cursor.group(Delimiter::Parenthesis);
        let (input, params) = match parameters {
            Some(tree) => self.parameters(tree.content()),
            None => {
                self.reader.expected(cursor, "`(`").notes.push(FORM.to_owned());
                (None, Vec::new())
            }
        };
        let mut body = match cursor.group(Delimiter::Brace) {
            Some(braces) => self.inner(&params, braces),
            None => {
                if parameters.is_some() {
                    self.reader.expected(cursor, "`{`").notes.push(FORM.to_owned());
                }
                skip(cursor);
                Statements {
                    lost: true,
                    ..Statements::default()
                }
            }
        };
        body.lost |= input.is_none();
        if self.options.is_some() {
            statements.blocks.push(Block {
                name,
                input: input.map_or_else(String::new, |input| input.value),
                params,
                body,
            });
        }
        cursor.eat(';');
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
    fn parameters(&mut self, mut cursor: Cursor<'_>) -> (Option<Spanned<String>>, Vec<Spanned<String>>) {
        let input = cursor.word();
        match &input {
            Some(_) => {
                cursor.next();
            }
            None => {
                let error = self.reader.expected(&cursor, "a name for what the block is applied to");
                error.notes.push("for example `(x; filters)`".to_owned());
            }
        }
        if !cursor.eat(';') && !cursor.is_at_end() {
            let error = self.reader.expected(&cursor, "`;`");
            error.notes.push("a block has one operand; its parameters stand behind a `;`".to_owned());
            cursor.eat(',');
        }
        let mut params = Vec::new();
        while !cursor.is_at_end() {
            match cursor.word() {
                Some(param) => {
                    cursor.next();
                    params.push(param);
                    self.reader.comma(&mut cursor);
                }
                None => {
                    self.reader.expected(&cursor, "a parameter's name");
                    cursor.skip_past(',');
                }
            }
        }
        (input, params)
    }

    /// The end of a statement; that of the last may be missing.
    fn semicolon(&mut self, cursor: &mut Cursor<'_>) {
        if cursor.is_at_end() || cursor.eat(';') {
            return;
        }
        self.reader.expected(cursor, "`;`");
        if cursor.word().is_none() {
            skip(cursor);
        }
    }
}

const INPUT: &str = "for example `input image: [3, 224, 224];`";

/// Goes on behind the next `;`, or before what looks like the next layer.
fn skip(cursor: &mut Cursor<'_>) {
    while let Some(tree) = cursor.next() {
        let ends = matches!(&tree.token, TokenTree::Punct(punct) if punct.as_char() == ';');
        let layer_follows = cursor.word().is_some()
            && cursor.is(1, '=')
            && cursor.nth(2).is_some_and(|tree| tree.word().is_some())
            && cursor.nth(3).is_some_and(|tree| tree.delimiter() == Some(Delimiter::Parenthesis));
        if ends || layer_follows {
            return;
        }
    }
}

fn is_literal(cursor: &Cursor<'_>) -> bool {
    cursor.is(0, '-')
        || cursor
            .peek()
            .is_some_and(|tree| matches!(tree.token, TokenTree::Literal(_)))
}

/// The key that an input's shape is, written without a word.
fn shape(value: Value, name: Span) -> Key {
    Key {
        name: Spanned::new("shape".to_owned(), name),
        value,
    }
}

/// Stands for a value that is missing: that it is was said at its place.
fn nothing(place: Span) -> Value {
    Value {
        kind: ValueKind::Text(String::new()),
        span: place,
        used_at: None,
    }
}
