//! Tokens with places: trees to walk with a cursor, and the table that turns places back into the compiler's spans.

use cnn_ir::span::{Span, Spanned};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Lit;

/// Groups within each other that are looked into.
const MAX_NESTING: usize = 64;

/// The compiler's spans of all tokens of a macro call, in the order of the text. A [`Span`] is a range of it.
#[derive(Clone, Debug)]
pub struct SpanTable {
    spans: Vec<proc_macro2::Span>,
}

impl SpanTable {
    /// The compiler's spans of the first and the last token of a place; the macro call's own for no place.
    pub fn ends(&self, place: Span) -> (proc_macro2::Span, proc_macro2::Span) {
        let at = |index: usize| match place {
            Span::NONE => proc_macro2::Span::call_site(),
            _ => self
                .spans
                .get(index)
                .copied()
                .unwrap_or_else(proc_macro2::Span::call_site),
        };
        (at(place.start), at(place.end.max(place.start + 1) - 1))
    }

    fn add(&mut self, span: proc_macro2::Span) -> Span {
        self.spans.push(span);
        Span::from(self.spans.len() - 1..self.spans.len())
    }
}

/// A token, or a group of tokens with its delimiters.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) token: TokenTree,
    /// What stands in a group.
    inner: Vec<Tree>,
    /// A group's runs from the opening to the closing delimiter.
    pub(super) span: Span,
}

impl Tree {
    /// The content of a group, from its beginning.
    pub(super) fn content(&self) -> Cursor<'_> {
        Cursor {
            trees: &self.inner,
            end: Span::from(self.span.end - 1..self.span.end),
        }
    }

    /// The group's delimiter.
    pub(super) fn delimiter(&self) -> Option<Delimiter> {
        match &self.token {
            TokenTree::Group(group) => Some(group.delimiter()),
            _ => None,
        }
    }

    /// An identifier's text.
    pub(super) fn word(&self) -> Option<Spanned<String>> {
        match &self.token {
            TokenTree::Ident(ident) => {
                let text = ident.to_string();
                let text = text.strip_prefix("r#").map_or(text.clone(), str::to_owned);
                Some(Spanned::new(text, self.span))
            }
            _ => None,
        }
    }

    fn is(&self, punctuation: char) -> bool {
        matches!(&self.token, TokenTree::Punct(punct) if punct.as_char() == punctuation)
    }
}

/// The tokens of a macro call: its trees, the last token's place, and groups that are nested too deeply to look into.
pub(super) struct Source {
    trees: Vec<Tree>,
    end: Span,
    pub(super) spans: SpanTable,
    pub(super) too_deep: Vec<Span>,
}

impl Source {
    pub(super) fn new(tokens: TokenStream) -> Source {
        let mut source = Source {
            trees: Vec::new(),
            end: Span::NONE,
            spans: SpanTable { spans: Vec::new() },
            too_deep: Vec::new(),
        };
        source.trees = source.trees(tokens, 0);
        if let Some(last) = source.spans.spans.len().checked_sub(1) {
            source.end = Span::from(last..last + 1);
        }
        source
    }

    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            trees: &self.trees,
            end: self.end,
        }
    }

    fn trees(&mut self, tokens: TokenStream, depth: usize) -> Vec<Tree> {
        let mut trees = Vec::new();
        for token in tokens {
            let TokenTree::Group(group) = &token else {
                let span = self.spans.add(token.span());
                trees.push(Tree {
                    token,
                    inner: Vec::new(),
                    span,
                });
                continue;
            };
            if depth == MAX_NESTING {
                let span = self.spans.add(group.span());
                self.too_deep.push(span);
                continue;
            }
            // What a `macro_rules!` macro passes on stands in groups that nobody wrote.
            if group.delimiter() == Delimiter::None {
                trees.extend(self.trees(group.stream(), depth + 1));
                continue;
            }
            let open = self.spans.add(group.span_open());
            let inner = self.trees(group.stream(), depth + 1);
            let close = self.spans.add(group.span_close());
            trees.push(Tree {
                token,
                inner,
                span: open.to(close),
            });
        }
        trees
    }
}

/// A place in a list of trees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    trees: &'a [Tree],
    /// What stands behind the last tree: the closing delimiter, or else the last token.
    end: Span,
}

impl<'a> Cursor<'a> {
    pub(super) fn is_at_end(&self) -> bool {
        self.trees.is_empty()
    }

    pub(super) fn peek(&self) -> Option<&'a Tree> {
        self.nth(0)
    }

    /// The tree `n` places further on.
    pub(super) fn nth(&self, n: usize) -> Option<&'a Tree> {
        self.trees.get(n)
    }

    pub(super) fn next(&mut self) -> Option<&'a Tree> {
        let (first, rest) = self.trees.split_first()?;
        self.trees = rest;
        Some(first)
    }

    /// The next tree's first token, or the closing delimiter.
    pub(super) fn place(&self) -> Span {
        match self.peek() {
            Some(tree) => Span::from(tree.span.start..tree.span.start + 1),
            None => self.end,
        }
    }

    /// The next tree if it is an identifier.
    pub(super) fn word(&self) -> Option<Spanned<String>> {
        self.peek().and_then(Tree::word)
    }

    /// Whether the next tree is this word.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.word().is_some_and(|found| found.value == word)
    }

    /// Whether the tree `n` places further on is this punctuation.
    pub(super) fn is(&self, n: usize, punctuation: char) -> bool {
        self.nth(n).is_some_and(|tree| tree.is(punctuation))
    }

    /// Takes the next tree if it is this punctuation.
    pub(super) fn eat(&mut self, punctuation: char) -> bool {
        let is = self.is(0, punctuation);
        if is {
            self.next();
        }
        is
    }

    /// Takes the next tree if it is a group with this delimiter.
    pub(super) fn group(&mut self, delimiter: Delimiter) -> Option<&'a Tree> {
        let tree = self.peek().filter(|tree| tree.delimiter() == Some(delimiter))?;
        self.next();
        Some(tree)
    }

    /// Takes a name: `c1`, `layer1.0.conv1`, or any as a string.
    pub(super) fn name(&mut self) -> Option<Spanned<String>> {
        if let Some(TokenTree::Literal(literal)) = self.peek().map(|tree| &tree.token) {
            let Lit::Str(text) = Lit::new(literal.clone()) else {
                return None;
            };
            return self.next().map(|tree| Spanned::new(text.value(), tree.span));
        }
        let mut name = self.word()?;
        self.next();
        while self.is(0, '.') {
            let part = match self.nth(1).map(|tree| &tree.token) {
                Some(part @ (TokenTree::Ident(_) | TokenTree::Literal(_))) => part.to_string(),
                _ => break,
            };
            name.value = format!("{}.{part}", name.value);
            self.next();
            name.span = self.next().map_or(name.span, |tree| name.span.to(tree.span));
        }
        Some(name)
    }

    /// Goes on behind the next such punctuation, or to the end.
    pub(super) fn skip_past(&mut self, punctuation: char) {
        while let Some(tree) = self.next() {
            if tree.is(punctuation) {
                return;
            }
        }
    }

    /// What stands here, as messages call it.
    pub(super) fn found(&self) -> String {
        let Some(tree) = self.peek() else {
            return "the end".to_owned();
        };
        match tree.delimiter() {
            Some(Delimiter::Parenthesis) => "`(`".to_owned(),
            Some(Delimiter::Brace) => "`{`".to_owned(),
            Some(Delimiter::Bracket) => "`[`".to_owned(),
            Some(Delimiter::None) | None => format!("`{}`", tree.token),
        }
    }
}
