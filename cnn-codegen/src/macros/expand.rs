//! A valid network → its type: constants, documentation, and what makes cargo build again when a file changes.

use std::path::Path;

use cnn_ir::cost;
use cnn_ir::diag::Diagnostic;
use cnn_ir::op::Op;
use cnn_ir::text;
use proc_macro2::TokenStream;
use quote::quote;

use super::check::Checked;
use super::declared::{Body, Declared};
use super::page::page;

/// The code of a network.
///
/// # Errors
/// What only shows when the network is planned, at the option or name that is to blame.
pub fn expand_network(declared: &Declared, checked: &Checked) -> Result<TokenStream, Vec<Diagnostic>> {
    let Checked { graph, shapes, .. } = checked;
    let Declared {
        attributes,
        visibility,
        name,
        options,
        ..
    } = declared;
    let inputs: Vec<(&str, Vec<usize>)> = (graph.inputs().iter())
        .map(|&id| match &graph[id].op {
            Op::Input(input) => (graph[id].name.as_str(), input.array_dims()),
            _ => (graph[id].name.as_str(), shapes[id].dims()),
        })
        .collect();
    let outputs: Vec<(&str, Vec<usize>)> = (graph.outputs().iter())
        .map(|output| (output.name.as_str(), shapes[output.node].dims()))
        .collect();
    let inputs = shape_constants("INPUT_SHAPE", "input", &inputs);
    let outputs = shape_constants("OUTPUT_SHAPE", "output", &outputs);
    let parameters = cost::parameters(graph, shapes);
    let macs = cost::multiplications(graph, shapes);
    let ir = text::print(graph, Some(shapes));
    let page = page(graph, shapes);
    let model = match &declared.body {
        Body::File(path) => Some(path),
        Body::Layers(_) | Body::Missing => None,
    };
    let files = model
        .into_iter()
        .chain(&options.weights)
        .map(|path| tracked(&path.value));
    Ok(quote! {
        #(#attributes)*
        #[doc = ""]
        #[doc = #page]
        #visibility struct #name;

        impl #name {
            #inputs
            #outputs
            /// How many numbers training learns.
            pub const PARAMETERS: u64 = #parameters;
            /// Multiplications for one image, each with its addition: those of convolutions and dense layers.
            pub const MACS: u64 = #macs;
            /// The network as text, every value with its shape.
            pub const IR: &'static str = #ir;
        }

        #(#files)*
    })
}

/// `INPUT_SHAPE` of a network with one input, `INPUT_SHAPES` of one with several.
fn shape_constants(constant: &str, what: &str, ports: &[(&str, Vec<usize>)]) -> TokenStream {
    let ident = |name: &str| proc_macro2::Ident::new(name, proc_macro2::Span::call_site());
    if let [(name, dims)] = ports {
        let (constant, rank) = (ident(constant), dims.len());
        let about = format!("The shape of the {what} `{name}`, without the batch.");
        return quote! {
            #[doc = #about]
            pub const #constant: [usize; #rank] = [#(#dims),*];
        };
    }
    let constant = ident(&format!("{constant}S"));
    let names: Vec<_> = ports.iter().map(|(name, _)| format!("`{name}`")).collect();
    let about = format!("The shapes of the {what}s {}, without the batch.", names.join(", "));
    let count = ports.len();
    let shapes = ports.iter().map(|(_, dims)| quote!(&[#(#dims),*]));
    quote! {
        #[doc = #about]
        pub const #constant: [&'static [usize]; #count] = [#(#shapes),*];
    }
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
