//! A checked network → its type, and what makes cargo build again when a file changes.

use std::path::Path;

use cnn_ir::diag::Diagnostic;
use proc_macro2::TokenStream;
use quote::quote;

use super::Files;
use super::check::Checked;
use super::declared::{Body, Declared};
use super::weights::{self, Packed};
use crate::rust::{self, Memory, Network};

/// A network's code.
pub(super) struct Expanded {
    /// Its items.
    pub(super) code: TokenStream,
    /// What is odd about its weights.
    pub(super) warnings: Vec<Diagnostic>,
}

/// The code of a network.
///
/// # Errors
/// What only shows when the network is planned and its weights are packed, at the option or layer that is to blame.
pub(super) fn expand_network(
    declared: &Declared,
    checked: &Checked,
    files: Files<'_>,
) -> Result<Expanded, Vec<Diagnostic>> {
    let Packed { plan, bytes, warnings } = weights::pack(declared, checked, files)?;
    let memory = match (declared.options.no_std, bytes) {
        (None, None) => Memory::System,
        (None, Some(bytes)) => Memory::Embedded(bytes),
        (Some(_), None) => Memory::Caller,
        (Some(_), Some(bytes)) => Memory::CallerEmbedded(bytes),
    };
    let item = rust::emit(&Network {
        attributes: &declared.attributes,
        visibility: &declared.visibility,
        name: &declared.name,
        graph: &checked.graph,
        shapes: &checked.shapes,
        plan: &plan,
        memory: &memory,
        runtime: &quote!(::cnn::rt),
    });
    let item = item.map_err(|error| vec![Diagnostic::error(declared.place, error.to_string())])?;
    let model = match &declared.body {
        Body::File(path) => Some(path),
        Body::Layers(_) | Body::Missing => None,
    };
    let read = model
        .into_iter()
        .chain(&declared.options.weights)
        .map(|path| tracked(&path.value));
    Ok(Expanded {
        code: quote!(#item #(#read)*),
        warnings,
    })
}

/// A constant that nobody reads: cargo builds the crate again when the file changes.
fn tracked(path: &str) -> TokenStream {
    let path = match Path::new(path).is_absolute() {
        true => quote!(#path),
        false => quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path)),
    };
    quote!(
        const _: &[u8] = ::core::include_bytes!(#path);
    )
}
