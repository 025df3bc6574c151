//! Diagnostics as tokens: errors and warnings that the compiler shows at the guilty token.

use cnn_ir::diag::{Diagnostic, Label};
use cnn_ir::span::Span;
use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::declared::Declared;
use super::tokens::SpanTable;

/// A `compile_error!` for each error outside of all networks.
pub(super) fn outside(errors: &[Diagnostic], spans: &SpanTable) -> TokenStream {
    let items = errors.iter().map(|error| compile_error(error, Span::NONE, spans));
    quote!(#(#items)*)
}

/// Stands for a network with errors: each of them, and a type of the network's name about whose uses the compiler says
/// nothing. (It does so about a type that holds an error; about a struct it would miss `load`, `run` and so on.)
pub(super) fn refused(declared: &Declared, errors: &[Diagnostic], spans: &SpanTable) -> TokenStream {
    let conditions = declared.attributes.iter().filter(|attribute| is_condition(attribute));
    let (visibility, name) = (&declared.visibility, &declared.name);
    let errors = errors.iter().map(|error| compile_error(error, declared.place, spans));
    quote! {
        #(#conditions)*
        #visibility type #name = (#([(); #errors],)*);
    }
}

/// A warning at its token, about the use of something deprecated: the only way on a stable compiler.
pub(super) fn warning(warning: &Diagnostic, place: Span, spans: &SpanTable) -> TokenStream {
    let note = message(warning, spans);
    let (first, _) = spans.ends(warning.primary.as_ref().map_or(place, |label| label.span));
    let used = quote_spanned!(first=> NETWORK);
    quote! {
        const _: () = {
            #[deprecated(note = #note)]
            const NETWORK: () = ();
            #used
        };
    }
}

/// `compile_error!` from the first guilty token to the last.
fn compile_error(error: &Diagnostic, place: Span, spans: &SpanTable) -> TokenStream {
    let (first, last) = spans.ends(error.primary.as_ref().map_or(place, |label| label.span));
    let mut text = Literal::string(&message(error, spans));
    text.set_span(last);
    let mut arguments = Group::new(Delimiter::Brace, TokenTree::from(text).into());
    arguments.set_span(last);
    let mut tokens = quote_spanned!(first=> ::core::compile_error!);
    tokens.extend([TokenTree::from(arguments)]);
    tokens
}

/// All that a diagnostic says. Other places are told by their lines.
pub fn message(diagnostic: &Diagnostic, spans: &SpanTable) -> String {
    let mut lines = vec![diagnostic.message.clone()];
    let label = diagnostic.primary.iter().map(|label| label.text.clone());
    lines.extend(label.filter(|text| !text.is_empty()));
    lines.extend(diagnostic.secondary.iter().map(|label| elsewhere(label, spans)));
    lines.extend(diagnostic.notes.iter().cloned());
    lines.join("\n")
}

fn elsewhere(label: &Label, spans: &SpanTable) -> String {
    let (first, _) = spans.ends(label.span);
    format!("line {}: {}", first.start().line, label.text)
}

/// Whether an attribute is `#[cfg(…)]`: what else a struct may have, a type alias may not.
fn is_condition(attribute: &TokenStream) -> bool {
    attribute.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => {
            matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "cfg")
        }
        _ => false,
    })
}
