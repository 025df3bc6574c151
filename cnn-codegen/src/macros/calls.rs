//! Calls: an operator or block, applied to operands, with its keys.

use cnn_ir::ast::Key;
use cnn_ir::span::{Span, Spanned};
use proc_macro2::{Delimiter, TokenTree};

use super::tokens::{Cursor, Tree};
use super::values::Reader;

/// `conv(image, filters = 6, kernel = 5)`.
#[derive(Debug)]
pub(super) struct Call {
    /// The operator's or block's name.
    pub(super) op: Spanned<String>,
    pub(super) operands: Vec<Operand>,
    pub(super) keys: Vec<Key>,
    pub(super) span: Span,
}

/// What an operator is applied to.
#[derive(Debug)]
pub(super) enum Operand {
    /// An input or layer.
    Name(Spanned<String>),
    /// A call without a name of its own.
    Call(Call),
}

impl Reader {
    /// The call that begins with the word here, if one does.
    pub(super) fn call(&mut self, cursor: &mut Cursor<'_>) -> Option<Call> {
        let mut op = cursor.word().filter(|_| is_call(cursor))?;
        cursor.next();
        let arguments = cursor.group(Delimiter::Parenthesis)?;
        if self.params.contains(&op.value) {
            op.value.insert(0, '$');
        }
        let span = op.span.to(arguments.span);
        let (operands, keys) = self.arguments(arguments);
        Some(Call {
            op,
            operands,
            keys,
            span,
        })
    }

    fn arguments(&mut self, arguments: &Tree) -> (Vec<Operand>, Vec<Key>) {
        let mut cursor = arguments.content();
        let (mut operands, mut keys) = (Vec::new(), Vec::new());
        while !cursor.is_at_end() {
            if cursor.is_word("from") && cursor.is(1, '=') {
                let error = self.error(
                    cursor.place(),
                    "`from` is not a key: operands stand first, by themselves",
                );
                error.notes.push("for example `relu(c1)` or `add(c1, c2)`".to_owned());
                cursor.next();
                cursor.next();
            }
            match self.key(&mut cursor) {
                Some(key) => keys.push(key),
                None => self.operand(&mut cursor, &mut operands),
            }
            self.comma(&mut cursor);
        }
        (operands, keys)
    }

    /// A name, a call, or a list of them.
    pub(super) fn operand(&mut self, cursor: &mut Cursor<'_>, operands: &mut Vec<Operand>) {
        if let Some(call) = self.call(cursor) {
            operands.push(Operand::Call(call));
        } else if let Some(name) = cursor.name() {
            operands.push(Operand::Name(name));
        } else if let Some(list) = cursor.group(Delimiter::Bracket) {
            let mut items = list.content();
            while !items.is_at_end() {
                self.operand(&mut items, operands);
                self.comma(&mut items);
            }
        } else {
            let found = cursor.peek().map(|tree| &tree.token);
            let is_value = matches!(found, Some(TokenTree::Literal(_))) || cursor.is(0, '-');
            let note = if is_value {
                "a value stands behind its key: `kernel = 5`"
            } else {
                ""
            };
            self.expected(cursor, "the name of an input or layer", note);
            if !cursor.is(0, ',') && !cursor.is(0, ';') {
                cursor.next();
            }
        }
    }
}

/// Whether a call stands here.
pub(super) fn is_call(cursor: &Cursor<'_>) -> bool {
    cursor.word().is_some()
        && cursor
            .nth(1)
            .is_some_and(|tree| tree.delimiter() == Some(Delimiter::Parenthesis))
}
