//! Calls become layers: those inside of others are given names.

use std::collections::{BTreeMap, BTreeSet};

use cnn_ir::ast::{Key, LayerDecl};
use cnn_ir::front::is_valid;
use cnn_ir::span::{Span, Spanned};

use super::calls::{Call, Operand};

/// `c1 = conv(…);`, as written.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: Spanned<String>,
    /// `None` if it could not be read.
    pub(super) call: Option<Call>,
    pub(super) span: Span,
}

/// The names of all blocks, each with whether it could be read.
pub(super) type Blocks = BTreeMap<String, bool>;

/// The layers of a network or of a block, operands before users.
pub(super) struct Layers<'a> {
    pub(super) layers: Vec<LayerDecl>,
    blocks: &'a Blocks,
    taken: BTreeSet<String>,
}

impl<'a> Layers<'a> {
    /// The layers of these assignments, among the names of inputs.
    pub(super) fn new(assignments: Vec<Assignment>, inputs: impl Iterator<Item = String>, blocks: &'a Blocks) -> Self {
        let mut layers = Layers {
            layers: Vec::new(),
            blocks,
            taken: inputs
                .chain(assignments.iter().map(|assignment| assignment.name.value.clone()))
                .collect(),
        };
        for Assignment { name, call, span } in assignments {
            match call {
                Some(call) => layers.add(name, call, span),
                // Known by name only: what is wrong with it was said.
                None => layers.push(name, Spanned::new(String::new(), span), Vec::new(), Vec::new(), span),
            }
        }
        layers
    }

    /// The name of what an operand outside of all layers computes, as in `return softmax(f6)`.
    pub(super) fn result(&mut self, operand: Operand) -> Spanned<String> {
        match operand {
            Operand::Name(name) => name,
            Operand::Call(call) => {
                let name = self.free_name("", &call.op);
                let span = call.span;
                self.add(name.clone(), call, span);
                name
            }
        }
    }

    /// A last layer that passes on this one, unless it is the last already.
    pub(super) fn end_with(&mut self, name: Spanned<String>) {
        if self.layers.last().is_some_and(|last| last.name.value == name.value) {
            return;
        }
        let span = name.span;
        let own = self.free_name("", &Spanned::new("result".to_owned(), span));
        self.push(
            own,
            Spanned::new("identity".to_owned(), span),
            vec![name],
            Vec::new(),
            span,
        );
    }

    fn add(&mut self, name: Spanned<String>, call: Call, span: Span) {
        // An instance's inner layers are called `NAME.…` already.
        let prefix = match self.blocks.contains_key(&call.op.value) {
            true => format!("{}.in.", name.value),
            false => format!("{}.", name.value),
        };
        self.add_below(name, call, span, &prefix);
    }

    fn add_below(&mut self, name: Spanned<String>, call: Call, span: Span, prefix: &str) {
        let mut from = Vec::new();
        for operand in call.operands {
            from.push(match operand {
                Operand::Name(name) => name,
                Operand::Call(inner) => {
                    let name = self.free_name(prefix, &inner.op);
                    let operand = Spanned::new(name.value.clone(), inner.span);
                    let span = inner.span;
                    self.add_below(name, inner, span, prefix);
                    operand
                }
            });
        }
        self.push(name, call.op, from, call.keys, span);
    }

    fn push(
        &mut self,
        name: Spanned<String>,
        mut op: Spanned<String>,
        from: Vec<Spanned<String>>,
        keys: Vec<Key>,
        span: Span,
    ) {
        // About a layer without an operator nothing is said: what is wrong with its block was.
        if self.blocks.get(&op.value) == Some(&false) {
            op.value.clear();
        }
        self.layers.push(LayerDecl {
            name,
            op,
            from: Some(from),
            keys,
            span,
            instances: Vec::new(),
        });
    }

    /// `f6.flatten`, or `f6.flatten_2` if that is taken, and so on.
    fn free_name(&mut self, prefix: &str, op: &Spanned<String>) -> Spanned<String> {
        let word = op.value.trim_start_matches('$');
        let first = format!("{prefix}{}", if is_valid(word) { word } else { "layer" });
        let mut name = first.clone();
        let mut n = 1;
        while !self.taken.insert(name.clone()) {
            n += 1;
            name = format!("{first}_{n}");
        }
        Spanned::new(name, op.span)
    }
}
